"""How is the store reached, and what is one transaction?

The only place that knows which database it is. A `Transaction` gathers ledger entries and writes them with
everything else, so that a cycle is one commit: all of it happened, or none. Writers stand in line, in SQLite and in
PostgreSQL alike: what one has looked at stays so until it commits.
"""

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc, func, pool, select, text
from sqlalchemy.engine import URL, make_url

from reconciler.errors import StoreError, StoreRefuses
from reconciler.store import tables
from reconciler.store.statements import Prepared
from reconciler.store.traces import Noting, asking_first

BUSY_MILLISECONDS = 30_000
CACHE_KILOBYTES = 16_000
_FILE = "the file that was opened"
CHANNEL = "reconciler"
"""Where PostgreSQL tells other processes that something was written."""
LINE = 7_301_881
"""The advisory lock that writers in PostgreSQL stand in line for; any number that nobody else takes."""
_OF_A_SESSION = {
    # Whoever cannot be reached must be noticed within seconds, and not within hours.
    "connect_timeout": "5",
    # Texts are texts, whatever encoding the database was made with.
    "client_encoding": "utf8",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
# A driver that is not let in has no code for why: only the server's words. In another language it is waited for.
_REFUSED = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|is not permitted to log in"
    r"|(?:role|database) \".*\" does not exist|permission denied for database"
)
_CORRECT = "correct the number or text that is too large, where it was asked for or declared"
_NOTE = Prepared(tables.ledger.insert())


@dataclass(slots=True)
class Transaction:
    """One write transaction. Facts noted with `note` reach the ledger when it commits."""

    connection: Connection
    entries: list[dict[str, Any]] = field(default_factory=list)
    nudges: bool = False
    """Whether other processes are to look once it is committed; every fact makes them."""

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
        self.nudges = True
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

    def __init__(self, url: str | URL, *, cache_kilobytes: int = CACHE_KILOBYTES) -> None:
        """`cache_kilobytes` is what each connection to a SQLite file may hold of it."""
        self.url = url
        self.engine = _engine(url, cache_kilobytes)
        self.is_shared = self.engine.dialect.name != "sqlite"
        """Whether several daemons may write to it."""
        self.guard: Callable[[Connection], object] | None = None
        """Called at the beginning of each transaction that writes: whether this process still may. It raises if not."""
        self.called = ""
        """What this process is called in the database, and in the nudges that it sends."""
        self._beside: Any = None
        self._looking = threading.Lock()
        self._reading = self.engine
        if self.is_shared:
            event.listen(self.engine, "do_connect", self._call)
            self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def read(self, before: Callable[[], None] | None = None) -> Iterator[Connection]:
        """A connection that sees one state and writes nothing. `before` is called before each question."""
        with _said(self.engine), self._reading.connect() as connection:
            _begin(connection, "BEGIN")
            with asking_first(connection, before):
                yield connection

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One transaction: committed at the end, rolled back when anything is raised.

        Raises LeaseLost when this process may write no more.
        """
        with _said(self.engine), self.engine.begin() as connection:
            _begin(connection, "BEGIN IMMEDIATE")
            if self.is_shared:
                _stand_in_line(connection)
            if self.guard is not None:
                self.guard(connection)
            transaction = Transaction(connection)
            yield transaction
            transaction.flush()
            if transaction.nudges and self.is_shared:
                # No payload but who it was: nothing depends on having heard it.
                connection.execute(select(func.pg_notify(CHANNEL, self.called)))

    @contextmanager
    def aside(self) -> Iterator[Connection]:
        """A transaction that stands in no line and is not guarded: for a single row that nobody else changes."""
        with _said(self.engine), self.engine.begin() as connection:
            _begin(connection, "BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def rehearse(self, before: Callable[[], None] | None = None) -> Iterator[Transaction]:
        """A transaction that never commits: what would happen, seen with the very code that makes it happen.

        `before` is as for `read`; what it raises ends the rehearsal.
        """
        with _said(self.engine), self.engine.connect() as connection:
            outer = connection.begin()
            try:
                _begin(connection, "BEGIN IMMEDIATE")
                with asking_first(connection, before):
                    yield Transaction(connection)
            finally:
                outer.rollback()

    @staticmethod
    def file(url: str) -> Path | None:
        """The file of a SQLite store; None for another database, for one in memory, and for what is no address."""
        try:
            address = make_url(url)
        except (exc.ArgumentError, ValueError):
            return None
        if address.get_backend_name() != "sqlite" or address.database in (None, "", ":memory:"):
            return None
        return Path(address.database)

    def call(self, name: str) -> None:
        """Be called so from now on, also with connections that are open already."""
        self.called = name
        if self.is_shared:
            _let_go(self.engine)

    def end_sessions(self, name: str) -> None:
        """End the sessions of whoever is called so: it may stand still in the midst of a transaction."""
        if self.is_shared:
            with self.aside() as connection:
                connection.execute(_END_SESSIONS, {"name": name})

    def ask(self) -> None:
        """Raise StoreError where it cannot be reached."""
        with self.read() as connection:
            connection.execute(select(1))

    def version(self) -> int | None:
        """Another number as soon as anybody has committed anything, here or in another process; it costs next to
        nothing. None where there is no such number: outside of a SQLite file. Raises StoreError.
        """
        if self.is_shared or isinstance(self.engine.pool, pool.StaticPool):
            return None
        with _said(self.engine), self._looking:
            if self._beside is None:
                # Its own: a connection does not count what it commits itself.
                self._beside = self.engine.raw_connection()
                self._beside.detach()
            # All of it: what is still to be read holds the log back.
            ((found,),) = self._beside.dbapi_connection.execute("PRAGMA data_version").fetchall()
            return int(found)

    def close(self) -> None:
        """Let go of all connections."""
        with self._looking:
            if self._beside is not None:
                self._beside.close()
                self._beside = None
        _let_go(self.engine)

    def _call(self, _dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        for name, value in (("application_name", self.called), *_OF_A_SESSION.items()):
            if value:
                parameters.setdefault(name, value)


@contextmanager
def _said(engine: Engine) -> Iterator[None]:
    """Turn the driver's errors into ours, without passwords."""
    try:
        yield
    except (exc.DBAPIError, exc.TimeoutError, engine.dialect.loaded_dbapi.Error) as error:
        if engine.dialect.name != "sqlite":
            _let_go(engine)  # the others that are open were most likely cut as well
        where = engine.url.render_as_string(hide_password=True)
        said = str(getattr(error, "orig", error))
        cause = next(iter(said.splitlines()), type(error).__name__)
        if isinstance(getattr(error, "orig", error), engine.dialect.loaded_dbapi.DataError):
            raise StoreError(f"the store at {where} cannot hold what it is given: {cause}", _CORRECT) from error
        if engine.dialect.name != "sqlite" and (refused := _REFUSED.search(said)):
            line = next(line for line in said.splitlines() if refused.group() in line)
            why = line.partition("FATAL:")[2].strip() or line
            remedy = "correct state.url, or the server's users and databases"
            raise StoreRefuses(f"the store at {where} does not let us in: {why}", remedy) from error
        raise StoreError(f"the store at {where} does not answer: {cause}", "tried again with the next cycle") from error
    except OverflowError as error:  # SQLite's driver has no error of its own for it
        if "SQLite" not in str(error):
            raise
        raise StoreError(f"the store cannot hold what it is given: {error}", _CORRECT) from error


def _let_go(engine: Engine) -> None:
    """Close all connections; those that are in use just now as soon as they are given back."""
    pool = engine.pool
    engine.dispose()
    # Not before: the engine's next pool takes over what its last one listens to, and would keep no connection.
    event.listen(pool, "checkin", lambda _, entry: entry.close())
    pool.dispose()  # what was given back in between


def _engine(url: str | URL, cache_kilobytes: int) -> Engine:
    try:
        address = make_url(url)
    except (exc.ArgumentError, ValueError) as error:
        raise StoreError("the store's address cannot be read", "write it like sqlite:///state/reconciler.db") from error
    if address.get_backend_name() != "sqlite":
        if cut_short(address):
            raise StoreError(
                "the store's address cannot be read: there is an @ too many",
                "write each @ of the user and the password as %40",
            )
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
        # The one used last is taken first: it holds the pages, and the statements are ready there.
        given = {"check_same_thread": False, "factory": Noting}
        engine = create_engine(address, connect_args=given, pool_use_lifo=True)
    event.listen(engine, "connect", lambda connection, record: _prepare_sqlite(connection, record, cache_kilobytes))
    return engine


def shown(url: str) -> str:
    """A store's address without its password."""
    try:
        address = make_url(url)
        if not cut_short(address):
            return address.render_as_string(hide_password=True)
    except (exc.ArgumentError, ValueError):
        pass
    return "an address that cannot be read"


def cut_short(address: URL) -> bool:
    """Whether a password seems to go on where it was taken to end: an @ in it has to be written otherwise."""
    return address.password is not None and "@" in f"{address.host}{address.database}"


def _prepare_sqlite(connection: Any, record: Any, cache_kilobytes: int) -> None:
    # Python's driver begins transactions late and only for some statements; we say BEGIN ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute(f"PRAGMA cache_size=-{cache_kilobytes:d}")
    cursor.close()
    record.info[_FILE] = _identity(connection.execute("PRAGMA database_list").fetchone()[2])


def _identity(file: str) -> tuple[int, int] | None:
    """Which file it is that lies there now; None where there is none."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino


_END_SESSIONS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name AND pid <> pg_backend_pid()"
)


def _stand_in_line(connection: Connection) -> None:
    """Wait until every other writer has committed; a look at the tables afterwards sees what they wrote."""
    cursor: Any = connection.connection.cursor()
    cursor.execute(f"SET LOCAL lock_timeout = {BUSY_MILLISECONDS:d}")
    cursor.execute(f"SELECT pg_advisory_xact_lock({LINE:d})")


def _begin(connection: Connection, how: str) -> None:
    """Begin in SQLite. A writer takes the lock at once: a reader that upgrades later could find its view outdated.

    Said here and not in a listener for `begin`: any listener on the engine makes every statement slower.
    """
    if connection.dialect.name == "sqlite":
        _refuse_another_file(connection)
        connection.connection.cursor().execute(how)


def _refuse_another_file(connection: Connection) -> None:
    """A store that was removed or replaced is still open here: what is written to it would be lost without a word."""
    opened, file = connection.info.get(_FILE), connection.engine.url.database
    if opened is not None and file and _identity(file) != opened:
        raise StoreError(
            f"the store at {connection.engine.url.render_as_string()} is not the file that was opened: it was removed "
            "or replaced",
            "put it back; or start the daemon again, which goes on with what is there then",
        )
