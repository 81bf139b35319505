"""What of a store is looked at as a whole, or put right, when it is made anew and compared with what targets run?

`rebuild` and `restore` alone ask this: everything here reads or changes what a daemon at work looks at by app.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from reconciler.model.deployment import Place
from reconciler.schedule import rfc3339
from reconciler.store import tables
from reconciler.store.database import Transaction

_C, _D, _I, _P = tables.commits.c, tables.deployments.c, tables.interventions.c, tables.placements.c
_T, _V = tables.touches.c, tables.versions.c
_NAMING = (
    _D.rolled_back_from,
    tables.occurrences.c.deployment,
    tables.suspicions.c.deployment,
    tables.holds.c.deployment,
    tables.ledger.c.subject,
)
"""Where the id of a deployment stands besides its own row."""


def places(connection: Connection) -> list[Place]:
    """Every app in every environment in which it is declared or was released, in order."""
    declared = {(row.app, row.environment) for row in connection.execute(select(_P.app, _P.environment))}
    released = {(row.app, row.environment) for row in connection.execute(select(_D.app, _D.environment).distinct())}
    return sorted(declared | released)


def versions(connection: Connection) -> dict[tuple[str, int], Any]:
    """Every version by app and number: app, number, id, name, commit."""
    query = select(_V.app, _V.number, _V.id, _V.name, _V.commit).order_by(_V.app, _V.number)
    return {(row.app, row.number): row for row in connection.execute(query)}


def commits(connection: Connection) -> set[str]:
    """The ids of every commit that was noted."""
    return set(connection.execute(select(_C.id)).scalars())


def first_commit(connection: Connection) -> str | None:
    """The id of the commit with which the store begins."""
    found: str | None = connection.execute(select(_C.id).where(_C.position == 1)).scalar()
    return found


def current(connection: Connection) -> dict[Place, Any]:
    """The newest deployment of each place that completed: app, environment, cause, traffic, config."""
    query = select(_D.app, _D.environment, _D.cause, _D.traffic, _D.config).where(_D.status == "completed")
    return {(row.app, row.environment): row for row in connection.execute(query.order_by(_D.number))}


def past(connection: Connection, apps: Collection[str]) -> list[Row[Any]]:
    """Every deployment of these apps, place by place, the oldest first."""
    query = select(tables.deployments).where(_D.app.in_(list(apps))).order_by(_D.app, _D.environment, _D.number)
    return list(connection.execute(query))


def has_completed(connection: Connection, app: str, environment: str, version: str) -> bool:
    """Whether a version has ever completed there, alone or as a part of a split."""
    here = (_D.app == app) & (_D.environment == environment) & (_D.status == "completed")
    rows = connection.execute(select(_D.traffic).where(here)).scalars()
    return any(part["version"] == version for row in rows for part in row)


def asked_by_people(connection: Connection) -> set[tuple[str | None, str | None]]:
    """Apps and environments, None for all, for which a person has wished anything but a rewritten branch."""
    query = select(_I.app, _I.environment).where(_I.kind != "accept").distinct()
    return {(row.app, row.environment) for row in connection.execute(query)}


def take_back(transaction: Transaction, row: Row[Any], why: str, now: datetime) -> None:
    """What was taken to have completed has not, or not for long."""
    values = {"status": "aborted", "started_at": None, "finished_at": now, "error": why}
    transaction.connection.execute(update(tables.deployments).where(_D.id == row.id).values(**values))
    where = {"app": row.app, "environment": row.environment}
    transaction.note("deployment.aborted", now, {"number": row.number, "message": why}, subject=row.id, **where)


def rename(connection: Connection, deployment: str, to: str) -> None:
    """A deployment goes by another id, everywhere."""
    connection.execute(update(tables.deployments).where(_D.id == deployment).values(id=to))
    for column in _NAMING:
        connection.execute(update(column.table).where(column == deployment).values({column: to}))


def let_in(connection: Connection, contents: Collection[tuple[str, str]]) -> None:
    """These versions of apps are not held back any more by the commits that changed too much at once."""
    held = select(_T.position, _T.app, _T.after).where(_T.braked, _T.environment == "")
    for row in connection.execute(held).all():
        if (row.app, row.after) in contents:
            here = (_T.position == row.position) & (_T.app == row.app)
            connection.execute(update(tables.touches).where(here).values(braked=False))


def mark(connection: Connection, now: datetime) -> None:
    """Every deployment is one that was rebuilt, and no check was run."""
    connection.execute(delete(tables.checks))
    connection.execute(update(tables.deployments).values(extra_metadata={"rebuilt": rfc3339(now)}))


def counts(connection: Connection) -> Mapping[str, int]:
    """How many commits, versions and deployments there are."""
    several = (tables.commits, tables.versions, tables.deployments)
    return {one.name: int(connection.execute(select(func.count()).select_from(one)).scalar() or 0) for one in several}
