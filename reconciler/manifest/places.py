"""Where in a file does a value stand?

Asked only when there is a complaint, so nothing of it costs anything while manifests are right. libyaml composes
the text again, this time with marks; `walk` has seen by then that it is safe to compose.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from reconciler.manifest.faults import line_and_column
from reconciler.manifest.text import Reading, read
from reconciler.manifest.walk import Field

Pair = tuple[Node | None, Node]
"""A value with its key; a document and the parts of a list have none."""


class Places:
    """The places of one file's values."""

    def __init__(self, reading: Reading) -> None:
        self._text = reading.text
        self._roots = self._composed(len(reading.documents))
        self._pairs: dict[int, dict[str, Pair]] = {}

    def _composed(self, count: int) -> list[Node]:
        roots: list[Node] = []
        try:
            for _, root in zip(range(count), _compose(self._text), strict=False):
                roots.append(root)
        except yaml.YAMLError:
            return roots
        return roots

    def find(self, ordinal: int, field: Field, at_key: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of a field of a document, or of the nearest thing around it that there is.

        The value's place when it is written on one line and `at_key` is false, else its key's.
        """
        if ordinal >= len(self._roots):
            return 1, 1
        key, value = None, self._roots[ordinal]
        for step in field:
            found = self._step(value, step)
            if found is None:
                at_key = True
                break
            key, value = found
        alone = isinstance(value, ScalarNode) and value.start_mark.index < value.end_mark.index
        shown = value if key is None or (alone and not at_key) else key
        return self.place(shown.start_mark.index)

    def raw(self, ordinal: int, field: Field) -> str | None:
        """The text of a scalar as it is written, without its quotes; None for anything else."""
        value: Node | None = self._roots[ordinal] if ordinal < len(self._roots) else None
        for step in field:
            found = self._step(value, step) if value else None
            value = found[1] if found else None
        return value.value if isinstance(value, ScalarNode) else None

    def place(self, index: int) -> tuple[int, int]:
        """Line and column of an index of the text."""
        return line_and_column(self._text, index)

    def _step(self, node: Node, step: str | int) -> Pair | None:
        if isinstance(node, SequenceNode) and isinstance(step, int):
            return (None, node.value[step]) if 0 <= step < len(node.value) else None
        if isinstance(node, SequenceNode):
            # A list of names may stand for a mapping with these keys.
            return next(((None, inner) for inner in node.value if _text(inner) == step), None)
        if isinstance(node, MappingNode) and isinstance(step, str):
            return self._mapping(node).get(step)
        return None

    def _mapping(self, node: MappingNode) -> dict[str, Pair]:
        known = self._pairs.get(id(node))
        if known is None:
            known = {key.value: (key, value) for key, value in node.value if isinstance(key, ScalarNode)}
            self._pairs[id(node)] = known
        return known


def _text(node: Node) -> str | None:
    return node.value if isinstance(node, ScalarNode) else None


def _compose(text: str) -> Iterator[Node]:
    return iter(yaml.compose_all(text, yaml.CSafeLoader))


def locate(data: bytes, ordinal: int, field: Field) -> tuple[int, int]:
    """Line and column, from 1, of a field of a file's document, for complaints that are found later.

    Where there is no such field, the nearest thing around it; where there is no such document, (1, 1).
    """
    return Places(read(data)).find(ordinal, field)
