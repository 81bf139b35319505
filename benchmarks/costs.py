"""What does an app-environment cost in rows, bytes, files and memory, and what one more deployment of it?

The figures that `scale` computes with.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.repository import publish
from benchmarks.stores import Asking
from benchmarks.world import World, now
from reconciler.store import tables


def _figure(size: int, what: str, value: float, unit: str) -> Figure:
    return Figure(section="costs", name="store", size=size, what=what, value=value, unit=unit)


def held(world: World) -> list[Figure]:
    """What everything takes once all that was asked for runs: taken before anything else changes."""
    size = world.size
    rows = _rows(world)
    released = sum(len(directories) + len(files) for _, directories, files in os.walk(world.state / "releases"))
    return [
        _figure(size, "rows in the store, for each app-environment", sum(rows.values()) / size, ""),
        _figure(size, "bytes in the store, for each app-environment", _bytes(world) / size, "B"),
        _figure(size, "bytes of the mirror, for each app-environment", _tree(world.state / "mirror.git") / size, "B"),
        _figure(size, "files and directories of its first release", released / size, ""),
    ]


def held_in_postgres(world: World) -> list[Figure]:
    """The same, of what lies in PostgreSQL."""
    store = Asking(world.store)
    try:
        size = int(store.one("SELECT pg_database_size(current_database())"))
    finally:
        store.close()
    what = "bytes in PostgreSQL, for each app-environment"
    return [Figure(section="costs", name="held", size=world.size, what=what, value=size / world.size, unit="B")]


def log_of_postgres(world: World) -> int:
    """Where the write-ahead log of the server stands, in bytes; 0 where the store is no PostgreSQL."""
    if not world.store.startswith("postgresql"):
        return 0
    store = Asking(world.store)
    try:
        return int(store.one("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))
    finally:
        store.close()


def of_a_change(world: World) -> list[Figure]:
    """What each further deployment leaves behind, and what it writes: over the changes of one app each."""
    corpus = world.corpus
    rows, before, written = sum(_rows(world).values()), _bytes(world), 0
    mirrored = _tree(world.state / "mirror.git")
    with world.running() as found:
        found.daemon.settle()
        for _, commit in corpus.small:
            _empty_log(world)
            publish(corpus.home, commit)
            found.following.mirror.fetch()
            turn = found.cycle.turn(now())
            assert turn.commits == 1, turn
            found.daemon.settle()
            written += _log(world).stat().st_size
    count = len(corpus.small)
    what = "of a deployment: one app changed in one commit"
    return [
        _change(world.size, f"rows {what}", (sum(_rows(world).values()) - rows) / count, ""),
        _change(world.size, f"bytes in the store {what}", max(_bytes(world) - before, 0) / count, "B"),
        _change(world.size, f"bytes written to the store's log {what}", written / count, "B"),
        _change(world.size, f"bytes in the mirror {what}", (_tree(world.state / "mirror.git") - mirrored) / count, "B"),
    ]


def _log(world: World) -> Path:
    """SQLite's write-ahead log."""
    return world.state / "reconciler.db-wal"


def _empty_log(world: World) -> None:
    """Bring what is in the log into the store, so that its size afterwards is what one change wrote."""
    connection = sqlite3.connect(world.state / "reconciler.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _change(size: int, what: str, value: float, unit: str) -> Figure:
    return Figure(section="costs", name="deployment", size=size, what=what, value=value, unit=unit)


def _rows(world: World) -> dict[str, int]:
    """How many rows each table has."""
    store = Asking(world.store)
    try:
        return {name: int(store.one(f'SELECT count(*) FROM "{name}"')) for name in tables.metadata.tables}
    finally:
        store.close()


def _bytes(world: World) -> int:
    """What the store holds, free pages left out."""
    store = Asking(world.store)
    try:
        pages = int(store.one("PRAGMA page_count")) - int(store.one("PRAGMA freelist_count"))
        return pages * int(store.one("PRAGMA page_size"))
    finally:
        store.close()


def _tree(place: Path) -> int:
    """Bytes of the files below a directory."""
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
