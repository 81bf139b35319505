"""Which values does a text hold, and which of its parts are no plain data?

One walk over libyaml's events builds values that JSON can hold, and bounds what a hostile file may cost: its
depth, and the number of its nodes with every alias written out. Duplicate keys, keys that are no text, tags and
merge keys are found on the way. What the values mean is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from reconciler.manifest.faults import Fault, Stop
from reconciler.manifest.scalars import ELSEWHERE, NUMERIC, WORDS, Unfit, number, read_otherwise

DEEPEST = 100
MOST_NODES = 100_000

Field = tuple[str | int, ...]
"""The keys and positions that lead from a document to one of its values."""

_MERGE = "<<"
_SPECIAL = frozenset((*WORDS, *ELSEWHERE, _MERGE))
_CORE = "tag:yaml.org,2002:"
_LOOK = object()
"""In place of a value: there is something about it that has to be looked at."""
_USUAL = 24
"""How long a number is at most that is remembered."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_TOO_DEEP = f"this is nested more than {DEEPEST} levels deep"
_TOO_MANY = f"the file has more than {MOST_NODES:,} values, aliases written out"


class Odd(NamedTuple):
    """A scalar without quotes that other readers of YAML take for something else."""

    field: Field
    text: str
    seen_as: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file, counted from 0: its value, and what is wrong with it as data."""

    ordinal: int
    value: Any
    faults: tuple[Fault, ...]
    odd: tuple[Odd, ...]


class Walk:
    """The documents of a text, one after the other. Raises YAMLError, or Stop where a bound is reached."""

    __slots__ = ("_above", "_anchors", "_faults", "_holder", "_key", "_left", "_next", "_odd")

    def __init__(self, text: str) -> None:
        self._next = CParser(text).get_event
        self._left = MOST_NODES

    def __iter__(self) -> Iterator[Document]:
        self._next()
        ordinal = 0
        while type(self._next()) is not StreamEndEvent:
            yield self._document(ordinal)
            ordinal += 1

    def _document(self, ordinal: int) -> Document:
        root: list[Any] = []
        self._holder: dict[str, Any] | list[Any] = root
        self._key: str | None = None
        self._above: list[tuple[dict[str, Any] | list[Any], str | None, str | None]] = []
        self._anchors: dict[str, Any] = {}
        self._faults: list[Fault] = []
        self._odd: list[Odd] = []
        self._fill()
        return Document(ordinal, root[0], tuple(self._faults), tuple(self._odd))

    def _fill(self) -> None:
        following = self._next
        while True:
            event: Any = following()
            kind = type(event)
            if kind is ScalarEvent:
                # Most of a manifest are texts without anything to look at: they cost no call of ours.
                value = event.value
                plain = event.tag is None and event.anchor is None and self._left > 0
                if plain and (value.isprintable() if event.style else not (value in _SPECIAL or value[0] in NUMERIC)):
                    self._left -= 1
                else:
                    value = self._scalar(event)
                holder, key = self._holder, self._key
                if key is not None and type(holder) is dict:
                    holder[key] = value
                    self._key = None
                elif type(holder) is dict and type(value) is str and value not in holder:
                    self._key = value
                else:
                    self._put(value, event)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._close()
            elif kind is MappingStartEvent:
                self._open(event, {})
            elif kind is SequenceStartEvent:
                self._open(event, [])
            elif kind is AliasEvent:
                self._put(self._alias(event), event)
            else:
                return

    def _put(self, value: Any, event: Any) -> None:
        holder = self._holder
        if isinstance(holder, list):
            holder.append(value)
        elif (key := self._key) is not None:
            holder[key] = value
            self._key = None
        elif type(value) is str and value not in holder:
            self._key = value
        else:
            self._key = self._odd_key(value, event)

    def _odd_key(self, value: Any, event: Any) -> str:
        if type(value) is str:
            self._fault(event, f"the key {value[:60]!r} stands twice in one mapping", "remove one of the two")
            return value
        if type(event) is ScalarEvent:
            text: str = event.value
            self._fault(event, f"the key {text[:60] or 'null'} is no text", f'quote it: "{text[:60]}"')
            return text
        if event is not None:
            self._fault(event, "a key is a text", "write it out")
        return ""

    def _open(self, event: Any, value: dict[str, Any] | list[Any]) -> None:
        self._count(event)
        if len(self._above) >= DEEPEST:
            raise Stop(Fault(event.start_mark.index, _TOO_DEEP, "make it flatter"))
        if event.tag is not None:
            self._check_tag(event, "map" if type(event) is MappingStartEvent else "seq")
        if self._expects_key():
            self._fault(event, "a mapping or a list cannot be a key", "use a text as the key")
        self._above.append((self._holder, self._key, event.anchor))
        self._holder, self._key = value, None

    def _close(self) -> None:
        value = self._holder
        self._holder, self._key, anchor = self._above.pop()
        if anchor is not None:
            self._anchors[anchor] = value
        self._put(value, None)

    def _scalar(self, event: Any) -> Any:
        self._count(event)
        value: Any = event.value
        if event.tag is not None:
            self._check_tag(event, "str")
        elif event.style:
            if not value.isprintable() and (found := _CONTROL.search(value)):
                self._fault(event, f"this text holds the control character U+{ord(found[0]):04X}", "remove it")
        elif value in _SPECIAL or value[0] in NUMERIC:
            value = self._special(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _special(self, event: Any) -> Any:
        text: str = event.value
        if len(text) <= _USUAL and (known := _usual(text)) is not _LOOK:
            return known
        if text == _MERGE:
            if self._expects_key():
                self._fault(event, "merge keys (<<) are not supported", "write the keys out")
            return text
        try:
            value = number(text)
        except Unfit as error:
            # The text is not shown: it may be a secret that somebody pasted.
            self._fault(event, str(error), "quote it")
            return text
        if not self._expects_key() and (seen_as := read_otherwise(text, value)):
            self._odd.append(Odd(self._field(), text, seen_as))
        return value

    def _alias(self, event: Any) -> Any:
        name = event.anchor
        if name not in self._anchors:
            inside = any(name == anchor for _, _, anchor in self._above)
            wrong = "refers to what it stands in" if inside else "refers to nothing"
            self._fault(event, f"the alias *{name[:60]} {wrong}", "write the value out")
            return None
        value = self._anchors[name]
        nodes, height = _extent(value)
        self._count(event, nodes)
        if len(self._above) + height > DEEPEST:
            raise Stop(Fault(event.start_mark.index, _TOO_DEEP, "make it flatter"))
        return value

    def _count(self, event: Any, nodes: int = 1) -> None:
        self._left -= nodes
        if self._left < 0:
            raise Stop(Fault(event.start_mark.index, _TOO_MANY, "split it, and write aliases out"))

    def _check_tag(self, event: Any, allowed: str) -> None:
        if event.tag not in ("!", _CORE + allowed):
            shown = event.tag.replace(_CORE, "!!")[:60]
            self._fault(event, f"the tag {shown} is not accepted", "leave it out: manifests are plain data")

    def _expects_key(self) -> bool:
        return self._key is None and type(self._holder) is dict

    def _field(self) -> Field:
        here = [(holder, key) for holder, key, _ in self._above[1:]]
        return tuple(_step(holder, key) for holder, key in (*here, (self._holder, self._key)))

    def _fault(self, event: Any, message: str, remedy: str) -> None:
        self._faults.append(Fault(event.start_mark.index, message, remedy))


@lru_cache(maxsize=4_096)
def _usual(text: str) -> Any:
    """What a word or a number without quotes means; `_LOOK` when there is more to say about it."""
    if text in WORDS:
        return WORDS[text]
    try:
        value = _LOOK if text == _MERGE else number(text)
    except Unfit:
        return _LOOK
    return _LOOK if read_otherwise(text, value) else value


def _step(holder: dict[str, Any] | list[Any], key: str | None) -> str | int:
    return len(holder) if isinstance(holder, list) else key or ""


def _extent(value: Any) -> tuple[int, int]:
    """How many nodes a value has, and how deep it is. It was counted itself, so it has no more than may be."""
    nodes, height, level = 0, 0, [value]
    while level:
        nodes += len(level)
        inner = [one for one in level if type(one) is dict or type(one) is list]
        height += bool(inner)
        level = [part for one in inner for part in (one.values() if type(one) is dict else one)]
    return nodes, height
