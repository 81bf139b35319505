"""Which apps that git does not know stand in the matrix, and what is counted of them?

Their environments are free: one that git does not declare has no column, so what runs there stands beside the name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from reconciler.model.output import Wait
from reconciler.store import elsewhere
from reconciler.views import undeclared
from reconciler.views.undeclared import Places

if TYPE_CHECKING:
    from reconciler.views.matrix import Asked

MOST = 200
"""Apps that are shown."""
OUTSIDE = 3
"""Environments that git does not declare, of which is told what runs there, of each app."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """An app that git does not know: what was reported last in each environment, and what completed last there."""

    name: str
    places: Places
    """Environments that git declares."""
    outside: Places
    """Others: where the last deployment failed stands first."""
    more_outside: int
    """Further ones of those."""
    waits: Mapping[str, Sequence[Wait]]
    """Which starts wait for people, by environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the matrix has of them."""

    people: list[Elsewhere]
    """Those of which a start waits for people."""
    more_people: int
    others: list[Elsewhere]
    more_others: int
    waiting: int
    """Places where a start waits for people."""
    failed: int
    """Places where the last deployment failed."""


def beside(connection: Connection, asked: Asked, environments: Collection[str], now: datetime) -> Beside:
    """Those that fit, at `now` (UTC). `environments`: the ones that git declares."""
    words = (asked.wanted.text or "").lower()
    counted = not asked.wanted.team  # nobody reports one

    def fits(name: str) -> bool:
        return counted and words in name.lower()

    waits = {name: found for name, found in undeclared.waiting(connection, now).items() if fits(name)}
    failed = {name: found for name, found in elsewhere.failed(connection).items() if fits(name)}
    people = [name for name in waits if asked.fact != "failed" or name in failed]
    others: list[str] = []
    if asked.fact == "failed":
        others = [name for name in failed if name not in waits]
    elif asked.fact is None and counted and not asked.after:
        others = [name for name in elsewhere.undeclared(connection) if name not in waits and fits(name)]
    if asked.fact not in (None, "waiting", "failed") or asked.only_differing:
        people, others = [], []

    shown, listed = people[: asked.most], others[:MOST]
    outside = elsewhere.outside(connection, [*shown, *listed])

    def row(name: str) -> Elsewhere:
        wrong = failed.get(name, ())
        further = sorted(outside.get(name, ()), key=lambda place: place not in wrong)
        return Elsewhere(
            name=name,
            places={**elsewhere.last_in(connection, name, environments)},
            outside={**elsewhere.last_in(connection, name, further[:OUTSIDE])},
            more_outside=max(0, len(further) - OUTSIDE),
            waits=waits.get(name, {}),
        )

    return Beside(
        people=[row(name) for name in shown],
        more_people=len(people) - len(shown),
        others=[row(name) for name in listed],
        more_others=len(others) - len(listed),
        waiting=sum(map(len, waits.values())),
        failed=sum(map(len, failed.values())),
    )
