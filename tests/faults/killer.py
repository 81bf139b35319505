"""Ends this process at its n-th write, as a power cut or `kill -9` would: in no hook of the product, but from outside.

A write is what leaves something behind that another process can see: of a SQLite transaction the first statement that
changes something and the COMMIT; a file that is opened to be written, made durable, renamed, linked or removed; a
directory; a process that is started. Each counts before it happens. Of what `os.write` writes, half is written first.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from typing import Any

READS = ("SELECT", "PRAGMA", "BEGIN", "ROLLBACK", "SAVEPOINT", "RELEASE", "EXPLAIN", "WITH", "--")
EVENTS = {"os.rename", "os.symlink", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "subprocess.Popen"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Killer:
    """Counts the writes below `place` and ends the process at the n-th; with n = 0 it only counts."""

    def __init__(self, place: str, last: int) -> None:
        self.count = 0
        self.seen: list[str] = []
        self._place = place
        self._last = last
        self._lock = threading.Lock()
        self._changing = False

    def install(self) -> None:
        """Begin to count. This cannot be undone: it is for a process that ends soon."""
        sys.addaudithook(self._heard)
        written, settled, connected = os.write, os.fsync, sqlite3.dbapi2.connect

        def connect(*arguments: Any, **named: Any) -> sqlite3.Connection:
            made = connected(*arguments, **named)
            made.set_trace_callback(self._stated)
            return made

        def write(file: int, content: Any) -> int:
            if self._own(file):
                self._point(f"write {len(content)}", lambda: written(file, bytes(content)[: len(content) // 2]))
            return written(file, content)

        def fsync(file: int) -> None:
            self._point("fsync")
            settled(file)

        os.write, os.fsync, sqlite3.dbapi2.connect = write, fsync, connect  # type: ignore[assignment]

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if flags & WRITING and self._concerns(path):
                self._point(f"open {os.path.basename(os.fsdecode(path))}")
        elif event in EVENTS and (event == "subprocess.Popen" or any(map(self._concerns, arguments))):
            self._point(event)

    def _stated(self, statement: str) -> None:
        said = statement.lstrip().upper()
        if said.startswith(READS):
            return
        first, self._changing = not self._changing, not said.startswith("COMMIT")
        if first or not self._changing:
            self._point(said[:60])

    def _concerns(self, path: object) -> bool:
        return isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).startswith(self._place)

    def _own(self, file: int) -> bool:
        try:
            return os.readlink(f"/proc/self/fd/{file}").startswith(self._place)
        except OSError:
            return False

    def _point(self, what: str, half: Any = None) -> None:
        with self._lock:
            self.count += 1
            if not self._last:
                self.seen.append(what)
            if self.count == self._last:
                if half is not None:
                    half()
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()  # the signal may take another thread of this process first
