"""In which database do the tests' stores lie? In SQLite, unless `TESTS_STORE=postgresql` says otherwise.

TESTS_STORE=postgresql python -m pytest tests/integration tests/properties tests/e2e
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy.engine import make_url

from reconciler.store import tables
from reconciler.store.database import Database
from tests.postgres import empty_database, in_a_hurry, started, tell

IN_POSTGRESQL = os.environ.get("TESTS_STORE") == "postgresql"
_servers: dict[int, Any] = {}


def store_url(directory: Path) -> str:
    """The address of a store of one's own, which is empty."""
    if not IN_POSTGRESQL:
        return f"sqlite:///{directory}/state/reconciler.db"
    return empty_database(_server().get_uri())


def lose(state: dict[str, Any], directory: Path) -> None:
    """The store that these settings name is gone; an empty one takes its place."""
    file = Database.file(state["url"])
    if file is None:
        state["url"] = store_url(directory)
        return
    for path in file.parent.glob(f"{file.name}*"):
        path.unlink()


def content(url: str) -> bytes:
    """All that a store holds: the bytes of its files, what is not used any more as well; or every row."""
    file = Database.file(url)
    if file is not None:
        return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    store = Database(url)
    try:
        with store.read() as connection:
            found = [connection.execute(table.select()).all() for table in tables.metadata.sorted_tables]
    finally:
        store.close()
    return repr(found).encode()


class Kept:
    """A store's database as it was at one moment, to begin with again; nothing where the store is a file."""

    def __init__(self, url: str) -> None:
        """Nobody may use the store meanwhile."""
        self._url = make_url(url)
        self._copy = f"kept_{uuid4().hex[:12]}" if Database.file(url) is None else None
        if self._copy:
            tell(_server().get_uri(), f"CREATE DATABASE {self._copy} TEMPLATE {self._url.database}")

    def put_back(self) -> None:
        """The store is what it was; whoever has a session with it loses that."""
        if self._copy:
            tell(_server().get_uri(), f"DROP DATABASE {self._url.database} WITH (FORCE)")
            tell(_server().get_uri(), f"CREATE DATABASE {self._url.database} TEMPLATE {self._copy}")

    def forget(self) -> None:
        """The copy is not needed any more."""
        if self._copy:
            tell(_server().get_uri(), f"DROP DATABASE {self._copy}")


def _server() -> Any:
    """One server for each process of the tests, until that ends."""
    known = _servers.get(os.getpid())
    if known is not None:
        return known
    place = tempfile.mkdtemp(prefix="reconciler-tests-")
    made = _servers[os.getpid()] = started(Path(place) / "data")
    in_a_hurry(made.get_uri())
    owner = os.getpid()

    def end() -> None:
        if os.getpid() == owner:
            made.cleanup()
            shutil.rmtree(place, ignore_errors=True)

    atexit.register(end)
    return made
