"""Has every event that the log may name its heading in docs/logs.md, and is there none without an event?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
LEVELS = {"debug", "info", "warning", "error", "exception"}
FILLED = {
    "status": ("completed", "failed", "aborted"),
    "what": ("branch", "path"),
}
"""What stands in the braces of a name that is put together."""


class Emitted(NamedTuple):
    """An event, where it is named, and the fields that are written there by name."""

    name: str
    place: str
    fields: frozenset[str]


def emitted() -> list[Emitted]:
    """The events that are named in the code."""
    found: list[Emitted] = []
    for path in sorted((ROOT / "reconciler").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and _tells(node.func):
                for name in _names(node.args[0], tree):
                    fields = {one.arg for one in node.keywords if one.arg} - {"exc_info", "bad"}
                    found.append(Emitted(name, f"{path.relative_to(ROOT)}:{node.lineno}", frozenset(fields)))
    return found


def _tells(function: ast.expr) -> bool:
    match function:
        case ast.Attribute(value=ast.Name(id="log"), attr=level):
            return level in LEVELS
        case ast.IfExp(body=body):  # (log.info if well else log.warning)(…)
            return _tells(body)
        case ast.Name(id="News"):
            return True
    return False


def _names(said: ast.expr, tree: ast.Module) -> Iterator[str]:
    match said:
        case ast.Constant(value=str(name)):
            yield name
        case ast.JoinedStr(values=parts):
            choices = [_choices(part) for part in parts]
            yield from ("".join(chosen) for chosen in product(*choices))
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*_names(body, tree), *_names(orelse, tree))
        case ast.Name(id=variable):
            for node in ast.walk(tree):
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == variable:
                    yield from _names(node.value, tree)


def _choices(part: ast.expr) -> tuple[str, ...]:
    match part:
        case ast.Constant(value=str(text)):
            return (text,)
        case ast.FormattedValue(value=ast.Attribute(attr=name)):
            return FILLED[name]
    raise AssertionError(f"who reads {ast.unparse(part)}?")


def documented() -> dict[str, str]:
    """What is said of each event."""
    page = (ROOT / "docs" / "logs.md").read_text(encoding="utf-8")
    parts = re.split(r"^##+ ", page, flags=re.MULTILINE)
    told = [re.match(r"`([^`]+)`\n\n(.*)", part, re.DOTALL) for part in parts]
    names = [one.group(1) for one in told if one]
    assert len(set(names)) == len(names)
    return {one.group(1): one.group(2) for one in told if one}


def test_every_event_has_its_heading_and_every_heading_its_event():
    there, told = emitted(), documented()
    assert {one.name: one.place for one in there if one.name not in told} == {}
    assert set(told) - {one.name for one in there} == set()


def test_every_field_is_named_with_its_event():
    told = documented()
    missing = {one: one.fields - set(re.findall(r"`(\w+)`", told.get(one.name, ""))) for one in emitted()}
    assert {one.name: sorted(fields) for one, fields in missing.items() if fields} == {}


def test_names_that_are_put_together_are_found():
    assert {"deployment.failed", "branch.missing", "path.found", "turn.failed", "git.unreachable"} <= {
        one.name for one in emitted()
    }
