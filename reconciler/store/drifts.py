"""Where does something else run than a deployment left, and what is to be looked at?

A drift is a row as long as it is seen; that it began and ended is in the ledger. That something was looked at is
written nowhere.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, or_, select, tuple_

from reconciler.store import declared, tables
from reconciler.store.database import Transaction
from reconciler.store.statements import Among, Prepared, many

_F, _D, _P = tables.drifts.c, tables.deployments.c, tables.placements.c
_OF = Among(select(tables.drifts), _F.app)


def _newest() -> Any:
    """The number of the newest deployment that has reached the target, or may at any moment."""
    other = tables.deployments.alias("other")
    here = (other.c.app == _P.app) & (other.c.environment == _P.environment)
    there = or_(other.c.started_at.is_not(None), other.c.status == "pending")
    return select(func.max(other.c.number)).where(here, there).scalar_subquery()


# Written so that it is walked by app, as it is ordered: by environment, all that follows would be sorted each time.
_IN_ENVIRONMENTS = _P.environment.concat("").in_(many("environments"))
_LEFT = (
    select(_D.app, _D.environment, _D.id, _D.number, _D.status, _D.cause, _D.traffic, _D.grounds)
    .join_from(
        tables.placements,
        tables.deployments,
        (_D.app == _P.app) & (_D.environment == _P.environment) & (_D.number == _newest()),
    )
    .where(_IN_ENVIRONMENTS)
)
_AFTER = tuple_(_P.app, _P.environment) > tuple_(bindparam("app"), bindparam("environment"))
_PAGE = Prepared(_LEFT.where(_AFTER).order_by(_P.app, _P.environment).limit(bindparam("most")))
_LEFT_OF = Prepared(_LEFT.where(_P.app.in_(many("apps"))).order_by(_P.app, _P.environment))
_COUNT = Prepared(select(func.count()).select_from(tables.placements).where(_P.environment.in_(many("environments"))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a look found to be another than what is recorded; `detail` is empty where the drift is over."""

    app: str
    environment: str
    deployment: str
    """The deployment that was the newest when it was looked."""
    detail: str


def count(connection: Connection, environments: Collection[str]) -> int:
    """How many apps were ever placed in these environments, each as often as it is placed."""
    return int(_COUNT.run(connection, environments=sorted(environments)).scalar() or 0)


def page(connection: Connection, environments: Collection[str], after: tuple[str, str], most: int) -> list[Any]:
    """The newest deployment of each app in each of these environments that has one: at most so many, in order of app
    and environment, from behind `after` on."""
    app, environment = after
    return list(_PAGE.run(connection, environments=sorted(environments), app=app, environment=environment, most=most))


def left(connection: Connection, environments: Collection[str], apps: Sequence[str]) -> list[Any]:
    """The newest deployment of each of these apps in each of these environments that has one."""
    names = sorted(environments)
    return [row for part in declared.chunks(apps) for row in _LEFT_OF.run(connection, environments=names, apps=part)]


def of(connection: Connection, apps: Iterable[str]) -> list[Any]:
    """The drifts of these apps."""
    return [row for part in declared.chunks(apps) for row in _OF.run(connection, part)]


def standing(connection: Connection) -> list[Row[Any]]:
    """Those that are not past: nothing has reached the target since, and nothing is about to."""
    rows = every(connection)
    newest = left(connection, {row.environment for row in rows}, sorted({row.app for row in rows})) if rows else []
    ids = {row.id for row in newest if row.status == "completed"}
    return [row for row in rows if row.deployment in ids]


def every(connection: Connection) -> Sequence[Row[Any]]:
    """All that are recorded."""
    return connection.execute(select(tables.drifts).order_by(_F.app, _F.environment)).all()


def record(transaction: Transaction, changes: Sequence[Change], now: datetime) -> list[Change]:
    """Write down what is another now: those of which it still holds, since nothing was deployed there meanwhile."""
    connection = transaction.connection
    apps = sorted({one.app for one in changes})
    newest = {(row.app, row.environment): row for row in left(connection, {one.environment for one in changes}, apps)}
    known = {(row.app, row.environment): row for row in of(connection, apps)}
    written = []
    for one in changes:
        row, before = newest.get((one.app, one.environment)), known.get((one.app, one.environment))
        if row is None or row.id != one.deployment or row.status != "completed":
            continue
        if _write(transaction, one, before, now):
            written.append(one)
    return written


def _write(transaction: Transaction, one: Change, before: Any, now: datetime) -> bool:
    goes_on = before is not None and before.deployment == one.deployment
    if (goes_on and before.detail == one.detail) or (before is None and not one.detail):
        return False
    here = (_F.app == one.app) & (_F.environment == one.environment)
    transaction.connection.execute(delete(tables.drifts).where(here))
    kind, body = "drift.ended", {"detail": before.detail if before is not None else ""}
    if one.detail:
        since = before.since if goes_on else now
        row = {"app": one.app, "environment": one.environment, "deployment": one.deployment}
        transaction.connection.execute(tables.drifts.insert().values(**row, since=since, detail=one.detail))
        kind, body = "drift.changed" if goes_on else "drift.began", {"detail": one.detail}
    transaction.note(kind, now, body, app=one.app, environment=one.environment, subject=one.deployment)
    return True
