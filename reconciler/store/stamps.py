"""What changes whenever there is something new to show?

A few values that indexes know, so that whoever has an answer already can be told so before anything is looked up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, func, select, type_coerce

from reconciler.store import tables
from reconciler.store.declared import NEXT_DUE
from reconciler.store.statements import Prepared

_D, _L, _R = tables.deployments.c, tables.ledger.c, tables.repository.c
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
