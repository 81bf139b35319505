"""How much does a store have to do? Statements, and the steps of SQLite's machine that they take.

The steps do not depend on how deep an index is, but on how many rows are looked at: the same work is the same number,
on any machine.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event

from reconciler.store.database import Database


@dataclass
class Work:
    """What was done while it was counted."""

    steps: int = 0
    statements: list[str] = field(default_factory=list)

    def step(self) -> int:
        """One more; SQLite goes on."""
        self.steps += 1
        return 0


@contextmanager
def counted(database: Database) -> Iterator[Work]:
    """Count what is done on this store."""
    work = Work()

    def connected(connection: sqlite3.Connection, _record: Any) -> None:
        connection.set_progress_handler(work.step, 1)
        connection.set_trace_callback(work.statements.append)

    event.listen(database.engine, "connect", connected)
    database.engine.dispose()
    with database.read():
        work.steps = 0
        work.statements.clear()
    try:
        yield work
    finally:
        event.remove(database.engine, "connect", connected)
        database.engine.dispose()
