"""Which apps are known only by what was reported of them, and what was reported last?

Asked of indexes, a name at a time: there may be very many reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import CTE, ColumnElement, Connection, bindparam, exists, func, select

from reconciler.model.deployment import Deployment
from reconciler.store import tables
from reconciler.store.reports import R, deployment_of
from reconciler.store.statements import Among, Prepared, many
from reconciler.store.tables.faces import UNENDED

MOST = 200
"""Environments of an app; their names are free."""
_A = tables.apps.c
_FIRST = select(func.min(R.app).label("name")).cte("reported", recursive=True)
_NEXT = select(func.min(R.app)).where(R.app > _FIRST.c.name).correlate(_FIRST).scalar_subquery()
_NAMES = _FIRST.union_all(select(_NEXT).where(_FIRST.c.name.is_not(None)))
_DECLARED = exists().where(_A.name == _NAMES.c.name)
_UNDECLARED = Prepared(select(_NAMES.c.name).where(_NAMES.c.name.is_not(None), ~_DECLARED).order_by(_NAMES.c.name))
"""From name to name along the index: however often each was reported, it is read once."""
_D = tables.declarations.c
_AT_FIRST = select(func.min(R.environment)).where(R.app == _NAMES.c.name).correlate(_NAMES).scalar_subquery()


def _walk(which: ColumnElement[bool]) -> CTE:
    """Apps with each of their environments: from one to the next along the index, as with names."""
    place = select(_NAMES.c.name.label("app"), _AT_FIRST.label("environment")).where(which).cte(recursive=True)
    behind = select(func.min(R.environment)).where(R.app == place.c.app, R.environment > place.c.environment)
    further = select(place.c.app, behind.correlate(place).scalar_subquery()).where(place.c.environment.is_not(None))
    return place.union_all(further)


_PLACES = _walk(_NAMES.c.name.is_not(None) & ~_DECLARED)
_PLACES_OF = _walk(_NAMES.c.name.in_(many("names")))
_OUTSIDE = Prepared(
    select(_PLACES_OF.c.app, _PLACES_OF.c.environment)
    .where(
        _PLACES_OF.c.environment.is_not(None),
        ~exists().where(_D.kind == "Environment", _D.name == _PLACES_OF.c.environment),
    )
    .order_by(_PLACES_OF.c.app, _PLACES_OF.c.environment)
)
_LAST_STATUS = (
    select(R.status)
    .where(R.app == _PLACES.c.app, R.environment == _PLACES.c.environment)
    .order_by(R.number.desc())
    .limit(1)
    .correlate(_PLACES)
    .scalar_subquery()
)
_FAILED = Prepared(
    select(_PLACES.c.app, _PLACES.c.environment)
    .where(_PLACES.c.environment.is_not(None), _LAST_STATUS == "failed")
    .order_by(_PLACES.c.app, _PLACES.c.environment)
)
_UNENDED = Among(select(tables.reports).where(UNENDED).order_by(R.sequence), R.app)
_NEXT_PLACE = Prepared(
    select(func.min(R.environment)).where(R.app == bindparam("of_app"), R.environment > bindparam("after"))
)
_HERE = (R.app == bindparam("of_app")) & (R.environment == bindparam("in_environment"))
_LAST = Prepared(select(tables.reports).where(_HERE).order_by(R.number.desc()).limit(1))
_COMPLETED = Prepared(select(tables.reports).where(_HERE, R.status == "completed").order_by(R.number.desc()).limit(1))


def failed(connection: Connection) -> dict[str, list[str]]:
    """In which environments what was reported last has failed, by the names of apps that git has never declared, in
    order."""
    found: dict[str, list[str]] = {}
    for row in _FAILED.run(connection):
        found.setdefault(row.app, []).append(row.environment)
    return found


def outside(connection: Connection, apps: Sequence[str]) -> dict[str, list[str]]:
    """In which environments that git does not declare anything was reported of these apps, in order."""
    found: dict[str, list[str]] = {}
    for row in _OUTSIDE.run(connection, names=apps) if apps else ():
        found.setdefault(row.app, []).append(row.environment)
    return found


def undeclared(connection: Connection) -> list[str]:
    """The names of apps that git has never declared, in order."""
    return [row.name for row in _UNDECLARED.run(connection)]


def last(connection: Connection, app: str, most: int = MOST) -> dict[str, tuple[Deployment, Deployment | None]]:
    """What was reported last of an app in each environment, and what completed last there."""
    names: list[str] = []
    place = _NEXT_PLACE.run(connection, of_app=app, after="").scalar()
    while place is not None and len(names) < most:
        names.append(place)
        place = _NEXT_PLACE.run(connection, of_app=app, after=place).scalar()
    return last_in(connection, app, names)


def last_in(
    connection: Connection, app: str, environments: Iterable[str]
) -> dict[str, tuple[Deployment, Deployment | None]]:
    """What was reported last of an app in these environments, where anything was."""
    found: dict[str, tuple[Deployment, Deployment | None]] = {}
    for place in environments:
        newest = _LAST.run(connection, of_app=app, in_environment=place).one_or_none()
        if newest is not None:
            completed = _COMPLETED.run(connection, of_app=app, in_environment=place).one_or_none()
            found[place] = (deployment_of(newest), deployment_of(completed) if completed is not None else None)
    return found


def started(connection: Connection, apps: Sequence[str]) -> dict[tuple[str, str], Deployment]:
    """What was reported of these apps last to have started and not to have ended, by app and environment."""
    rows = [row for row in _UNENDED.run(connection, apps) if row.status == "started"]
    return {(row.app, row.environment): deployment_of(row) for row in rows}
