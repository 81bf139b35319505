"""What is paused at a moment, by a person's word or by git, and which commits wait for the end of it?

A pause of git has an end, so the apps that have one have a moment to be planned at: only those are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, and_, bindparam, or_, select, type_coerce

from reconciler.errors import ScheduleError
from reconciler.model.deployment import Place
from reconciler.schedule import instant
from reconciler.store import tables
from reconciler.store.statements import Prepared

_I, _P, _A = tables.interventions.c, tables.placements.c, tables.apps.c
_T, _C = tables.touches.c, tables.commits.c
_NOW = bindparam("now", type_=_I.until.type)
_HERE = and_(_P.app == _I.app, or_(_I.environment.is_(None), _P.environment == _I.environment))
_ASKED = Prepared(
    select(_P.app, _P.environment, _I.created_at.label("since"))
    .join_from(tables.interventions, tables.placements, _HERE)
    .where(_I.kind == "pause", _I.done_at.is_(None), _I.until > _NOW, _P.declared)
)
_DOCUMENTS = Prepared(
    select(_A.name, _A.document).where(
        _A.due_at.is_not(None), _A.removed.is_(False), type_coerce(_A.document, Text).contains('"pause":{')
    )
)
_DECLARED = Prepared(
    select(_C.noted_at)
    .join_from(tables.placements, tables.commits, _C.position == _P.touch)
    .where(_P.app == bindparam("of_app"), _P.environment == bindparam("in_environment"), _P.declared)
)
_SINCE = bindparam("since", type_=_C.noted_at.type)
_WAITING = Prepared(
    select(_T.position, _C.noted_at)
    .join_from(tables.touches, tables.commits, _C.position == _T.position)
    .where(
        _T.app == bindparam("of_app"),
        or_(_T.environment == "", _T.environment == bindparam("in_environment")),
        _C.noted_at > _SINCE,
    )
)
_MOST = 1_000
"""Of so many paused places, commits that wait are looked for."""


@dataclass(frozen=True, slots=True)
class Paused:
    """What is paused, and what waits for the end of it."""

    places: frozenset[Place] = frozenset()
    commits: int = 0
    """Commits that were noted since the pause began, and concern what is paused."""
    oldest: datetime | None = None
    """When the oldest of them was noted (UTC)."""


def paused(connection: Connection, now: datetime) -> Paused:
    """What is paused at `now` (UTC)."""
    since: dict[Place, datetime] = {}
    for place, begun in (*_asked(connection, now), *_declared(connection, now)):
        since[place] = min(begun, since.get(place, begun))
    waiting: dict[int, datetime] = {}
    for (app, environment), begun in list(since.items())[:_MOST]:
        rows = _WAITING.run(connection, of_app=app, in_environment=environment, since=begun)
        waiting |= {row.position: row.noted_at for row in rows}
    return Paused(frozenset(since), len(waiting), min(waiting.values(), default=None))


def _asked(connection: Connection, now: datetime) -> Iterator[tuple[Place, datetime]]:
    for row in _ASKED.run(connection, now=now):
        yield (row.app, row.environment), row.since


def _declared(connection: Connection, now: datetime) -> Iterator[tuple[Place, datetime]]:
    """What git says, since the commit that last changed the environment's entry."""
    for row in _DOCUMENTS.run(connection):
        entries = row.document.get("spec", {}).get("environments")
        for environment, entry in entries.items() if isinstance(entries, dict) else ():
            pause = entry.get("pause") if isinstance(entry, dict) else None
            if pause and _lasts(pause, now):
                begun = _DECLARED.run(connection, of_app=row.name, in_environment=environment).scalar()
                if begun is not None:
                    yield (row.name, environment), begun


def _lasts(pause: dict[str, Any], now: datetime) -> bool:
    try:
        return now < instant(pause["until"], pause.get("timezone"))
    except (ScheduleError, KeyError, TypeError):
        return False
