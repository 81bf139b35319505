"""How do the rows of every table come from one database into another?

As the driver has them, without a look at what they mean: both databases hold the same values (`types`). PostgreSQL is
read and written by COPY. Which database is copied when, and whether the copy is whole, is asked in `backing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from sqlalchemy import Boolean, Column, Connection, Float, Integer, Table, select, text
from sqlalchemy.types import BigInteger, TypeDecorator, TypeEngine

from reconciler.store import tables

Values = Sequence[Any]


def in_order() -> list[Table]:
    """Every table of the present schema, by name: none of them refers to another one."""
    return [tables.metadata.tables[name] for name in sorted(tables.metadata.tables)]


def copy_rows(source: Connection, target: Connection) -> dict[str, int]:
    """Copy all rows of all tables into empty ones; how many each has. Both transactions are the caller's."""
    counts = {}
    for table in in_order():
        counts[table.name] = _put(target, table, _rows(source, table))
    if target.dialect.name != "sqlite":
        _go_on_counting(target)
    return counts


def _cursor(connection: Connection) -> Any:
    return cast(Any, connection.connection.dbapi_connection).cursor()


def _names(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _rows(connection: Connection, table: Table) -> Iterator[Values]:
    asked = f'SELECT {_names(table)} FROM "{table.name}"'  # noqa: S608 - names are those of our own tables
    cursor = _cursor(connection)
    if connection.dialect.name == "sqlite":
        cursor.execute(asked)
        yield from cursor
        return
    with cursor.copy(f"COPY ({asked}) TO STDOUT (FORMAT BINARY)") as copying:
        copying.set_types([_kind(column) for column in table.columns])
        yield from copying.rows()


def _kind(column: Column[Any]) -> str:
    """What PostgreSQL calls the values of a column."""
    own: TypeEngine[Any] = column.type
    if isinstance(own, TypeDecorator):
        own = own.impl_instance
    for kind, name in ((Boolean, "bool"), (Float, "float8"), (BigInteger, "int8"), (Integer, "int4")):
        if isinstance(own, kind):
            return name
    return "text"


def _put(connection: Connection, table: Table, rows: Iterable[Values]) -> int:
    """Write rows as they come, so that memory never holds a table; how many there were."""
    counted = _Counted(rows)
    cursor = _cursor(connection)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" for _ in table.columns)
        cursor.executemany(f'INSERT INTO "{table.name}" ({_names(table)}) VALUES ({marks})', counted)  # noqa: S608
    else:
        with cursor.copy(f'COPY "{table.name}" ({_names(table)}) FROM STDIN') as copying:
            for row in counted:
                copying.write_row([_writable(value) for value in row])
    return counted.count


def _writable(value: Any) -> Any:
    """A command may print a NUL, and SQLite keeps it; PostgreSQL has no place for it in a text."""
    return value.replace("\0", "\N{SYMBOL FOR NULL}") if isinstance(value, str) and "\0" in value else value


class _Counted:
    """Rows, and how many of them have passed."""

    def __init__(self, rows: Iterable[Values]) -> None:
        self._rows = iter(rows)
        self.count = 0

    def __iter__(self) -> Iterator[Values]:
        for row in self._rows:
            self.count += 1
            yield row


def _go_on_counting(connection: Connection) -> None:
    """PostgreSQL counts beside the rows: its next number follows on the highest that came with them."""
    for table in in_order():
        column = table.autoincrement_column
        if column is None:
            continue
        highest = connection.execute(select(column).order_by(column.desc()).limit(1)).scalar()
        name = {"table": f'"{table.name}"', "column": column.name}
        sequence = connection.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), name).scalar()
        if sequence is not None and highest is not None:
            connection.execute(text("SELECT setval(:sequence, :highest)"), {"sequence": sequence, "highest": highest})
