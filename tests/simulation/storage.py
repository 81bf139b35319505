"""The store in memory, and what may go wrong with any statement.

Everybody has a session of their own on one SQLite database. No simulated time passes within a transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from greenlet import getcurrent
from sqlalchemy import create_engine, pool

from reconciler.store.database import Database, Transaction
from reconciler.store.migrate import migrate
from tests.simulation.moments import Task


@cache
def _empty() -> bytes:
    """A store at the present schema, as the migrations make it."""
    database = Database("sqlite://")
    migrate(database)
    raw: Any = database.engine.raw_connection()
    found: bytes = raw.dbapi_connection.serialize()
    raw.close()
    database.close()
    return found


class Storage:
    """One database. `trouble` is what every statement that writes is answered with now, or ''."""

    def __init__(self) -> None:
        self.raw = sqlite3.connect(":memory:", isolation_level=None, cached_statements=2000)
        self.raw.deserialize(_empty())
        self.raw.execute("PRAGMA journal_mode=MEMORY")
        self.raw.execute("PRAGMA synchronous=OFF")
        self.trouble = ""
        self.ours = Session(self, None)

    def close(self) -> None:
        """Forget everything."""
        self.raw.close()


class Session:
    """One process's connection, as far as SQLAlchemy and the daemon use one.

    `hook` is called at each statement with its number, and before and after each commit with -1 and -2.
    """

    isolation_level: Any = None
    in_transaction = False

    def __init__(self, storage: Storage, check: Callable[[], None] | None) -> None:
        self.storage = storage
        self.check = check
        self.cut_off = False
        self.statements = 0
        self.writing = False
        self.hook: Callable[[int], None] | None = None

    def cursor(self) -> _Cursor:
        """A cursor whose every statement may meet trouble."""
        made = self.storage.raw.cursor(_Cursor)
        made.session = self
        return made

    def commit(self) -> None:
        """Commit; whoever dies right before or after it never knows which."""
        if not self.storage.raw.in_transaction:
            return
        if self.check is not None:
            self.check()
        if self.hook is not None and self.writing:
            self.hook(-1)
        self.storage.raw.commit()
        if self.hook is not None and self.writing:
            self.hook(-2)

    def rollback(self) -> None:
        """Take everything of this transaction back."""
        if self.storage.raw.in_transaction:
            self.storage.raw.rollback()

    def close(self) -> None:
        """It stays for the next time."""
        self.rollback()

    def create_function(self, *_arguments: Any, **_more: Any) -> None:
        """SQLAlchemy's functions are not used; each new one would make SQLite forget every statement."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.storage.raw, name)

    def meets(self, sql: str) -> None:
        """Trouble, if there is some."""
        if self.check is not None:
            self.check()
        self.statements += 1
        if sql.startswith("BEGIN"):
            self.writing = sql != "BEGIN"
        if self.cut_off:
            raise sqlite3.OperationalError("server closed the connection unexpectedly")
        if self.storage.trouble and self.check is not None and (self.writing or self.storage.trouble == "gone"):
            raise sqlite3.OperationalError(self.storage.trouble)
        if self.hook is not None and self.writing:
            self.hook(self.statements)


class _Cursor(sqlite3.Cursor):
    session: Session

    def execute(self, sql: str, parameters: Any = ()) -> _Cursor:  # type: ignore[override]
        self.session.meets(sql)
        return super().execute(sql, parameters)  # type: ignore[return-value]

    def executemany(self, sql: str, parameters: Any) -> _Cursor:  # type: ignore[override]
        self.session.meets(sql)
        return super().executemany(sql, parameters)  # type: ignore[return-value]


_session: list[Session] = []


def _connected() -> Any:
    task = getcurrent()
    return task.process.session if isinstance(task, Task) else _session[-1]  # type: ignore[attr-defined]


# One for all: what SQLAlchemy has made of a statement is kept with it.
_ENGINE = create_engine("sqlite://", creator=_connected, poolclass=pool.NullPool)


class SimulatedDatabase(Database):
    """The daemon's own database, on a session of this process."""

    def __init__(self, storage: Storage, told: Callable[[str], None]) -> None:
        super().__init__("sqlite://")
        self.engine = self._reading = _ENGINE
        self._storage = storage
        self._told = told

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One transaction; as PostgreSQL does, the others are told of it."""
        with super().write() as transaction:
            yield transaction
        if transaction.nudges:
            self._told(self.called)

    def call(self, name: str) -> None:
        """Be called so from now on."""
        self.called = name

    def close(self) -> None:
        """The session stays."""


@contextmanager
def session(found: Session) -> Iterator[None]:
    """What is asked outside of any process is asked here."""
    _session.append(found)
    try:
        yield
    finally:
        _session.pop()
