"""Which apps are known only by what was reported of them, and what was reported last?

Asked of indexes, a name at a time: there may be very many reports.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select

from reconciler.model.deployment import Deployment
from reconciler.store import tables
from reconciler.store.reports import R, deployment_of
from reconciler.store.statements import Prepared

_A = tables.apps.c
_NEXT_APP = Prepared(select(func.min(R.app)).where(R.app > bindparam("after")))
_IS_DECLARED = Prepared(select(_A.name).where(_A.name == bindparam("name")))
_NEXT_PLACE = Prepared(
    select(func.min(R.environment)).where(R.app == bindparam("of_app"), R.environment > bindparam("after"))
)
_HERE = (R.app == bindparam("of_app")) & (R.environment == bindparam("in_environment"))
_LAST = Prepared(select(tables.reports).where(_HERE).order_by(R.number.desc()).limit(1))
_COMPLETED = Prepared(select(tables.reports).where(_HERE, R.status == "completed").order_by(R.number.desc()).limit(1))


def undeclared(connection: Connection, most: int) -> list[str]:
    """The names of apps that git has never declared, in order."""
    found: list[str] = []
    name = _NEXT_APP.run(connection, after="").scalar()
    while name is not None and len(found) < most:
        if not _IS_DECLARED.run(connection, name=name):
            found.append(name)
        name = _NEXT_APP.run(connection, after=name).scalar()
    return found


def last(connection: Connection, app: str) -> dict[str, tuple[Deployment, Deployment | None]]:
    """What was reported last of an app in each environment, and what completed last there."""
    found: dict[str, tuple[Deployment, Deployment | None]] = {}
    place = _NEXT_PLACE.run(connection, of_app=app, after="").scalar()
    while place is not None:
        newest = _LAST.run(connection, of_app=app, in_environment=place)[0]
        completed = _COMPLETED.run(connection, of_app=app, in_environment=place).one_or_none()
        found[place] = (deployment_of(newest), deployment_of(completed) if completed is not None else None)
        place = _NEXT_PLACE.run(connection, of_app=app, after=place).scalar()
    return found
