"""How does a person look up what a manifest may hold?

The reference in Markdown, made from the JSON Schemas and so from the declarations: it cannot fall behind them.
Guides, which explain why, are written by hand elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from reconciler.manifest.kinds import KINDS
from reconciler.manifest.meanings import shapes_of
from reconciler.manifest.schemas import schema
from reconciler.model import app, references, shape

_ORDER = ("Environment", "App", "AppSet", "Group", "Season", "Freeze", "Resource", "Alert")
_PATTERNS = {
    shape.NAME_PATTERN: "name",
    shape.LINE_PATTERN: "text",
    shape.PROSE_PATTERN: "text, perhaps of several lines",
    references.REFERENCE_PATTERN: "version: `1.4.0`, `v12`, a digest or `commit:<sha>`",
    app.VERSION_PATTERN: "text such as `1.4.0`",
    app.VARIABLE_PATTERN: "name of a variable",
    app.SOURCE_PATTERN: "`env:NAME` or `file:PATH`",
}
_ANYTHING = "any JSON"
_INTRODUCTION = """\
# Manifests

Every `*.yaml` and `*.yml` below the followed path is read, several documents to a file. A document is a manifest when
its `apiVersion` is `reconciler/v1`; other YAML is left alone. Files in a directory that an App names as its bundle are
content; links that lead out of it, and submodules in it, are released by no target, which `validate` tells.

- A **name** has letters, digits, `.`, `_` and `-`, begins with a letter or a digit, and has at most 100 of them.
- A **duration** is a number and a unit, from large to small: `90s`, `15m`, `2h`, `7d`, `1h30m`.
- An **instant** is ISO 8601 with an offset, `2026-12-01T09:00+01:00`, or a wall time with a `timezone`. A wall time
  that a clock change skips means the first instant after it, one that occurs twice the first of the two.
- A **cron** has five fields and follows the clocks of its zone: it pauses while an hour is shown again.
- YAML is read by the core schema of 1.2: without quotes, `true` and `12` are no texts, `no` and `2026-12-01` are. Since
  other tools read these differently, quotes are asked for where a text belongs. In `config` any JSON value may stand.
- Aliases work; merge keys (`<<`), tags, duplicate keys and keys that are no texts are refused, and so are files over
  1 MiB, more than 100 levels and more than 100,000 values.

"""


def reference() -> str:
    """The reference of every kind as one Markdown document; a shape that several kinds have is told once."""
    parts = _parts()
    places = {part.shape: part.title for part in reversed(parts)}
    return "\n".join([_INTRODUCTION, *(_section(part, places) for part in parts)]).rstrip() + "\n"


class _Part(NamedTuple):
    """One shape, where it stands in a manifest, and its schema."""

    kind: str
    at: tuple[str, ...]
    shape: str
    schema: dict[str, Any]

    @property
    def title(self) -> str:
        return f"{self.kind}: `{'.'.join(self.at)}`" if self.at else self.kind


def _parts() -> list[_Part]:
    parts: list[_Part] = []
    for kind in _ORDER:
        made = schema(kind)
        ahead = [_Part(kind, (), kind, made)]
        while ahead:
            part = ahead.pop(0)
            if all(part.shape != told.shape for told in parts):
                parts.append(part)
                ahead = [_Part(kind, at, name, made["$defs"][name]) for at, name in _deeper(part)] + ahead
    return parts


def _section(part: _Part, places: dict[str, str]) -> str:
    level = "###" if part.at else "##"
    rows = ["| key | takes | when left out | |", "|---|---|---|---|"]
    for key in _keys(part):
        value = part.schema["properties"][key]
        meaning = " ".join(value.get("description", "").split())
        rows.append(f"| `{key}` | {_takes(value, places)} | {_default(key, value, part.schema)} | {meaning} |")
    table = "\n".join(row.replace("  ", " ") for row in rows)
    return f"{level} {part.title}\n\n{part.schema['description']}\n\n{table}\n"


def _keys(part: _Part) -> list[str]:
    """The keys of a shape in the order in which it declares them."""
    fields: dict[str, Any] = shapes_of(KINDS[part.kind])[part.shape].__pydantic_fields__
    return [info.alias or name for name, info in fields.items()]


def _deeper(part: _Part) -> Iterator[tuple[tuple[str, ...], str]]:
    for key in _keys(part):
        yield from _shapes(part.schema["properties"][key], (*part.at, key))


def _shapes(value: dict[str, Any], at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if "$ref" in value:
        yield at, _ref(value)
    for inner in value.get("anyOf", ()):
        yield from _shapes(inner, at)
    for inner in value.get("patternProperties", {}).values():
        yield from _shapes(inner, (*at, "*"))
    if "items" in value:
        yield from _shapes(value["items"], at)


def _ref(value: dict[str, Any]) -> str:
    return str(value["$ref"]).rpartition("/")[2]


def _takes(value: dict[str, Any], places: dict[str, str]) -> str:
    if "anyOf" in value:
        return " or ".join(_takes(inner, places) for inner in value["anyOf"] if inner.get("type") != "null")
    if "const" in value or "enum" in value:
        return " or ".join(f"`{word}`" for word in value.get("enum", [value.get("const")]))
    if "$ref" in value:
        return f"[mapping](#{_anchor(places[_ref(value)])})"
    match value.get("type"):
        case "array":
            return f"list of {_takes(value['items'], places)}"
        case "object":
            inner = [_takes(part, places) for part in value.get("patternProperties", {}).values()]
            return f"mapping of names to {inner[0]}" if inner and inner[0] != _ANYTHING else "mapping"
        case "boolean":
            return "`true` or `false`"
        case "string":
            return _string(value)
        case "integer" | "number":
            return _number(value)
        case _:
            return _ANYTHING


def _anchor(title: str) -> str:
    """How forges name a heading in its address."""
    return "".join(letter for letter in title.lower().replace(" ", "-") if letter.isalnum() or letter in "-_")


def _string(value: dict[str, Any]) -> str:
    if "examples" in value:
        return "such as " + " or ".join(f"`{one}`" for one in value["examples"][:2])
    return _PATTERNS.get(value.get("pattern", ""), "text")


def _number(value: dict[str, Any]) -> str:
    what = "whole number" if value["type"] == "integer" else "number"
    return f"{what} from {value['minimum']} to {value['maximum']}" if "minimum" in value else what


def _default(key: str, value: dict[str, Any], node: dict[str, Any]) -> str:
    if key in node.get("required", ()):
        return "**required**"
    default = value.get("default")
    return f"`{json.dumps(default).strip(chr(34))}`" if default not in (None, [], {}) else ""
