"""Does a change cost the same in a store of any size, in any number of stores?

One repository of apps in three environments is taken in; then each shard is a copy of that store with a daemon of its
own, and one app changes. What is counted: turns, statements, and rows written, until the change runs everywhere. One
shard after another, so that a million app-environments need the memory of one shard.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.simulation.machine import Machine, machines
from tests.simulation.moments import SECOND
from tests.simulation.world import Sort, World, sort_of
from tests.strategies import Commit, Step
from tests.world import CHAIN

HOUR = 3600 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one change came to in one shard."""

    deployments: int
    turns: int
    statements: int
    rows: int
    seconds: float


def sort(apps: int) -> Sort:
    """So many apps, each in three environments; nothing happens by itself."""
    plain = sort_of(2, 1)
    environments = {name: {"track": spec["track"]} for name, spec in plain.habits.environments.items()}
    habits = replace(plain.habits, apps=apps, commits_a_day=1e-9, environments=environments, bad=False, whole=True)
    return replace(plain, habits=habits, daemons=1, lease=None, faults_a_day=0.0, wishes_a_day=0.0, workers=64)


def filled(apps: int) -> tuple[World, bytes]:
    """A world in which every app runs everywhere, and its store."""
    made = World(sort(apps))
    with machines(made.around):
        made.begin()
        made.moments.run(48 * HOUR)
        made.around.machines[0].end()
        made.moments.run(49 * HOUR)
        return made, made.storage.raw.serialize()


def changed(made: World, store: bytes, number: int) -> Cost:
    """One app of this shard changes."""
    begun = time.process_time()
    around, raw = made.around, made.storage.raw
    raw.deserialize(store)
    with machines(around):
        machine = around.machines[0] = Machine(f"shard-{number}", around)
        made.moments.run(made.moments.t + HOUR)
        before = around.turns, machine.session.statements, raw.total_changes, len(made.estate.effects)
        step = made.author._step(Step("content", made.author.apps[number % len(made.author.apps)]))
        assert isinstance(step, Commit)
        made.author._push([step])
        made.moments.run(made.moments.t + HOUR // 4)
        after = around.turns, machine.session.statements, raw.total_changes, len(made.estate.effects)
        machine.end()
        made.moments.run(made.moments.t + HOUR)
    turns, statements, rows, deployments = (now - then for now, then in zip(after, before, strict=True))
    assert deployments == len(CHAIN), f"shard {number}: {deployments} deployments"
    seconds = time.process_time() - begun
    return Cost(deployments=deployments, turns=turns, statements=statements, rows=rows, seconds=seconds)


def each_apart(one: Callable[[int], Cost], shards: int) -> list[Cost]:
    """What each shard cost, each begun from the same state in a process of its own: nothing of one is left for the
    next."""
    forked = multiprocessing.get_context("fork")
    costs: list[Cost] = []
    for number in range(shards):
        ours, theirs = forked.Pipe(duplex=False)
        # Started by this very thread, which the copies of SQLite's connections belong to.
        process = forked.Process(target=lambda to, which: to.send(one(which)), args=(theirs, number))
        process.start()
        theirs.close()
        costs.append(ours.recv())
        process.join()
    return costs


def main() -> int:
    """Print what a change came to, on the average, and at the least and the most."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.shards", description=__doc__)
    parser.add_argument("--shards", type=int, default=1000)
    parser.add_argument("--apps", type=int, default=334, help="in each shard, each in three environments")
    given = parser.parse_args()
    made, store = filled(given.apps)
    costs = each_apart(lambda number: changed(made, store, number), given.shards)
    what = f"{given.shards} shards of {given.apps * 3} app-environments, one change each"
    sys.stdout.write(f"{what}: {len(store) / 1e6:.1f} MB a store\n")
    for name in ("deployments", "turns", "statements", "rows", "seconds"):
        found = [getattr(cost, name) for cost in costs]
        sys.stdout.write(f"  {name}: {sum(found) / len(found):.4g} ({min(found):.4g} to {max(found):.4g})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
