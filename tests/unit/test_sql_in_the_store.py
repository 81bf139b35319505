"""Does only the store speak SQL? The other rooms ask it questions, and hold its connection and its rows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import reconciler

PACKAGE = Path(reconciler.__file__).parent
HELD = {"Connection", "Row"}


def spoken(source: str) -> Iterator[str]:
    """What a source text takes from SQLAlchemy, or of the store's tables, as `line: name`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (f"{node.lineno}: {one.name}" for one in names if one.name.startswith("sqlalchemy"))
            case ast.ImportFrom(module=str(module), names=names):
                ours = module == "sqlalchemy" or module.startswith("sqlalchemy.")
                yield from (f"{node.lineno}: {one.name}" for one in names if ours and one.name not in HELD)
                tables = [one.name for one in names if module == "reconciler.store" and one.name == "tables"]
                if tables or module.startswith("reconciler.store.tables"):
                    yield f"{node.lineno}: tables"


def test_no_other_room_makes_a_statement() -> None:
    files = [file for file in sorted(PACKAGE.rglob("*.py")) if not file.is_relative_to(PACKAGE / "store")]
    assert len(files) > 100
    found = {str(file.relative_to(PACKAGE)): list(spoken(file.read_text())) for file in files}
    assert {name: said for name, said in found.items() if said} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from sqlalchemy import Connection, Row", []),
        ("from sqlalchemy import Connection, select", ["1: select"]),
        ("def late():\n    from sqlalchemy.engine import make_url", ["2: make_url"]),
        ("import sqlalchemy as sa", ["1: sqlalchemy"]),
        ("from reconciler.store import commits, tables", ["1: tables"]),
        ("from reconciler.store.tables import metadata", ["1: tables"]),
    ],
)
def test_statements_are_found(source: str, found: list[str]) -> None:
    assert list(spoken(source)) == found
