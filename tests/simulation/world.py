"""One simulated world: everything that follows from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

from tests.simulation.author import KINDS as STEPS
from tests.simulation.author import Author, Habits
from tests.simulation.estate import Estate
from tests.simulation.faults import KINDS as FAULTS
from tests.simulation.faults import Faults
from tests.simulation.machine import Machine, Surround, machines
from tests.simulation.moments import SECOND, Moments
from tests.simulation.persons import Persons
from tests.simulation.repository import Repository
from tests.simulation.storage import Storage
from tests.world import CHAIN

DAY = 86400 * SECOND
ROUNDS = 5
"""So many times what waits for a person gets its answer in the end: one environment stands behind another."""
GENTLE = ("slow", "slow after", "later", "dies after", "answer lost")
"""Trouble with targets after which a deployment completes all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """What sort of world a seed makes."""

    seed: int
    days: float
    daemons: int
    lease: timedelta | None
    habits: Habits
    faults_a_day: float
    faults: tuple[str, ...] = FAULTS
    troubles: tuple[str, ...] | None = None
    wishes_a_day: float = 0.0
    looks_a_day: float = 0.0
    """How often somebody looks at the matrix, who knows what stood there before."""
    approvals: bool = False
    twin: bool = False
    """Whether it must end as it would without any fault."""
    workers: int = 8

    @property
    def words(self) -> str:
        """In one line."""
        habits = self.habits
        several = f"{self.daemons} daemons with a lease of {self.lease}" if self.lease else "one daemon"
        return (
            f"{several}, {habits.apps} apps, {habits.commits_a_day:.1f} pushes, {self.faults_a_day:.1f} faults and "
            f"{self.wishes_a_day:.1f} wishes a day{', gated' if self.approvals else ''}"
            f"{', compared with its twin' if self.twin else ''}"
        )

    def without_faults(self) -> Sort:
        """The same world where all goes well."""
        return replace(self, faults_a_day=0.0)


def sort_of(seed: int, days: float) -> Sort:
    """What sort of world a seed makes."""
    random = Random(f"{seed} sort")
    daemons = random.choice((1, 1, 1, 2, 2, 3, 5))
    twin = random.random() < 0.4
    gated = random.random() < 0.4
    steps = dict(STEPS)
    if twin:
        # What was forced away, or refused, depends on when it was seen.
        steps |= {"forced": 0}
    if random.random() < 0.5:
        steps |= {"freeze": 0}
    return Sort(
        seed=seed,
        days=days,
        daemons=daemons,
        lease=timedelta(hours=random.choice((4, 12))) if daemons > 1 else None,
        habits=Habits(
            apps=random.choice((2, 3, 5, 8)),
            commits_a_day=random.choice((0.1, 0.3, 0.7, 2.0)),
            kinds=steps,
            environments=_environments(random, gated=gated),
            bad=not twin and random.random() < 0.6,
            needs=random.random() < 0.4,
            group=not twin and random.random() < 0.2,
        ),
        faults_a_day=random.choice((0.2, 0.6, 2.0)),
        troubles=GENTLE if twin else None,
        wishes_a_day=0.0 if twin else random.choice((0.0, 0.3, 1.5)),
        approvals=gated,
        twin=twin,
        workers=random.choice((1, 4, 8)),
    )


def _environments(random: Random, *, gated: bool) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, upstream in zip(CHAIN, ("latest", *CHAIN), strict=False):
        spec: dict[str, Any] = {"track": upstream, "target": {"type": "directory", "path": f"releases/{name}"}}
        spec["retry"] = {"limit": random.choice((3, 20)), "backoff": random.choice(("10s", "5m"))}
        spec["concurrency"] = random.choice((1, 2, 8))
        if gated and name != CHAIN[0]:
            gates: dict[str, Any] = {"soak": random.choice(("10m", "6h"))}
            if random.random() < 0.5:
                gates["approvals"] = 1
            if random.random() < 0.5:
                gates["checks"] = [{"name": "smoke", "run": ["true"]}]
            spec["gates"] = gates
        if random.random() < 0.3:
            spec["rollout"] = {"steps": [10, 50, 100], "interval": "20m", "bake": "40m"}
            if random.random() < 0.5:
                spec["rollout"]["checks"] = [{"name": "errors", "run": ["true"]}]
        if random.random() < 0.3:
            spec["prune"] = True
        if random.random() < 0.2:
            spec["on_failure"] = "hold"
        found[name] = spec
    return found


class World:
    """A sort of world, begun."""

    def __init__(self, sort: Sort) -> None:
        self.sort = sort
        self.moments = moments = Moments()
        self.repository = Repository()
        self.storage = Storage()
        self.estate = Estate(moments, self.repository, self._random("targets"))
        if sort.troubles is not None:
            self.estate.kinds = sort.troubles
        self.around = around = Surround(moments, self.repository, self.storage, self.estate, self._random("hearing"))
        around.lease = sort.lease
        around.workers = sort.workers
        around.write_branches = not sort.twin
        self.author = Author(sort.habits, self.repository, moments, self._random("author"))
        self.persons = Persons(around, self.author, self._random("persons"))
        self.author.accepts = lambda: self.persons.wish("accept")

    def _random(self, what: str) -> Random:
        return Random(f"{self.sort.seed} {what}")

    def begin(self) -> None:
        """Start the daemons and what goes wrong."""
        around = self.around
        for number in range(self.sort.daemons):
            around.machines.append(Machine(f"daemon-{number}", around))
        self.faults = Faults(around, self._random("faults"), self.sort.faults_a_day, self.sort.faults)
        self.author.pushed = self._pushed
        self.persons.begin(self.sort.wishes_a_day, self.sort.approvals, self.sort.looks_a_day)

    def _pushed(self) -> None:
        self.around.nudge()
        self.faults.pushed()

    def run(self) -> None:
        """Let the days pass; then faults, wishes and commits cease, and all comes to rest."""
        self.begin()
        self.moments.run(int(self.sort.days * DAY))
        self.author.ends()
        self.persons.active = False
        self.faults.cease()
        # What has said `later` for a day counts as failed then; what waits between two steps has gone on.
        self.moments.run(self.moments.t + 2 * DAY)
        for _ in range(ROUNDS):
            self.persons.settle()
            self.persons.approve_all()
            self.around.nudge()
            self.moments.run(self.moments.t + DAY // 2)

    def close(self) -> None:
        """End all tasks."""
        for machine in self.around.machines:
            machine.process.kill()
        self.moments.run(self.moments.t)
        self.storage.close()


@contextmanager
def world(sort: Sort) -> Iterator[World]:
    """A world, ready to run."""
    made = World(sort)
    with machines(made.around):
        try:
            yield made
        finally:
            made.close()
