"""Which few characters of a text have to be others, so that a document comes one step nearer to another value?

One step at a time: a key renamed, set, added or removed, a list made a mapping. A step touches the lines of what it
changes and no others. Reading the result and judging it belongs to `editing`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reconciler.manifest.editing_lines import BY_HAND, Lines, Splice
from reconciler.manifest.editing_tree import Faraway, Item, Node, behind_properties
from reconciler.manifest.editing_written import Habits, column_of, habits, in_flow, is_collection, pair, scalar

_COMMA = re.compile(r"[ \t]*,")


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to JSON: `1`, `1.0` and `true` are three values. Order of keys is none."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def applied(text: str, splices: list[Splice]) -> str:
    """The text after splices that do not overlap."""
    parts, at = [], 0
    for start, end, new in sorted(splices):
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


@dataclass
class Stepping(Lines):
    """One document of a text, on its way. `step` raises Faraway for what is not edited here."""

    def step(self, value: Any, wanted: Any) -> list[Splice]:
        """What to change first so that `value`, which the document has, becomes `wanted`; nothing if it is."""
        splices = self._toward(Item(None, self.root, self.root.start), value, wanted, "", 0, flow=False)
        for start, end, _ in splices:
            self._refuse_what_others_need(start, end)
        return splices

    @cached_property
    def _habits(self) -> Habits:
        return habits(self.text, self.root)

    @cached_property
    def _referred_to(self) -> set[str]:
        return {node.anchor for node in self.root.inside() if node.kind == "alias" and node.anchor}

    def _toward(self, item: Item, value: Any, wanted: Any, key: str, depth: int, *, flow: bool) -> list[Splice]:
        node = item.value
        if same(value, wanted):
            return []
        if node.kind == "alias" and (is_collection(value) or is_collection(wanted)):
            raise Faraway(node.start, f"this is the alias {node.text[:60]}", "write the value out here first")
        if node.anchor in self._referred_to and node.kind != "alias":
            raise Faraway(
                node.start, f"other places refer to this as *{node.anchor}", "write the value out there first"
            )
        if isinstance(value, dict) and value and isinstance(wanted, dict) and wanted:
            return self._in_mapping(node, value, wanted, depth)
        if isinstance(value, list) and value and isinstance(wanted, list) and wanted:
            return self._in_list(node, value, wanted, depth)
        if isinstance(value, list) and isinstance(wanted, dict) and _become_keys(node, value, wanted):
            return self._names_to_keys(item)
        if flow or not is_collection(wanted) or self._goes_inline(item, wanted, key, depth):
            return self._inline(item, in_flow(wanted, flow=flow, quoted=self._habits.quoted))
        return self._in_lines(item, wanted, depth)

    # Mappings

    def _in_mapping(self, node: Node, value: dict[str, Any], wanted: dict[str, Any], depth: int) -> list[Splice]:
        for key in [key for key in value if key in wanted]:
            item = node.item(key)
            if splices := self._toward(item, value[key], wanted[key], key, depth + 1, flow=node.flow):
                return splices
        gone = [key for key in value if key not in wanted]
        new = [key for key in wanted if key not in value]
        if gone and new:
            # In the place of what goes; its value gives way with the next step.
            old = node.item(gone[0]).key
            assert old is not None
            return [(old.start, old.end, scalar(new[0], flow=node.flow, quoted=self._habits.quoted))]
        if gone:
            return self._without(node, node.items.index(node.item(gone[0])))
        if node.flow:
            return self._one_more(node, pair(new[0], wanted[new[0]], quoted=self._habits.quoted))
        prefix = f"{scalar(new[0], quoted=self._habits.quoted)}:"
        return self._more_lines(node, prefix, new[0], wanted[new[0]], depth + 1)

    # Lists

    def _in_list(self, node: Node, value: list[Any], wanted: list[Any], depth: int) -> list[Splice]:
        alike = 0
        while alike < min(len(value), len(wanted)) and same(value[alike], wanted[alike]):
            alike += 1
        if len(wanted) < len(value):
            return self._without(node, alike)
        if alike < len(value):
            return self._toward(node.items[alike], value[alike], wanted[alike], "", depth + 1, flow=node.flow)
        if node.flow:
            return self._one_more(node, in_flow(wanted[alike], quoted=self._habits.quoted))
        return self._more_lines(node, "-", "", wanted[alike], depth + 1)

    def _names_to_keys(self, item: Item) -> list[Splice]:
        """A list of names becomes a mapping with these keys."""
        node = item.value
        if any(one.value.kind == "alias" or one.value.anchor for one in node.items):
            raise Faraway(node.start, "a name in this list is an alias or has an anchor", "write the names out first")
        if node.flow:
            opening = self._opening(node)
            ends = [(one.end, one.end, ": {}") for one in node.items]
            return [(opening, opening + 1, "{"), *ends, (node.end - 1, node.end, "}")]
        splices = []
        for one in node.items:
            begin, value = self._begin(one), one.value
            above = column_of(self.text, item.begin) if item.key is not None and item.begin is not None else -1
            # Dashes may stand below the key that they belong to; keys may not.
            deeper = " " * (self._habits.step if column_of(self.text, begin) <= above else 0)
            splices.append((begin, value.start, deeper))
            splices.append((value.end, value.end, ": {}"))
        return splices

    # Adding and removing

    def _one_more(self, node: Node, new: str) -> list[Splice]:
        """Inside braces or brackets that are not empty."""
        if self.text[self._opening(node)] not in "{[":
            raise Faraway(node.start, "this mapping has no braces of its own", BY_HAND)
        last = node.items[-1]
        end = last.end
        start = last.begin if last.begin is not None else end
        below, newline = self._line_after(end), self._newline(end)
        if self.text[:start].rstrip(" \t").endswith("\n") and below < node.end:
            has_comma = _COMMA.match(self.text, end)
            indent = " " * column_of(self.text, start)
            line = (below, below, f"{indent}{new}{',' if has_comma else ''}{newline}")
            return [line] if has_comma else [(end, end, ","), line]
        return [(end, end, f"{', ' if last.value.written or last.after is None else ' , '}{new}")]

    def _more_lines(self, node: Node, prefix: str, key: str, value: Any, depth: int) -> list[Splice]:
        """Below the last line of a mapping or list in lines."""
        column = column_of(self.text, self._begin(node.items[0]))
        lines = self._habits.entry(prefix, key, value, column, depth)
        if node.end in self._ends_of_blocks and node.end == len(self.text) and not self.text.endswith("\n"):
            # A line end behind this text would become a part of it: the new lines go before it.
            return [self._lines_before(node, lines)]
        return self._insert_lines(node.end, lines)

    def _lines_before(self, node: Node, lines: list[str]) -> Splice:
        """Above the last item and the comments that stand over it."""
        begin = self._begin(node.items[-1])
        start, newline = begin - column_of(self.text, begin), self._newline(begin)
        if self.text[start:begin].strip():
            return begin, begin, newline.join([*lines, " " * column_of(self.text, begin)]).lstrip()
        floor = node.items[-2].end if len(node.items) > 1 else start
        while start > floor and (above := self.text.rfind("\n", 0, start - 1) + 1) >= floor:
            if not self.text[above:start].lstrip().startswith("#"):
                break
            start = above
        return start, start, "".join(line + newline for line in lines)

    def _without(self, node: Node, position: int) -> list[Splice]:
        item = node.items[position]
        others = len(node.items) - 1
        if node.flow:
            return self._without_in_flow(node, position)
        begin = self._begin(item)
        if not self.text[:begin].rstrip(" ").endswith("\n") and begin and others:
            # It shares its line with the dash of a list around it.
            between = self.text[item.end : self._begin(node.items[position + 1])] if position < others else "#"
            if between.strip():
                return [(begin, item.end, "")]
            return [(begin, self._begin(node.items[position + 1]), "")]
        return [self._delete_lines(begin, item.end)]

    def _without_in_flow(self, node: Node, position: int) -> list[Splice]:
        item = node.items[position]
        start = item.begin if item.begin is not None else item.end
        if position + 1 < len(node.items):
            following = node.items[position + 1].begin
            assert following is not None
            if "#" not in self.text[item.end : following]:
                return [(start, following, "")]
            comma = self.text.index(",", item.end)
            return [(start, comma + 1, "")]
        before = node.items[position - 1].end if position else start
        return [(start if "#" in self.text[before:start] else before, item.end, "")]

    # One value in place of another

    def _goes_inline(self, item: Item, wanted: Any, key: str, depth: int) -> bool:
        old = item.value
        if old.kind == "list" and old.items and not old.flow:
            return False
        if not old.written and not any(at[0] == depth for at in self._habits.by_kind):
            return False
        return self._habits.wants_flow(wanted, key, depth, column_of(self.text, self._begin(item)) + len(key) + 2)

    def _inline(self, item: Item, new: str) -> list[Splice]:
        """A value on one line in place of any other."""
        old, after = item.value, item.after
        if not old.written:
            if after is not None:
                return [(after, after, f" {new}")]
            assert item.key is not None
            self._begin(item)
            return [(item.key.end, item.key.end, f": {new}")]
        if self._is_below(item):
            assert after is not None
            first = self._begin(old.items[0])
            return [
                (after, max(after, behind_properties(self.text, old)) if old.start < first else after, f" {new}"),
                self._delete_lines(first, old.end),
            ]
        return [(old.start, old.end, new + self._line_end_of(old))]

    def _in_lines(self, item: Item, wanted: Any, depth: int) -> list[Splice]:
        """A mapping or list in lines in place of any other value."""
        old, begin = item.value, self._begin(item)
        column, after = column_of(self.text, begin), item.after
        newline = self._newline(begin)
        if after is None:
            raise Faraway(begin, "this is written in an unusual way", BY_HAND)
        if item.key is None:
            lines = self._habits.below(wanted, column + 2, depth)
            return [
                (after, old.end if old.written else after, " " + newline.join(lines).lstrip() + self._line_end_of(old))
            ]
        lines = self._habits.below(wanted, self._habits.column_below(wanted, column), depth)
        if not old.written:
            return self._insert_lines(after, lines)
        if self._is_below(item):
            first = self._begin(old.items[0])
            start, end, _ = self._delete_lines(first, old.end)
            kept = newline if end == len(self.text) and not self.text.endswith("\n") else ""
            block = newline.join(lines) if kept else "".join(line + newline for line in lines)
            start = start + len(newline) if kept and self.text[start:].startswith(newline) else start
            return [(after, behind_properties(self.text, old) if old.start < first else after, ""), (start, end, block)]
        if "\n" in self.text[after : old.end]:
            return [(after, old.end, newline + newline.join(lines) + self._line_end_of(old))]
        return [(after, old.end, ""), *self._insert_lines(old.end, lines)]

    def _refuse_what_others_need(self, start: int, end: int) -> None:
        for node in self.root.inside():
            if node.kind != "alias" and node.anchor in self._referred_to and start <= node.start < end:
                raise Faraway(
                    node.start, f"other places refer to this as *{node.anchor}", "write the value out there first"
                )


def _become_keys(node: Node, value: list[Any], wanted: dict[str, Any]) -> bool:
    """Whether a list is one of names, all of which are wanted as keys."""
    names = all(isinstance(name, str) and name in wanted for name in value) and len(set(value)) == len(value)
    return bool(value) and names and not any(item.value.style in ("|", ">") for item in node.items)
