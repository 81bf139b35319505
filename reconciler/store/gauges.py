"""How many are there of what, at this moment: apps in each state, deployments under way, what waits, what is paused?

Asked every few seconds by whoever watches: each question goes through an index or a small table, and none reads the
history. How many placements there are is the one that grows with the apps; its answer holds until the next commit.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, distinct, func, select, text

from reconciler.model.deployment import Place
from reconciler.store import declared, drifts, due, ledger, tables
from reconciler.store.obstacles import APPROVAL, REFUSED, WAITS
from reconciler.store.pauses import Paused, paused
from reconciler.store.repository import followed
from reconciler.store.statements import Prepared

_D, _F, _A, _P = tables.deployments.c, tables.files.c, tables.apps.c, tables.placements.c
_C, _S, _H, _K = tables.commits.c, tables.suspicions.c, tables.holds.c, tables.checks.c
_O, _L, _N = tables.obstacles.c, tables.leadership.c, tables.daemons.c

_PLACED = Prepared(
    select(_P.environment, _P.declared, func.count().label("count")).group_by(_P.environment, _P.declared)
)
_APPS = Prepared(select(func.count(distinct(_P.app))).where(_P.declared))
_ACTIVE = Prepared(select(_D.app, _D.environment, _D.status).where(tables.ACTIVE))
_HELD = Prepared(select(_H.app, _H.environment, _H.since))
_NEWER = tables.deployments.alias("newer")
_SAME = and_(_NEWER.c.app == _D.app, _NEWER.c.environment == _D.environment)
_LAST = select(func.max(_NEWER.c.number)).where(_SAME).correlate(tables.deployments).scalar_subquery()
_FAILED = Prepared(
    select(_D.app, _D.environment)
    .distinct()
    .join_from(tables.suspicions, tables.deployments, _D.id == _S.deployment)
    .where(_D.status == "failed", _D.number == _LAST)
)
_NOW = bindparam("now", type_=_A.due_at.type)
_CHECKING = Prepared(
    select(_K.environment, func.count().label("count"), func.min(_K.at).label("since"))
    .where(_K.verdict == "running")
    .group_by(_K.environment)
)
_OBSTACLES = Prepared(
    select(_O.environment, _O.kind, func.count().label("count"), func.min(_O.since).label("since")).group_by(
        _O.environment, _O.kind
    )
)
_TURNS = Prepared(
    select(_D.environment, func.count().label("count"), func.min(_D.created_at).label("since"))
    .where(text("status = 'pending'"))
    .group_by(_D.environment)
)
CHECK, TURN = "check", "turn"
GATES = (CHECK, TURN, APPROVAL, *(one for one in WAITS if one != "checks"))
"""What is waited for, by the names that are told."""
_BROKEN = Prepared(
    select(
        select(func.count(_F.path)).where(_F.complaints.is_not(None)).scalar_subquery().label("files"),
        select(func.count(_A.name)).where(_A.complaints.is_not(None)).scalar_subquery().label("apps"),
        select(func.count(_A.name)).where(_A.due_at <= _NOW).scalar_subquery().label("due"),
    )
)
_HEAD = Prepared(select(_C.committed_at, _C.noted_at).order_by(_C.position.desc()).limit(1))
_DAEMONS = Prepared(select(_N.name, _N.beat, _N.id == select(_L.holder).scalar_subquery()))
_SEALED = Prepared(select(func.max(tables.seals.c.upto)))


@dataclass(frozen=True, slots=True)
class Placed:
    """How many apps git declares, and how many of them in each environment; with those that have left it."""

    apps: int = 0
    declared: Counter[str] = field(default_factory=Counter)
    orphaned: Counter[str] = field(default_factory=Counter)
    environments: frozenset[str] = frozenset()
    """All that git declares, also those without an app."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How many wait for the same in an environment, and since when the first of them does (UTC)."""

    count: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """Everything that is counted, at one moment."""

    placed: Placed
    active: dict[Place, str]
    """The status of what is still to end."""
    held: dict[Place, datetime]
    """Since when."""
    failed: set[Place]
    """Where the newest deployment failed."""
    drifted: set[Place]
    paused: Paused
    waiting: dict[tuple[str, str], Waits]
    """By environment and what is waited for, one of `GATES`."""
    refused: int
    broken_files: int
    broken_apps: int
    apps_due: int
    committed_at: datetime | None
    """Of the head."""
    noted_at: datetime | None
    trouble_since: datetime | None
    head_held_since: datetime | None
    daemons: list[tuple[str, int, bool]]
    """Name, beat, and whether it leads."""
    newest: int
    """The newest fact of the ledger."""
    sealed: int
    next_work: datetime | None


def placed(connection: Connection) -> Placed:
    """How many apps there are where; it holds as long as nothing new was noted."""
    known = frozenset(declared.texts(connection, "Environment"))
    found = Placed(apps=int(_APPS.run(connection).scalar() or 0), environments=known)
    for row in _PLACED.run(connection):
        (found.declared if row.declared else found.orphaned)[row.environment] += row.count
    return found


def gauges(connection: Connection, placed_as: Placed, now: datetime) -> Gauges:
    """What is so at `now` (UTC)."""
    (broken,) = _BROKEN.run(connection, now=now)
    head = _HEAD.run(connection).one_or_none()
    place: Any = followed(connection)
    obstacles = _OBSTACLES.run(connection)
    # What waits for checks is told with each of them, while it runs; one that has failed is refused.
    waiting = {(row.environment, row.kind): Waits(row.count, row.since) for row in obstacles if row.kind in GATES}
    for gate, several in ((CHECK, _CHECKING), (TURN, _TURNS)):
        waiting |= {(row.environment, gate): Waits(row.count, row.since) for row in several.run(connection)}
    return Gauges(
        placed=placed_as,
        active={(row.app, row.environment): row.status for row in _ACTIVE.run(connection)},
        held={(row.app, row.environment): row.since for row in _HELD.run(connection)},
        failed=_places(_FAILED.run(connection)),
        drifted=_places(drifts.standing(connection)),
        paused=paused(connection, now),
        waiting=waiting,
        refused=sum(row.count for row in obstacles if row.kind == REFUSED),
        broken_files=broken.files,
        broken_apps=broken.apps,
        apps_due=broken.due,
        committed_at=head.committed_at if head else None,
        noted_at=head.noted_at if head else None,
        trouble_since=place.trouble.since if place and place.trouble else None,
        head_held_since=place.held_since if place else None,
        daemons=[(name, beat, bool(leads)) for name, beat, leads in _DAEMONS.run(connection)],
        newest=ledger.newest(connection),
        sealed=int(_SEALED.run(connection).scalar() or 0),
        next_work=due.next_work(connection),
    )


def _places(rows: Any) -> set[Place]:
    return {(row.app, row.environment) for row in rows}
