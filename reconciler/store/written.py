"""What does git declare, with each manifest as the text that it is recorded as?

For whoever takes in many of them at once: texts are compared and recorded again as they are, and only what has to be
understood is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, exists, select, type_coerce

from reconciler.store import tables
from reconciler.store.declared import chunks
from reconciler.store.statements import Among
from reconciler.store.types import WrittenJson

_A, _D = tables.apps.c, tables.declarations.c


def _columns(table: Table) -> list[ColumnElement[Any]]:
    return [
        type_coerce(column, WrittenJson).label("document") if column.name == "document" else column
        for column in table.c
    ]


_IN_FILES = Among(select(*_columns(tables.declarations)), _D.path)
_NAMED = select(*_columns(tables.declarations)).where(_D.kind == bindparam("of_kind")).order_by(_D.path, _D.ordinal)
_NAMED_SO = Among(_NAMED, _D.name)
_DEPENDS = exists().where(tables.dependencies.c.app == _A.name).label("depends")
_APPS = Among(select(*_columns(tables.apps), _DEPENDS), _A.name)


def in_files(connection: Connection, paths: Iterable[str]) -> list[Any]:
    """Rows of what these files declare: path, ordinal, kind, name, document, base, and the bundle that an app names."""
    return [row for part in chunks(paths) for row in _IN_FILES.run(connection, part)]


def named(connection: Connection, kind: str, names: Iterable[str]) -> dict[str, list[Any]]:
    """Rows of the declarations of each name of a kind, in order of place."""
    found: dict[str, list[Any]] = {}
    for part in chunks(names):
        for row in _NAMED_SO.run(connection, part, of_kind=kind):
            found.setdefault(row.name, []).append(row)
    return found


def apps(connection: Connection, names: Iterable[str]) -> dict[str, Any]:
    """Rows of apps by name; `depends` says whether an app is recorded as one that depends on others."""
    return {row.name: row for part in chunks(names) for row in _APPS.run(connection, part)}
