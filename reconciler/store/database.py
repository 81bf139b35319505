"""How is the store reached, and what is one transaction?

The only place that knows which database it is. A `Transaction` gathers ledger entries and writes them with
everything else, so that a cycle is one commit: all of it happened, or none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc, pool
from sqlalchemy.engine import make_url

from reconciler.errors import StoreError
from reconciler.store import tables
from reconciler.store.statements import Prepared

BUSY_MILLISECONDS = 30_000
CACHE_KILOBYTES = 16_000
_NOTE = Prepared(tables.ledger.insert())


@dataclass(slots=True)
class Transaction:
    """One write transaction. Facts noted with `note` reach the ledger when it commits."""

    connection: Connection
    entries: list[dict[str, Any]] = field(default_factory=list)

    def note(
        self,
        kind: str,
        at: datetime,
        body: dict[str, Any],
        *,
        app: str | None = None,
        environment: str | None = None,
        subject: str | None = None,
        actor: str = "reconciler",
    ) -> None:
        """Add a fact to the ledger. `at` is UTC; `body` must be JSON and hold no secret value."""
        self.entries.append(
            {
                "kind": kind,
                "at": at,
                "app": app,
                "environment": environment,
                "subject": subject,
                "actor": actor,
                "body": body,
            }
        )

    def flush(self) -> None:
        """Write the gathered facts."""
        _NOTE.each(self.connection, self.entries)
        self.entries.clear()


class Database:
    """A store at an address such as `sqlite:///state/reconciler.db`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state and writes nothing."""
        with _said(self.engine), self.engine.connect() as connection:
            _begin(connection, "BEGIN")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One transaction: committed at the end, rolled back when anything is raised."""
        with _said(self.engine), self.engine.begin() as connection:
            _begin(connection, "BEGIN IMMEDIATE")
            transaction = Transaction(connection)
            yield transaction
            transaction.flush()

    @contextmanager
    def rehearse(self) -> Iterator[Transaction]:
        """A transaction that never commits: what would happen, seen with the very code that makes it happen."""
        with _said(self.engine), self.engine.connect() as connection:
            outer = connection.begin()
            try:
                _begin(connection, "BEGIN IMMEDIATE")
                yield Transaction(connection)
            finally:
                outer.rollback()

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


@contextmanager
def _said(engine: Engine) -> Iterator[None]:
    """Turn the driver's errors into ours, without passwords."""
    try:
        yield
    except (exc.DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
        where = engine.url.render_as_string(hide_password=True)
        cause = next(iter(str(getattr(error, "orig", error)).splitlines()), type(error).__name__)
        raise StoreError(f"the store at {where} does not answer: {cause}", "tried again with the next cycle") from error


def _engine(url: str) -> Engine:
    try:
        address = make_url(url)
    except exc.ArgumentError as error:
        raise StoreError("the store's address cannot be read", "write it like sqlite:///state/reconciler.db") from error
    if address.get_backend_name() != "sqlite":
        tables.partial_in_postgresql()
        try:
            return create_engine(address)
        except (exc.ArgumentError, ImportError) as error:
            raise StoreError(
                f"there is no driver for a store at {address.get_backend_name()}://…: {error}",
                "use sqlite:/// or postgresql://, the latter with reconciler[postgres] installed",
            ) from error
    if address.database in (None, "", ":memory:"):
        engine = create_engine(address, poolclass=pool.StaticPool, connect_args={"check_same_thread": False})
    else:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(address, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # Python's driver begins transactions late and only for some statements; we say BEGIN ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute(f"PRAGMA cache_size=-{CACHE_KILOBYTES}")
    cursor.close()


def _begin(connection: Connection, how: str) -> None:
    """Begin in SQLite. A writer takes the lock at once: a reader that upgrades later could find its view outdated.

    Said here and not in a listener for `begin`: any listener on the engine makes every statement slower.
    """
    if connection.dialect.name == "sqlite":
        connection.connection.cursor().execute(how)
