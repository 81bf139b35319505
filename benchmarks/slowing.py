"""Is reconciling slowed by readers? One push, and a commit that changes 200 apps, with them and without, by turns."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks import beside
from benchmarks.beside import Listening
from benchmarks.figures import Figure, Times
from benchmarks.readers import Readers, Wanted
from benchmarks.repository import Placed, Writer, publish
from benchmarks.world import Watcher, World

BLOCKS, PUSHES, SEVERAL = 10, 6, 200
"""Turns with and without readers, one push after another in each of them, and how many apps its last commit changes."""
MOST, LEAST = 1.1, 0.9
APART = 0.3
"""Seconds between two pushes: people merge, and what follows one another at once is the commit of several."""
SETTLED = 1.0
"""Seconds that readers read before something is timed, and that the machine rests when they end."""


@dataclass(frozen=True, slots=True)
class Block:
    """What is pushed in one turn."""

    singles: list[tuple[Placed, str]]
    several: str


@dataclass(slots=True)
class Took:
    """Seconds, with readers or without."""

    one: Times = field(default_factory=Times)
    rate: Times = field(default_factory=Times)
    """Deployments in a second, not seconds."""


def blocks(writer: Writer, apps: Sequence[Placed], times: int = 1) -> list[Block]:
    """The commits of all turns, one after another; so often as they are measured."""
    found, several = [], apps[:SEVERAL]
    for number in range(2 * BLOCKS * times):
        revision = 100_000 + number * (PUSHES + 1)
        chosen = [apps[(number * PUSHES + step) % len(apps)] for step in range(PUSHES)]
        singles = [(placed, writer.change(placed, revision + step)) for step, placed in enumerate(chosen)]
        found.append(Block(singles, writer.change_many(several, revision + PUSHES)))
    return found


def figures(
    world: World, face: Listening, readers: Readers, wanted: Wanted, found: Sequence[Block], reading_how: str
) -> list[Figure]:
    """Both measures beside what they are when nobody reads. The daemon runs; it is caught up before the first one.

    `reading_how` says how they read, in a few words.
    """
    took = {False: Took(), True: Took()}
    with world.watching() as watcher:
        _caught_up(world, watcher)
        for number, block in enumerate(found):
            # Without, with, with, without: whatever grows with time meets both alike.
            reading = number % 4 in (1, 2)
            if reading:
                readers.begin(wanted)
            time.sleep(SETTLED)
            _one_turn(world, watcher, block, took[reading])
            if reading:
                read = readers.end()
                beside.require_answers(face, read)
                assert read.errors == 0, f"{read.errors} of {read.requests} were not answered"
    return _compared(world.size, took[True], took[False], reading_how)


def _caught_up(world: World, watcher: Watcher) -> None:
    head = (world.corpus.home / "refs" / "heads" / "main").read_text().strip()
    pending = "SELECT count(*) FROM deployments WHERE status IN ('pending', 'started')"
    noted = 'SELECT 1 FROM commits WHERE "id" = ?'
    watcher.until(lambda: bool(watcher.store.rows(noted, (head,))) and not watcher.store.one(pending), "everything")


def _one_turn(world: World, watcher: Watcher, block: Block, took: Took) -> None:
    for number, (placed, commit) in enumerate(block.singles):
        begun = time.perf_counter()
        publish(world.corpus.home, commit)
        seconds = watcher.completed(placed.name, commit) - begun
        if number > 0:  # the first one meets a daemon that has rested
            took.one.values.append(seconds)
        time.sleep(APART)
    count, before = len(set(world.corpus.many[:SEVERAL])), watcher.newest()
    begun = time.perf_counter()
    publish(world.corpus.home, block.several)
    took.rate.values.append(count / (watcher.all_completed(before, count) - begun))


def _compared(size: int, reading: Took, resting: Took, how: str) -> list[Figure]:
    several = f"a commit that changes {SEVERAL} apps, deployments in a second while {how}"

    def figure(what: str, value: float, limit: float, unit: str, sense: str, bound: float | None) -> Figure:
        return Figure(
            section="faces",
            name="slowing",
            size=size,
            what=what,
            value=value,
            unit=unit,
            limit=limit,
            against="nobody reads",
            sense=sense,
            bound=bound,
            per="×",
        )

    slowest = [sorted(one.rate.values)[max(round(len(one.rate.values) * 0.05) - 1, 0)] for one in (reading, resting)]
    return [
        figure(f"push → completed while {how} (median)", reading.one.median, resting.one.median, "s", "≤", MOST),
        figure(f"push → completed while {how} (p95)", reading.one.p95, resting.one.p95, "s", "≤", None),
        figure(f"{several} (median)", reading.rate.median, resting.rate.median, "/s", "≥", LEAST),
        figure(f"{several} (the slowest of 20)", slowest[0], slowest[1], "/s", "≥", None),
    ]
