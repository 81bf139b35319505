"""How is a value written, in the style of what surrounds it?

Values become text here: scalars with quotes only where YAML needs them, mappings and lists in braces or in lines.
Where the text goes is the question of `editing_splices`.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from yaml import YAMLError

from reconciler.manifest.editing_tree import Node
from reconciler.manifest.faults import Stop
from reconciler.manifest.walk import Walk

_WIDEST = 100
_WIDEST_IN_FLOW = 160
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
# What some reader of YAML takes for something else, or what stands out so much that nobody leaves it bare.
_ALWAYS_QUOTED = frozenset(("", "y", "Y", "n", "N", "=", "<<"))
_DOCUMENT_MARKS = ("---", "...")


def is_collection(value: Any) -> bool:
    """Whether it is a mapping or a list that holds something."""
    return isinstance(value, dict | list) and bool(value)


def writable(value: Any) -> bool:
    """Whether it is made of what a manifest can hold: JSON, its texts printable, its numbers of 64 bits."""
    if isinstance(value, str):
        return not _NO_TEXT.search(value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and writable(key) and writable(one) for key, one in value.items())
    if isinstance(value, list):
        return all(map(writable, value))
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return value is None or (isinstance(value, float) and math.isfinite(value))


def scalar(value: Any, *, flow: bool = False, quoted: bool = False) -> str:
    """A text, number, truth value or null, as YAML has it on one line."""
    if isinstance(value, str):
        return value if not quoted and _plain(value, flow) else _in_quotes(value)
    return json.dumps(value, allow_nan=False)


def in_flow(value: Any, *, flow: bool = True, quoted: bool = False) -> str:
    """Any value on one line; `flow` says whether it will stand inside braces or brackets."""
    if isinstance(value, dict):
        return "{" + ", ".join(pair(key, one, quoted=quoted) for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(in_flow(one, quoted=quoted) for one in value) + "]"
    return scalar(value, flow=flow, quoted=quoted)


def pair(key: str, value: Any, *, quoted: bool = False) -> str:
    """A key and its value, to stand inside braces."""
    return f"{scalar(key, flow=True, quoted=quoted)}: {in_flow(value, quoted=quoted)}"


@dataclass(frozen=True, slots=True)
class Habits:
    """How a document is laid out: what its author does, new lines do too."""

    step: int = 2
    """By how much a mapping is indented below its key."""
    dash: int = 2
    """By how much the dashes of a list are indented below its key."""
    quoted: bool = False
    """Every text and key in double quotes, as in JSON."""
    by_key: dict[tuple[int, str], bool] = field(default_factory=dict)
    by_kind: dict[tuple[int, str], bool] = field(default_factory=dict)

    def wants_flow(self, value: Any, key: str, depth: int, taken: int) -> bool:
        """Whether a mapping or list goes into braces or brackets; `taken` columns are in front of it."""
        kind = "mapping" if isinstance(value, dict) else "list"
        width = taken + len(in_flow(value))
        seen = self.by_key.get((depth, key), self.by_kind.get((depth, kind)))
        return seen is not False and width <= (_WIDEST if seen is None else _WIDEST_IN_FLOW)

    def entry(self, prefix: str, key: str, value: Any, column: int, depth: int) -> list[str]:
        """The lines, from column 0, of `prefix` (a key with its colon, or a dash) and its value."""
        start = " " * column + prefix
        if not is_collection(value) or self.wants_flow(value, key, depth, len(start) + 1):
            return [f"{start} {in_flow(value, flow=False, quoted=self.quoted)}"]
        if prefix == "-":
            first, *rest = self.below(value, column + 2, depth)
            return [f"{start} {first.lstrip()}", *rest]
        return [start, *self.below(value, self.column_below(value, column), depth)]

    def column_below(self, value: Any, column: int) -> int:
        """At which column a value in lines stands whose key stands at `column`."""
        return column + (self.step if isinstance(value, dict) else self.dash)

    def below(self, value: Any, column: int, depth: int) -> list[str]:
        """The lines of a mapping or list that is not empty; `depth` is its own."""
        if isinstance(value, list):
            return [line for one in value for line in self.entry("-", "", one, column, depth + 1)]
        return [
            line
            for key, one in value.items()
            for line in self.entry(f"{scalar(key, quoted=self.quoted)}:", key, one, column, depth + 1)
        ]


def habits(text: str, root: Node) -> Habits:
    """How the document is laid out whose value `root` is; what is most frequent counts."""
    steps: Counter[int] = Counter()
    dashes: Counter[int] = Counter()
    keys: dict[tuple[int, str], Counter[bool]] = {}
    kinds: dict[tuple[int, str], Counter[bool]] = {}
    waiting = [(root, "", 0)]
    while waiting:
        node, key, depth = waiting.pop()
        if depth and node.items:
            keys.setdefault((depth, key), Counter())[node.flow] += 1
            kinds.setdefault((depth, node.kind), Counter())[node.flow] += 1
        for item in node.items:
            waiting.append((item.value, item.key.text if item.key else "", depth + 1))
            inner = item.value.items[0].begin if item.value.items else None
            if node.kind != "mapping" or node.flow or item.value.flow or item.begin is None or inner is None:
                continue
            by = column_of(text, inner) - column_of(text, item.begin)
            (steps if item.value.kind == "mapping" else dashes)[by] += 1
    return Habits(
        step=max(1, _usual(steps, 2)),
        dash=max(0, _usual(dashes, 2)),
        quoted=root.flow and any(item.key is not None and item.key.style == '"' for item in root.items),
        by_key={at: _more_in_flow(seen) for at, seen in keys.items() if at[1]},
        by_kind={at: _more_in_flow(seen) for at, seen in kinds.items()},
    )


def column_of(text: str, index: int) -> int:
    """How many characters stand before a place on its line."""
    return index - (text.rfind("\n", 0, index) + 1)


def _usual(seen: Counter[int], otherwise: int) -> int:
    return seen.most_common(1)[0][0] if seen else otherwise


def _more_in_flow(seen: Counter[bool]) -> bool:
    return seen[True] >= seen[False]


def _plain(text: str, flow: bool) -> bool:
    """Whether a text may stand without quotes: read again, it is the same to every reader."""
    if text in _ALWAYS_QUOTED or text.startswith(_DOCUMENT_MARKS) or not text.isprintable() or _DATE.match(text):
        return False
    if text != text.strip() or len(text) > 10_000:
        return False
    try:
        # As a key too: a text that is read as two things there is not left bare anywhere.
        (document,) = Walk(f"{{{text}: {text}}}" if flow else f"{text}: {text}")
    except (YAMLError, Stop, ValueError):
        return False
    return document.value == {text: text} and not document.faults and not document.odd


def _in_quotes(text: str) -> str:
    return "".join(map(_escaped, json.dumps(text, ensure_ascii=False)))


def _escaped(letter: str) -> str:
    # JSON would write what lies beyond 16 bits as two halves, which YAML does not know.
    return (
        letter if letter.isprintable() else f"\\U{ord(letter):08X}" if ord(letter) > 0xFFFF else f"\\u{ord(letter):04X}"
    )
