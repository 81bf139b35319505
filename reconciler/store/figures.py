"""Which deployments are figures made of: those that the reconciler made, and those that were reported from elsewhere?

Narrow rows, read as they come: a history of a million deployments needs no memory here. What they add up to is asked in
`model/measuring`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger as Whole
from sqlalchemy import Connection, Select, func, literal, null, select, type_coerce, union_all

from reconciler.model.deployment import EXTERNAL
from reconciler.model.measuring import Made
from reconciler.store import tables

D, R = tables.deployments.c, tables.reports.c
_AT_ONCE = 2_000
_COMMITTED = tables.commits.c.committed_at


def made(
    connection: Connection,
    since: datetime,
    until: datetime,
    app: str | None = None,
    environment: str | None = None,
) -> Iterator[Made]:
    """What was made from `since` on and before `until` (UTC), in order of app, environment and time."""
    here = [_between(_deployments(), D, since, until, app, environment)]
    here.append(_between(_reports(), R, since, until, app, environment))
    every = union_all(*here).order_by("app", "environment", "created_at", "place", "number")
    for rows in connection.execution_options(yield_per=_AT_ONCE).execute(every).partitions():
        for row in rows:
            yield Made._make(row[:-2])


def _deployments() -> Select[Any]:
    return select(
        D.app,
        D.environment,
        D.id,
        D.status,
        D.cause,
        *_moments(D),
        _committed(D.commit),
        D.rolled_back_from,
        D.rollout.is_not(None).label("gradual"),
        literal(0).label("place"),
        D.number,
    )


def _reports() -> Select[Any]:
    return select(
        R.app,
        R.environment,
        R.id,
        R.status,
        literal(EXTERNAL).label("cause"),
        *_moments(R),
        _committed(R.scm_sha),
        null().label("left"),
        literal(False).label("gradual"),
        literal(1).label("place"),
        R.number,
    )


def _moments(of: Any) -> list[Any]:
    """As the driver has them: making a moment of each would take longer than reading it."""
    return [type_coerce(column, Whole).label(column.name) for column in (of.created_at, of.started_at, of.finished_at)]


def _committed(commit: Any) -> Any:
    """When a commit was made; a branch that was rewritten may have it twice."""
    found = select(func.min(type_coerce(_COMMITTED, Whole))).where(tables.commits.c.id == commit)
    return found.correlate(commit.table).scalar_subquery().label("committed_at")


def _between(
    query: Select[Any], of: Any, since: datetime, until: datetime, app: str | None, environment: str | None
) -> Select[Any]:
    query = query.where(of.created_at >= since, of.created_at < until)
    query = query if app is None else query.where(of.app == app)
    return query if environment is None else query.where(of.environment == environment)


def reported(connection: Connection, *, app: str | None = None, environment: str | None = None) -> bool:
    """Whether a deployment of this app, or in this environment, was ever reported from elsewhere."""
    if not all(name is None or name.isprintable() for name in (app, environment)):
        return False  # no name is like that, and databases do not take every text
    query = select(R.sequence).limit(1)
    query = query if app is None else query.where(R.app == app)
    query = query if environment is None else query.where(R.environment == environment)
    return connection.execute(query).first() is not None
