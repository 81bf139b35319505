"""In which of very many apps may something be going on, and which of them are looked at?

What went wrong or is held comes before what waits, however many wait: so it is counted and found. Of those that are
not looked at nothing exact is said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from sqlalchemy import Connection

from reconciler.store import concerns
from reconciler.views.remarks import Fact, Group

LOOKED_AT = 500
"""Apps of a group whose standings are made, and as many more for a filter: with more, what is counted is at least so
many."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Apps by what the store has of them."""

    names: list[str]
    """Those that are looked at."""
    unseen: Mapping[str, Group] = field(default_factory=dict)
    """Those that are not, with the group that they are likely to be in."""
    kinds: Mapping[Fact, Collection[str]] = field(default_factory=dict)
    """Those that are not and may be counted so."""
    late: Collection[str] = ()
    """Those that are not and are to be planned anew: they may be whatever their plans say, mostly quiet."""

    def fitting(self, fact: Fact | None) -> dict[Group, int]:
        """How many of those that are not looked at may be what a filter lets pass, by group."""
        found: dict[Group, int] = {"person": 0, "motion": 0, "quiet": 0}
        for name in self.unseen if fact in (None, "running") else self.kinds.get(fact, ()):
            found[self.unseen[name]] += 1
        return found

    @property
    def uncertain(self) -> frozenset[Fact]:
        """What is counted too low."""
        running: set[Fact] = {"running"} if self.unseen else set()
        return frozenset(running.union(fact for fact, names in self.kinds.items() if names))


def candidates(connection: Connection, now: datetime, fact: Fact | None, fitting: Collection[str] | None) -> Candidates:
    """Those among the apps that fit (None: all do), with room for what is counted as `fact`."""
    fit = None if fitting is None else set(fitting)
    people = [name for name in concerns.person(connection) if fit is None or name in fit]
    known = set(people)
    moving = [name for name in concerns.motion(connection, now) if name not in known and (fit is None or name in fit)]
    if max(len(people), len(moving)) <= LOOKED_AT:
        return Candidates([*people, *moving])
    groups: dict[str, Group] = {**dict.fromkeys(people, "person"), **dict.fromkeys(moving, "motion")}
    kinds = _kinds(connection, groups, now)
    first = [*kinds["failed"], *kinds["held"]]
    wanted = kinds.get(fact, []) if fact is not None else []
    chosen = dict.fromkeys([*_cut(people, first), *_cut(moving, first), *wanted[:LOOKED_AT]])
    unseen = {name: group for name, group in groups.items() if name not in chosen}
    late = unseen.keys() & concerns.overdue(connection, now)
    kinds_unseen = {kind: late | (unseen.keys() & names) for kind, names in kinds.items()}
    return Candidates(list(chosen), unseen, kinds_unseen, late)


def _kinds(connection: Connection, names: Collection[str], now: datetime) -> dict[Fact, list[str]]:
    """Which of these apps may be counted as what."""
    traced: dict[Fact, list[str]] = {
        "failed": concerns.wrong(connection),
        "held": concerns.stopped(connection, now),
        "started": concerns.started(connection),
    }
    found = {fact: [name for name in several if name in names] for fact, several in traced.items()}
    # Each may wait for something besides; those that do nothing else come first.
    others = set(chain.from_iterable(found.values()))
    return found | {"waiting": sorted(names, key=lambda name: name in others)}


def _cut(names: list[str], first: Iterable[str]) -> list[str]:
    """So many as are looked at, beginning with some of them."""
    here = set(names)
    return list(dict.fromkeys([*(name for name in first if name in here), *names]))[:LOOKED_AT]
