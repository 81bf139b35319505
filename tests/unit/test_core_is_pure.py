"""Does the core stay free of what import contracts cannot see: `open`, `print`, paths that touch a disk?"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import reconciler

PACKAGE = Path(reconciler.__file__).parent
CORE = ("model", "schedule", "manifest", "desired", "planner", "words")
IMPURE_BUILTINS = {"breakpoint", "eval", "exec", "input", "open", "print", "__import__"}
PURE_PATHS = {"PurePath", "PurePosixPath"}


def files_of(room: str) -> list[Path]:
    """A room is one module, or a package of them."""
    module = (PACKAGE / room).with_suffix(".py")
    return [module] if module.is_file() else sorted((PACKAGE / room).rglob("*.py"))


def impurities(source: str) -> Iterator[str]:
    """What in a source text could reach outside, as `line: what`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_BUILTINS:
                yield f"{node.lineno}: {name}()"
            case ast.Import(names=names) if any(alias.name == "pathlib" for alias in names):
                yield f"{node.lineno}: import pathlib"
            case ast.ImportFrom(module="pathlib", names=names):
                yield from (f"{node.lineno}: {alias.name}" for alias in names if alias.name not in PURE_PATHS)
            case ast.ImportFrom(module="io", names=names) if any(alias.name == "open" for alias in names):
                yield f"{node.lineno}: io.open"


@pytest.mark.parametrize("room", CORE)
def test_every_room_of_the_core_is_looked_at(room: str) -> None:
    assert files_of(room)


@pytest.mark.parametrize("room", CORE)
def test_the_core_reaches_nothing_outside(room: str) -> None:
    found = {file.name: list(impurities(file.read_text())) for file in files_of(room)}
    assert {name: reached for name, reached in found.items() if reached} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("open('x')", ["1: open()"]),
        ("from pathlib import Path, PurePosixPath", ["1: Path"]),
        ("import pathlib", ["1: import pathlib"]),
        ("stream.open()\nopened = 1", []),
    ],
)
def test_impurities_are_found(source: str, found: list[str]) -> None:
    assert list(impurities(source)) == found
