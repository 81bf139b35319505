"""Where exactly do the values of a document stand, from their first character to behind their last?

Nodes with their marks, for `editing`, which puts other text in their places. What the values mean, and how a new
one is written, is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

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

Kind = Literal["scalar", "mapping", "list", "alias"]

_BLANKS = " \t"
_DASH = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*-")
_PROPERTIES = re.compile(r"[&!]\S*(?:[ \t]+[&!]\S*)*")
_COLON = re.compile(r"[ \t]*:")
_COLON_IN_FLOW = re.compile(r"\s*:")


@dataclass(slots=True)
class Item:
    """A key with its value, or one value of a list."""

    key: Node | None
    value: Node
    begin: int | None = None
    """Where the key stands, or the dash; in braces and brackets the value itself. None: not found."""
    after: int | None = None
    """Behind the colon or the dash. None where there is none, or none in the usual place."""

    @property
    def end(self) -> int:
        """Behind the last character of the item."""
        if self.value.written:
            return self.value.end
        return self.after if self.after is not None else self.key.end if self.key else self.value.end


@dataclass(slots=True)
class Node:
    """A value: from `start` (anchor and tag included) to `end`, in characters of the text."""

    kind: Kind
    start: int
    end: int
    flow: bool = False
    """In braces or brackets."""
    style: str | None = None
    """How a scalar is written: quoted, | or >; None for a plain one."""
    anchor: str | None = None
    text: str = ""
    items: list[Item] = field(default_factory=list)

    @property
    def written(self) -> bool:
        """Whether there is anything at its place."""
        return self.end > self.start

    def item(self, step: str | int) -> Item:
        """The item of a key or a position that is known to be there."""
        if isinstance(step, int):
            return self.items[step]
        return next(item for item in self.items if item.key is not None and item.key.text == step)

    def inside(self) -> Iterator[Node]:
        """This node and every one below it, keys included."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            for item in node.items:
                waiting += [item.value] if item.key is None else [item.key, item.value]


def root(text: str, ordinal: int) -> Node:
    """The value of a document, counted from 0, of a text that is known to be sound."""
    following = CParser(text).get_event
    following()
    for _ in range(ordinal):
        following()
        while type(following()) is not DocumentEndEvent:
            pass
    following()
    return _node(text, following, following())


def behind_properties(text: str, node: Node) -> int:
    """Behind the anchor and the tag of a node; its start when it has neither."""
    found = _PROPERTIES.match(text, node.start)
    return found.end() if found else node.start


def _node(text: str, following: Callable[[], Any], event: Any) -> Node:
    kind, start, end = type(event), event.start_mark.index, event.end_mark.index
    if kind is AliasEvent:
        return Node("alias", start, end, anchor=event.anchor, text=f"*{event.anchor}")
    if kind is ScalarEvent:
        style = event.style or None
        end = _end_of_block(text, start, end) if style in ("|", ">") else end
        return Node("scalar", start, end, style=style, anchor=event.anchor, text=event.value)
    if kind is MappingStartEvent:
        node = Node("mapping", start, start, flow=bool(event.flow_style), anchor=event.anchor)
        while type(inner := following()) is not MappingEndEvent:
            key = _node(text, following, inner)
            node.items.append(_pair(text, node.flow, key, _node(text, following, following())))
    else:
        assert kind is SequenceStartEvent
        node = Node("list", start, start, flow=bool(event.flow_style), anchor=event.anchor)
        while type(inner := following()) is not SequenceEndEvent:
            upto = node.items[-1].end if node.items else behind_properties(text, node)
            node.items.append(_listed(text, node.flow, upto, _node(text, following, inner)))
    node.end = inner.end_mark.index if node.flow or not node.items else node.items[-1].end
    return node


def _end_of_block(text: str, start: int, end: int) -> int:
    """Without the empty lines behind a block scalar and its last line end, unless they belong to its value."""
    header = text[start:end].split("\n", 1)[0].split("#", 1)[0]
    if "+" in header:
        return end
    return start + len(text[start:end].rstrip())


def _pair(text: str, flow: bool, key: Node, value: Node) -> Item:
    if not flow and text[: key.start].rstrip(_BLANKS).endswith("?"):
        return Item(key, value)
    found = (_COLON_IN_FLOW if flow else _COLON).match(text, key.end)
    return Item(key, value, key.start, found.end() if found else None)


def _listed(text: str, flow: bool, upto: int, value: Node) -> Item:
    """The next item of a list that was read up to a place."""
    if flow:
        return Item(None, value, value.start)
    found = _DASH.match(text, upto)
    return Item(None, value, found.end() - 1, found.end()) if found else Item(None, value)


class Faraway(Exception):
    """Something is written in a way that is not edited here. `index` is where."""

    def __init__(self, index: int, message: str, remedy: str) -> None:
        super().__init__(message)
        self.index, self.message, self.remedy = index, message, remedy
