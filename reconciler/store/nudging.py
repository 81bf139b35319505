"""Has another process written something to the store?

PostgreSQL tells; SQLite does not, and needs not, since one daemon is alone there. What is told means `look`, and
nothing depends on having heard it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import exc

from reconciler import telemetry
from reconciler.store.database import CHANNEL, Database

log = telemetry.logger("store")

LOOK = 1.0
"""So many seconds one wait for news takes at the most, so that an end is noticed."""
PAUSE = 2.0


class Listener:
    """A thread that hears of what others write; `heard` is called for it, and when it begins to hear again."""

    def __init__(self, database: Database, heard: Callable[[], None]) -> None:
        self._database = database
        self._heard = heard
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen, where there is something to hear."""
        if self._database.is_shared:
            self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=2 * LOOK)

    def _listen(self) -> None:
        failed = False
        while not self._stopping.is_set():
            try:
                self._hear()
                failed = False
            except (exc.DBAPIError, self._database.engine.dialect.loaded_dbapi.Error) as error:
                if not failed:
                    log.warning("listen.failed", error=str(error).splitlines()[0], next="others are polled meanwhile")
                failed = True
                self._stopping.wait(PAUSE)

    def _hear(self) -> None:
        # Not one of the pool's: it is never given back.
        raw: Any = self._database.engine.raw_connection()
        raw.detach()
        try:
            connection = raw.dbapi_connection
            connection.autocommit = True
            connection.execute(f"LISTEN {CHANNEL}")
            self._heard()  # of what was written before
            while not self._stopping.is_set():
                for note in connection.notifies(timeout=LOOK, stop_after=1):
                    if note.payload != self._database.called:
                        self._heard()
        finally:
            raw.close()
