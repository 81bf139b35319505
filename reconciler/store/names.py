"""Which apps are there, without reading all their names only to ask about one?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from sqlalchemy import Connection, bindparam, exists, select

from reconciler.store import tables
from reconciler.store.statements import Prepared

A = tables.apps.c
_IS_ONE = Prepared(select(exists().where(A.name == bindparam("name"))))
_ALL = Prepared(select(A.name).order_by(A.name))


class Names(Sequence[str]):
    """Every app that git has ever declared, in order: all are read once that is needed, `in` asks about one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._read: list[str] | None = None

    def __contains__(self, name: object) -> bool:
        if self._read is not None:
            return name in self._read
        return isinstance(name, str) and bool(_IS_ONE.run(self._connection, name=name).scalar())

    def __len__(self) -> int:
        return len(self._all())

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        return self._all()[at]

    def _all(self) -> list[str]:
        if self._read is None:
            self._read = _ALL.run(self._connection).scalars()
        return self._read
