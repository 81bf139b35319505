"""Which deployments were made elsewhere, as they were reported?

The planner never sees them. To whoever reads a history they are deployments like the others, with the cause `external`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger as Whole
from sqlalchemy import ColumnElement, Connection, Row, select, tuple_, type_coerce

from reconciler.model.deployment import EXTERNAL, Allotment, Deployment
from reconciler.store import tables
from reconciler.store.history import Filter

R = tables.reports.c


def deployment_of(row: Row[Any]) -> Deployment:
    """The deployment that a row of `reports` tells of. Its version is what whoever deployed it calls it."""
    return Deployment(
        id=row.id,
        number=row.number,
        app=row.app,
        environment=row.environment,
        status=row.status,
        cause=EXTERNAL,
        traffic=(Allotment(version=row.version, number=0, name=row.version, percent=100.0),),
        deployed_by=row.deployed_by,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        error=row.error,
        scm_branch=row.scm_branch,
        scm_sha=row.scm_sha,
        build_url=row.build_url,
        extra_metadata=row.extra_metadata,
    )


def listed(connection: Connection, which: Filter, before: str | None = None) -> list[Deployment]:
    """Reported deployments that pass a filter, newest first; `before`: only those that follow the one of this id."""
    if which.cause not in (None, EXTERNAL):
        return []
    wanted = ((R.app, which.app), (R.environment, which.environment), (R.status, which.status))
    query = select(tables.reports).where(*(column == value for column, value in wanted if value is not None))
    created = type_coerce(R.created_at, Whole)
    kind = R.created_at.type
    if which.since is not None:
        query = query.where(created >= type_coerce(which.since, kind))
    if which.until is not None:
        query = query.where(created < type_coerce(which.until, kind))
    in_time = which.app is None and which.environment is None and (which.since is not None or which.until is not None)
    order = (R.created_at, R.sequence) if in_time else (R.sequence,)
    if before is not None:
        query = query.where(_behind(order, before))
    rows = connection.execute(query.order_by(*(column.desc() for column in order)).limit(which.limit))
    return [deployment_of(row) for row in rows]


def _behind(order: tuple[ColumnElement[Any], ...], identifier: str) -> ColumnElement[bool]:
    place = select(*order).where(R.id == identifier)
    return tuple_(*order) < place.scalar_subquery() if len(order) > 1 else order[0] < place.scalar_subquery()


def by_ids(connection: Connection, identifiers: Sequence[str]) -> list[Deployment]:
    """The reported deployments with these ids."""
    rows = connection.execute(select(tables.reports).where(R.id.in_(identifiers)))
    return [deployment_of(row) for row in rows]


def beginning(connection: Connection, identifier: str, most: int = 2) -> list[Deployment]:
    """The newest reported deployments whose ids begin so."""
    query = select(tables.reports).where(R.id >= identifier, R.id < f"{identifier}g")
    return [deployment_of(row) for row in connection.execute(query.order_by(R.sequence.desc()).limit(most))]
