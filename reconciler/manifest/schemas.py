"""How does an editor know what a manifest may hold?

JSON Schemas of draft 2020-12, made from the declarations in `model`, so that they accept what `parse` accepts.
What takes more than a shape to judge (instants, percentages, names that exist) no schema can say.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from reconciler.manifest.kinds import KINDS, adapter
from reconciler.manifest.meanings import describe, shapes_of
from reconciler.manifest.walk import Field

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FRONT = ["apiVersion", "kind"]


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of one kind, a fresh copy. Raises KeyError for an unknown kind."""
    return {"$schema": DIALECT, **deepcopy(_made(kind, described=True))}


def combined() -> dict[str, Any]:
    """One JSON Schema for every manifest: exactly one of the kinds."""
    _, definitions = TypeAdapter.json_schemas([(kind, "validation", adapter(kind)) for kind in sorted(KINDS)])
    together = definitions["$defs"]
    for kind in KINDS:
        _ask_for_front(together[kind])
    describe(together, {name: shape for kind in KINDS.values() for name, shape in shapes_of(kind).items()})
    _close(together)
    return {
        "$schema": DIALECT,
        "title": "A manifest of reconciler/v1",
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in sorted(KINDS)],
        "$defs": together,
    }


def keys_at(kind: str, field: Field) -> list[str]:
    """The keys that a mapping at `field` of a manifest may have, in order; [] where any key may stand."""
    nodes = [_made(kind)]
    for step in field:
        nodes = [inner for node in nodes for inner in _inner(node, step, kind)]
    shapes = [shape for node in nodes for shape in _alternatives(node, kind)]
    return list(dict.fromkeys(key for shape in shapes for key in shape.get("properties", {})))


@cache
def _made(kind: str, *, described: bool = False) -> dict[str, Any]:
    made = adapter(kind).json_schema()
    _ask_for_front(made)
    if described:
        describe({kind: made, **made.get("$defs", {})}, shapes_of(KINDS[kind]))
    _close(made)
    return made


def _ask_for_front(made: dict[str, Any]) -> None:
    # The declarations have defaults for these two, which tests and tools like; a document has to have them.
    made["required"] = list(dict.fromkeys([*_FRONT, *made.get("required", [])]))
    for name in _FRONT:
        made["properties"][name].pop("default", None)


def _close(node: Any) -> None:
    """Where keys follow a pattern, no others may stand."""
    if isinstance(node, dict):
        if "patternProperties" in node:
            node["additionalProperties"] = False
        for inner in node.values():
            _close(inner)
    elif isinstance(node, list):
        for inner in node:
            _close(inner)


def _inner(node: dict[str, Any], step: str | int, kind: str) -> Iterator[dict[str, Any]]:
    for shape in _alternatives(node, kind):
        if isinstance(step, int):
            yield from [shape["items"]] if "items" in shape else []
        elif step in shape.get("properties", {}):
            yield shape["properties"][step]
        else:
            yield from shape.get("patternProperties", {}).values()


def _alternatives(node: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    if "$ref" in node:
        yield from _alternatives(_made(kind)["$defs"][node["$ref"].rpartition("/")[2]], kind)
        return
    for inner in node.get("anyOf", [node]):
        if inner is node:
            yield node
        else:
            yield from _alternatives(inner, kind)
