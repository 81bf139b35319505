"""Where do the lines around a value begin and end, and how are whole lines put in and taken out?

What lines consist of is not known here, only that nothing else may stand on them; which ones change is the question of
`editing_splices`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from reconciler.manifest.editing_tree import Faraway, Item, Node, behind_properties
from reconciler.manifest.editing_written import column_of

Splice = tuple[int, int, str]
"""What stands from one place up to another gives way to a text."""

BY_HAND = "change it by hand"
_REST_OF_LINE = re.compile(r"[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)")


@dataclass
class Lines:
    """The text of a file, and one of its documents."""

    text: str
    root: Node

    @cached_property
    def _ends_of_blocks(self) -> set[int]:
        return {node.end for node in self.root.inside() if node.style in ("|", ">")}

    def _begin(self, item: Item) -> int:
        if item.begin is None:
            start = item.key.start if item.key else item.value.start
            raise Faraway(start, "this is written with '? ', or apart from its '-'", BY_HAND)
        return item.begin

    def _is_below(self, item: Item) -> bool:
        """Whether a value in lines begins on a line below its key or dash."""
        old = item.value
        if old.flow or old.kind not in ("mapping", "list") or not old.items or item.after is None:
            return False
        return "\n" in self.text[item.after : self._begin(old.items[0])]

    def _line_end_of(self, node: Node) -> str:
        """What has to end the line where a text went that kept its own line ends."""
        return self._newline(node.start) if node.written and self.text[node.end - 1] == "\n" else ""

    def _opening(self, node: Node) -> int:
        start = behind_properties(self.text, node)
        return start + len(self.text[start:]) - len(self.text[start:].lstrip())

    def _newline(self, index: int) -> str:
        """The line end that is used here."""
        end = self.text.find("\n", index)
        end = end if end >= 0 else self.text.rfind("\n")
        return "\r\n" if end > 0 and self.text[end - 1] == "\r" else "\n"

    def _line_after(self, index: int) -> int:
        if index and self.text[index - 1] == "\n":
            return index
        found = self.text.find("\n", index)
        return found + 1 if found >= 0 else len(self.text)

    def _insert_lines(self, index: int, lines: list[str]) -> list[Splice]:
        """Below the line of a place, which has to end with it but for a comment."""
        at, newline = self._line_after(index), self._newline(index)
        if at != index and not _REST_OF_LINE.match(self.text, index):
            raise Faraway(index, "something else stands on this line", BY_HAND)
        if at and self.text[at - 1] != "\n":
            return [(at, at, "".join(newline + line for line in lines))]
        return [(at, at, "".join(line + newline for line in lines))]

    def _delete_lines(self, begin: int, end: int) -> Splice:
        """The whole lines from one place to another; a file without a last line end keeps having none."""
        start, behind = begin - column_of(self.text, begin), self._line_after(end)
        if self.text[start:begin].strip():
            raise Faraway(begin, "something else stands on this line", BY_HAND)
        if behind != end and not _REST_OF_LINE.match(self.text, end):
            raise Faraway(end, "something else stands on this line", BY_HAND)
        if behind == len(self.text) and not self.text.endswith("\n"):
            shorter = start - len(self._newline(start - 1)) if start else 0
            start = start if {start, shorter} & self._ends_of_blocks else shorter
        return start, behind, ""
