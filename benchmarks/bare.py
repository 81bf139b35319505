"""What do a bare SQLite and a bare PostgreSQL commit cost on this machine?"""

from __future__ import annotations

from pathlib import Path

from benchmarks.figures import Figure, Times, seconds
from benchmarks.stores import RawPostgres, RawSqlite, RawStore, Server

COMMITS, BATCHES, ROWS = 200, 10, 1_000


def commits(place: Path, server: Server) -> list[Figure]:
    """One row durable, and 1,000 rows durable, in both; in turns, so that both see the same disk."""
    sqlite, postgres = RawSqlite(place / "bare.db"), RawPostgres(server.database("bare"))
    single, batch, copy = (
        {"SQLite": Times(), "PostgreSQL": Times()},
        {"SQLite": Times(), "PostgreSQL": Times()},
        Times(),
    )
    both: list[tuple[str, RawStore]] = [("SQLite", sqlite), ("PostgreSQL", postgres)]
    for _ in range(COMMITS):
        for name, store in both:
            single[name].values.append(seconds(store.commit))
    for _ in range(BATCHES):
        for name, store in both:
            batch[name].values.append(seconds(lambda store=store: store.batch(ROWS)))  # type: ignore[misc]
        copy.values.append(seconds(lambda: postgres.copy(ROWS)))
    sqlite.close()
    postgres.close()
    return [
        *(_figure(f"{name}: one row, durable", times.median, "s") for name, times in single.items()),
        *(_figure(f"{name}: rows in batches of {ROWS:,}", ROWS / times.median, "/s") for name, times in batch.items()),
        _figure(f"PostgreSQL: rows by COPY, {ROWS:,} at a time", ROWS / copy.median, "/s"),
    ]


def _figure(what: str, value: float, unit: str) -> Figure:
    return Figure(section="bare", name="commits", size=0, what=what, value=value, unit=unit)
