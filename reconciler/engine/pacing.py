"""How are many small looks spread evenly over an interval?

Counts only: who looks at what is not here. That something was looked at is remembered here and written nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.model.environment import Environment

AT_LEAST = 0.25
"""Seconds between two steps, however many there are to look at."""


@dataclass(slots=True)
class Sweep:
    """One round over all that is looked at every `period` seconds. Moments are seconds of a steady clock."""

    period: float
    environments: frozenset[str]
    total: int
    begun: float
    done: int = 0
    after: tuple[str, str] = ("", "")
    """App and environment up to which it has come."""
    whole: bool = False

    def due(self, now: float) -> int:
        """How many are to be looked at by now."""
        if self.whole:
            return 0
        share = min((now - self.begun) / self.period, 1.0)
        return max(math.floor(self.total * share + 1e-9) - self.done, 0)

    def took(self, asked: int, found: Sequence[tuple[str, str]]) -> None:
        """So many were asked for, and these came."""
        self.done += asked
        self.whole = len(found) < asked or self.done >= self.total
        if found:
            self.after = found[-1]

    def wait(self, now: float) -> float:
        """In how many seconds there is more to look at."""
        upto = self.period if self.whole or not self.total else self.period * (self.done + 1) / self.total
        return max(self.begun + upto - now, AT_LEAST)

    def is_over(self, now: float) -> bool:
        """Whether the next round may begin."""
        return (self.whole or not self.total) and now >= self.begun + self.period


def sweeps(
    before: Mapping[float, Sweep],
    environments: Iterable[Environment],
    now: float,
    count: Callable[[frozenset[str]], int],
) -> dict[float, Sweep]:
    """The rounds that go on and those that begin, by their period. `count` tells how many there are to look at."""
    names: dict[float, set[str]] = {}
    for one in environments:
        period = one.spec.drift.check.total_seconds()
        if period:
            names.setdefault(period, set()).add(one.name)
    found = {}
    for period, several in names.items():
        here = frozenset(several)
        goes_on = before.get(period)
        if goes_on is None or goes_on.is_over(now) or goes_on.environments != here:
            goes_on = Sweep(period, here, count(here), now)
        found[period] = goes_on
    return found
