"""What changes whenever there is something new to show, of everything or of an app?

A few values that indexes know, so that whoever has an answer already can be told so before anything is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, func, select, type_coerce

from reconciler.store import declared, tables
from reconciler.store.due import NEXT_DUE
from reconciler.store.statements import Among, Prepared

_A, _D, _P = tables.apps.c, tables.deployments.c, tables.placements.c
_H, _L, _R = tables.holds.c, tables.ledger.c, tables.repository.c
_NEWEST = select(_L.sequence).order_by(_L.sequence.desc()).limit(1)
# A rollout comes to a phase that is no fact by itself: that checks begin is told by their ends.
_ROLLOUT = type_coerce(_D.rollout, Text)
_ROLLING = select(func.count(), func.sum(func.length(_ROLLOUT)), func.max(_ROLLOUT))
_ROLLING = _ROLLING.where(_D.status == "started", _D.rollout.is_not(None))
_SEEN = Prepared(
    select(
        NEXT_DUE.scalar_subquery().label("next_due"),
        _NEWEST.scalar_subquery().label("newest"),
        select(tables.leadership.c.lineage).limit(1).scalar_subquery().label("lineage"),
    )
)
_NEXT = Prepared(NEXT_DUE)
_STEPS = Prepared(_ROLLING)
_PLACE = Prepared(select(_R.head, _R.url, _R.held_head, _R.held_since, _R.trouble, _R.trouble_since, _R.again_at))
_KINDS = ("Environment", "Season", "Freeze", "Group", "Resource")
"""Of manifests that concern many apps."""
_WRITTEN = [type_coerce(column, Text).label(column.name) for column in (_A.document, _A.complaints)]
_DECLARED = Among(select(_A.name, _A.due_at, _A.path, _A.content, _A.tree, _A.removed, *_WRITTEN), _A.name)
_PLACED = Among(select(_P.app, _P.environment, _P.declared, _P.touch, _P.look), _P.app)
# What is under way takes steps that are no facts, and so does the commit that a hold asks for.
_STEP = (
    _D.app,
    _D.id,
    _D.status,
    _D.attempts,
    _D.next_attempt_at,
    _D.error,
    _D.abort_reason,
    _ROLLOUT.label("rollout"),
)
_MOVING = Among(select(*_STEP).where(tables.ACTIVE), _D.app)
_HELD = Among(select(_H.app, _H.environment, _H.branch, _H.trouble), _H.app)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A state of the store, as far as anything shown depends on it."""

    seen: tuple[Any, ...]
    next_due: datetime | None
    """When a plan can be another one without anything new having been written (UTC)."""


def stamp(connection: Connection) -> Stamp:
    """The present state."""
    (row,) = _SEEN.run(connection)
    places, steps = _PLACE.run(connection), _STEPS.run(connection)
    return Stamp((tuple(row), tuple(map(tuple, places)), tuple(map(tuple, steps))), row.next_due)


def next_due(connection: Connection) -> datetime | None:
    """When a plan can be another one without anything new having been written (UTC)."""
    found: datetime | None = _NEXT.run(connection).scalar()
    return found


@dataclass(frozen=True, slots=True)
class AppStamp:
    """A state of an app, as far as no fact of the ledger tells of it; good within one process."""

    due: datetime | None
    """When its plan can be another one (UTC)."""
    seen: int


def of_apps(connection: Connection, names: Sequence[str]) -> dict[str, AppStamp]:
    """The present states of those of these apps that are known: what git declares of each, and how far it has come."""
    rest: dict[str, list[Any]] = {}
    for statement in (_PLACED, _MOVING, _HELD):
        for row in statement.run(connection, names):
            rest.setdefault(row.app, []).append(row)
    return {
        row.name: AppStamp(row.due_at, hash((row, *sorted(rest.get(row.name, ()), key=str))))
        for row in _DECLARED.run(connection, names)
    }


def of_all(connection: Connection) -> int:
    """What git declares for many apps together; good within one process."""
    texts = declared.texts_of(connection, _KINDS)
    return hash(tuple(one for kind in _KINDS for one in texts[kind].items()))
