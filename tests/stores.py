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

from reconciler.store import tables
from reconciler.store.database import Database
from tests.postgres import empty_database, started, tell

IN_POSTGRESQL = os.environ.get("TESTS_STORE") == "postgresql"
_IN_A_HURRY = ("fsync", "full_page_writes", "synchronous_commit")
"""What matters when a machine loses power, and no test of a world makes it do so."""
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


def _server() -> Any:
    """One server for each process of the tests, until that ends."""
    known = _servers.get(os.getpid())
    if known is not None:
        return known
    place = tempfile.mkdtemp(prefix="reconciler-tests-")
    made = _servers[os.getpid()] = started(Path(place) / "data")
    for setting in _IN_A_HURRY:
        tell(made.get_uri(), f"ALTER SYSTEM SET {setting} = off")
    tell(made.get_uri(), "SELECT pg_reload_conf()")
    owner = os.getpid()

    def end() -> None:
        if os.getpid() == owner:
            made.cleanup()
            shutil.rmtree(place, ignore_errors=True)

    atexit.register(end)
    return made
