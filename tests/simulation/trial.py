"""One seed, from the beginning to the verdict."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.simulation.laws import Court, Ending, differs
from tests.simulation.moments import Storm
from tests.simulation.world import DAY, Sort, sort_of, world


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a seed."""

    sort: Sort
    wrong: tuple[str, ...]
    digest: str
    last: tuple[str, ...]
    """The last lines of what happened."""
    days: float
    """So many days were simulated, with those in which it came to rest, and those of a twin."""
    seconds: float
    """So many seconds of a processor that took."""
    commits: int = 0
    deployments: int = 0
    turns: int = 0
    faults: int = 0

    @property
    def words(self) -> str:
        """One line, or all that there is to say about a seed that fails."""
        seed = self.sort.seed
        line = (
            f"seed {seed}: {self.sort.words}: {self.commits} commits, {self.deployments} deployments, "
            f"{self.turns} turns, {self.faults} faults"
        )
        if not self.wrong:
            return line
        replay = f'make simulate ARGS="--seed {seed} --days {self.sort.days:g}"'
        wrong = "\n".join(f"  {one}" for one in self.wrong[:20])
        last = "\n".join(self.last)
        return f"{line}\nLast events:\n{last}\nNot so:\n{wrong}\nReplay it with: {replay}"


def trial(seed: int, days: float, listing: Callable[[str], None] | None = None) -> Verdict:
    """Simulate what a seed makes."""
    return simulated(sort_of(seed, days), listing)


def simulated(sort: Sort, listing: Callable[[str], None] | None = None) -> Verdict:
    """Simulate this sort of world, and its twin without faults where it is to end like that."""
    found, ending = _judge(sort, listing)
    if not sort.twin or ending is None:
        return found
    undisturbed, other = _judge(sort.without_faults(), None)
    wrong = [f"undisturbed: {one}" for one in undisturbed.wrong]
    if other is not None:
        wrong += differs(ending, other)
    return Verdict(
        sort=sort,
        wrong=(*found.wrong, *wrong),
        digest=found.digest + undisturbed.digest,
        last=found.last if found.wrong or not undisturbed.wrong else undisturbed.last,
        days=found.days + undisturbed.days,
        seconds=found.seconds + undisturbed.seconds,
        commits=found.commits,
        deployments=found.deployments,
        turns=found.turns,
        faults=found.faults,
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    """What a world leaves behind is collected at its end: looking for it all the time costs a sixth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()


def _judge(sort: Sort, listing: Callable[[str], None] | None) -> tuple[Verdict, Ending | None]:
    begun = time.process_time()
    with _no_collection(), world(sort) as made:
        made.moments.listing = listing
        ending = None
        try:
            made.run()
        except Storm as storm:
            wrong, several = [str(storm), *made.moments.broken, *made.around.faults_of_ours], 0
        else:
            court = Court(made)
            wrong, several, ending = court.findings(), len(court.deployments), court.ending
        moments = made.moments
        verdict = Verdict(
            sort=sort,
            wrong=tuple(wrong),
            digest=moments.digest,
            last=tuple(moments.lines),
            days=moments.t / DAY,
            seconds=time.process_time() - begun,
            commits=len(made.author.ids),
            deployments=several,
            turns=made.around.turns,
            faults=made.faults.count,
        )
    return verdict, ending
