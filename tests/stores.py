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

from tests.postgres import empty_database, started

IN_POSTGRESQL = os.environ.get("TESTS_STORE") == "postgresql"
_servers: dict[int, Any] = {}


def store_url(directory: Path) -> str:
    """The address of a store of one's own, which is empty."""
    if not IN_POSTGRESQL:
        return f"sqlite:///{directory}/state/reconciler.db"
    return empty_database(_server().get_uri())


def _server() -> Any:
    """One server for each process of the tests, until that ends."""
    known = _servers.get(os.getpid())
    if known is not None:
        return known
    place = tempfile.mkdtemp(prefix="reconciler-tests-")
    made = _servers[os.getpid()] = started(Path(place) / "data")
    owner = os.getpid()

    def end() -> None:
        if os.getpid() == owner:
            made.cleanup()
            shutil.rmtree(place, ignore_errors=True)

    atexit.register(end)
    return made
