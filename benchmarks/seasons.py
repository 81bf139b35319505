"""Many seasons begin at the same instant: when have all apps changed over, and how late is the latest?"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from benchmarks.figures import Figure
from benchmarks.repository import Writer, publish
from benchmarks.world import World, now

AHEAD = timedelta(seconds=12)
LENGTH = timedelta(days=1)
MOST = 10.0


def edges(world: World) -> list[Figure]:
    """One season for each of 1,000 apps, or of all; written while the daemon runs, noted before they begin."""
    corpus, count = world.corpus, len(world.corpus.many)
    world.advance(corpus.rounds[-1].back)
    with world.daemon() as watcher:
        instant = (now() + AHEAD).replace(microsecond=0)
        with Writer(corpus.home, after=corpus.rounds[-1].back) as writer:
            commit = writer.seasons(corpus.many, instant, instant + LENGTH)
        before = watcher.newest()
        publish(corpus.home, commit)
        while not watcher.store.rows('SELECT 1 FROM commits WHERE "id" = ?', (commit,)):
            assert now() < instant, "the seasons were not noted before they began: the measure says nothing"
            time.sleep(0.05)
        assert watcher.count(before) == 0, "something was released before the seasons began"
        watcher.all_completed(before, count)
        query = "SELECT cause, max(finished_at), max(late_by_seconds), count(*) FROM deployments WHERE sequence > ?"
        rows = watcher.store.rows(f"{query} GROUP BY cause", (before,))
    ((cause, last, begun_late, released),) = rows
    assert (cause, released) == ("season-start", count), rows
    late = (_moment(last) - instant).total_seconds()
    return [
        Figure(
            section="shown",
            name="seasons",
            size=world.size,
            what=f"{count:,} season edges at one instant: the last has completed after",
            value=late,
            unit="s",
            bound=MOST,
        ),
        Figure(
            section="shown",
            name="seasons",
            size=world.size,
            what="and none was begun later than",
            value=float(begun_late or 0.0),
            unit="s",
            bound=MOST,
        ),
    ]


def _moment(recorded: object) -> datetime:
    """A moment as the store has it: microseconds since 1970."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(str(recorded)))
