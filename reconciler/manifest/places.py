"""Where in a file does a value stand?

Asked only when there is a complaint, so that nothing of it costs anything while manifests are right. The documents
that `walk` has read to their end are read again, this time for the marks alone.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.manifest.text import Reading, read
from reconciler.manifest.walk import Field


@dataclass(slots=True)
class _Spot:
    """Where a value begins, where its key does if it has one, and the spots inside it."""

    index: int
    key: int | None = None
    text: str | None = None
    """What is written, for a scalar."""
    inner: dict[str | int, _Spot] | None = None

    def step(self, step: str | int) -> _Spot | None:
        """The spot inside that a key or a position leads to."""
        if self.inner is None or step in self.inner or isinstance(step, int):
            return self.inner.get(step) if self.inner else None
        # A list of names may stand for a mapping with these keys.
        return next((spot for at, spot in self.inner.items() if isinstance(at, int) and spot.text == step), None)


_NOTHING = _Spot(0)


class Places:
    """The places of one file's values."""

    def __init__(self, reading: Reading) -> None:
        self._length = len(reading.text)
        self._starts = [0, *(found.end() for found in re.finditer("\n", reading.text))]
        self._roots = _spots(reading.text, len(reading.documents))

    def find(self, ordinal: int, field: Field, at_key: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of a field of a document, or of the nearest thing around it that there is.

        The value's place when it is a scalar that is not empty and `at_key` is false, else its key's.
        """
        if ordinal >= len(self._roots):
            return 1, 1
        spot = self._roots[ordinal]
        for step in field:
            found = spot.step(step)
            if found is None:
                at_key = True
                break
            spot = found
        written = spot.text is not None and not at_key
        return self.place(spot.index if written or spot.key is None else spot.key)

    def raw(self, ordinal: int, field: Field) -> str | None:
        """The text of a scalar as it is written, without its quotes; None for anything else."""
        spot = self._roots[ordinal] if ordinal < len(self._roots) else None
        for step in field:
            spot = spot.step(step) if spot else None
        return spot.text if spot else None

    def place(self, index: int) -> tuple[int, int]:
        """Line and column of an index of the text, as editors count: from 1, columns in characters."""
        index = min(index, self._length)
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1


def locate(data: bytes, ordinal: int, field: Field, at_key: bool = False) -> tuple[int, int]:
    """Line and column, from 1, of a field of a file's document, for complaints that are found later.

    Where there is no such field, the nearest thing around it; where there is no such document, (1, 1).
    """
    return Places(read(data)).find(ordinal, field, at_key)


def _spots(text: str, count: int) -> list[_Spot]:
    """The spots of the first documents of a text, which `walk` has read to their end."""
    if not count:
        return []
    following = CParser(text).get_event
    following()
    return [_document(following) for _ in range(count)]


def _document(following: Callable[[], Any]) -> _Spot:
    following()
    root = _Holder(_Spot(0, inner={}), is_mapping=False)
    above = [root]
    anchors: dict[str, _Spot] = {}
    while type(event := following()) is not DocumentEndEvent:
        if isinstance(event, MappingEndEvent | SequenceEndEvent):
            above.pop()
            continue
        spot = _spot(event, anchors)
        above[-1].take(spot)
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            above.append(_Holder(spot, is_mapping=isinstance(event, MappingStartEvent)))
    return root.spot.inner[0] if root.spot.inner else root.spot


def _spot(event: Any, anchors: dict[str, _Spot]) -> _Spot:
    index, kind = event.start_mark.index, type(event)
    if kind is AliasEvent:
        known = anchors.get(event.anchor, _NOTHING)
        return _Spot(index, text=known.text or f"*{event.anchor}", inner=known.inner)
    # Nothing is written where an empty value stands, so there is nothing to point at.
    written = kind is ScalarEvent and event.end_mark.index > index
    spot = _Spot(index, text=event.value if written else None, inner=None if written else {})
    if event.anchor is not None:
        anchors[event.anchor] = spot
    return spot


@dataclass(slots=True)
class _Holder:
    """A mapping or a list that is being read."""

    spot: _Spot
    is_mapping: bool
    key: _Spot | None = None

    def take(self, spot: _Spot) -> None:
        """The next key or value."""
        inner = self.spot.inner if self.spot.inner is not None else {}
        if not self.is_mapping:
            inner[len(inner)] = spot
        elif self.key is None:
            self.key = spot
        else:
            spot.key = self.key.index
            inner[self.key.text or ""] = spot
            self.key = None
