"""Ends this process at its n-th write, as a power cut or `kill -9` would: in no hook of the product, but from outside.

A write is what leaves something behind that another process can see: of a transaction the first statement that changes
something and the COMMIT; a file that is opened to be written, made durable, renamed, linked or removed; a directory; a
process that is started. Each counts before it happens. Of what `os.write` writes, half is written first. A COMMIT that
goes to a server counts twice: before it is sent, and when it is on its way and nobody hears the answer.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from typing import Any

import psycopg

READS = ("SELECT", "PRAGMA", "BEGIN", "ROLLBACK", "SAVEPOINT", "RELEASE", "EXPLAIN", "WITH", "--", "SET", "LISTEN")
HEART = "heart"
"""The thread that shows that the process lives, and changes nothing else: how often is a matter of time."""
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
        self._changing: set[object] = set()
        """The connections in whose transactions something was changed."""

    def install(self) -> None:
        """Begin to count. This cannot be undone: it is for a process that ends soon."""
        sys.addaudithook(self._heard)
        written, settled, connected = os.write, os.fsync, sqlite3.dbapi2.connect

        def connect(*arguments: Any, **named: Any) -> sqlite3.Connection:
            made = connected(*arguments, **named)
            made.set_trace_callback(lambda statement: self._stated("file", statement))
            return made

        def write(file: int, content: Any) -> int:
            if self._own(file):
                self._point(f"write {len(content)}", lambda: written(file, bytes(content)[: len(content) // 2]))
            return written(file, content)

        def fsync(file: int) -> None:
            self._point("fsync")
            settled(file)

        os.write, os.fsync, sqlite3.dbapi2.connect = write, fsync, connect  # type: ignore[assignment]
        self._listen_to_postgresql()

    def _listen_to_postgresql(self) -> None:
        execute, executemany = psycopg.Cursor.execute, psycopg.Cursor.executemany
        commit = psycopg.Connection.commit

        def executing(cursor: Any, query: Any, *arguments: Any, **named: Any) -> Any:
            self._stated(cursor.connection, str(query))
            return execute(cursor, query, *arguments, **named)

        def executing_many(cursor: Any, query: Any, *arguments: Any, **named: Any) -> Any:
            self._stated(cursor.connection, str(query))
            return executemany(cursor, query, *arguments, **named)

        def committing(connection: Any) -> None:
            if connection in self._changing:
                self._stated(connection, "COMMIT")
                self._point("COMMIT is sent", lambda: connection.pgconn.send_query(b"COMMIT"))
            commit(connection)

        psycopg.Cursor.execute = executing  # type: ignore[method-assign]
        psycopg.Cursor.executemany = executing_many  # type: ignore[method-assign]
        psycopg.Connection.commit = committing  # type: ignore[method-assign]

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if flags & WRITING and self._concerns(path):
                self._point(f"open {os.path.basename(os.fsdecode(path))}")
        elif event in EVENTS and (event == "subprocess.Popen" or any(map(self._concerns, arguments))):
            self._point(event)

    def _stated(self, connection: object, statement: str) -> None:
        said = statement.lstrip().upper()
        if said.startswith(READS) or threading.current_thread().name == HEART:
            return
        first = connection not in self._changing
        if said.startswith("COMMIT"):
            self._changing.discard(connection)
            self._point(said[:60])
        elif first:
            self._changing.add(connection)
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
