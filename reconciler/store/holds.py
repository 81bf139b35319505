"""Where do git and reality differ on purpose, since when, and by whose word?

A hold is a row as long as it holds; that it began and ended is in the ledger.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, or_, select, update

from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.statements import Among

_H = tables.holds.c
_HOLDS = Among(select(tables.holds), _H.app)


def of(connection: Connection, apps: Sequence[str]) -> Iterable[Row[Any]]:
    """The holds of these apps."""
    return _HOLDS.run(connection, apps)


def find(connection: Connection, app: str, environment: str) -> Row[Any] | None:
    """The hold of an app in an environment."""
    query = select(tables.holds).where(_H.app == app, _H.environment == environment)
    return connection.execute(query).one_or_none()


def hold(
    transaction: Transaction,
    app: str,
    environment: str,
    by: str,
    reason: str,
    now: datetime,
    *,
    traffic: Sequence[dict[str, Any]] = (),
    deployment: str | None = None,
    version: str | None = None,
) -> None:
    """Hold an app in an environment; a newer hold takes the place of an older one."""
    here = (_H.app == app) & (_H.environment == environment)
    transaction.connection.execute(delete(tables.holds).where(here))
    values = {"by": by, "reason": reason, "since": now, "traffic": list(traffic)}
    row = {"app": app, "environment": environment, **values, "deployment": deployment, "version": version}
    transaction.connection.execute(tables.holds.insert().values(**row))
    body = {"reason": reason, "deployment": deployment, "traffic": list(traffic)}
    transaction.note("hold.began", now, body, app=app, environment=environment, subject=deployment, actor=by)


def lift(
    transaction: Transaction, app: str, environment: str, reason: str, now: datetime, actor: str = "reconciler"
) -> bool:
    """End a hold; False when there was none."""
    here = (_H.app == app) & (_H.environment == environment)
    done = transaction.connection.execute(delete(tables.holds).where(here))
    if done.rowcount:
        transaction.note("hold.ended", now, {"reason": reason}, app=app, environment=environment, actor=actor)
    return bool(done.rowcount)


def without_branch(connection: Connection, now: datetime, most: int) -> list[Row[Any]]:
    """Holds whose branch is still to be written, and may be tried now."""
    due = or_(_H.again_at.is_(None), _H.again_at <= now)
    query = select(tables.holds).where(_H.branch.is_(None), _H.version.is_not(None), due).limit(most)
    return list(connection.execute(query))


def next_branch(connection: Connection) -> datetime | None:
    """When writing a branch is tried again."""
    query = select(_H.again_at).where(_H.branch.is_(None), _H.version.is_not(None), _H.again_at.is_not(None))
    return connection.scalar(query.order_by(_H.again_at).limit(1))


def wrote_branch(transaction: Transaction, app: str, environment: str, branch: str, commit: str, now: datetime) -> None:
    """The commit that makes git say the same lies on a branch."""
    here = (_H.app == app) & (_H.environment == environment)
    values = {"branch": branch, "branch_commit": commit, "trouble": None, "again_at": None}
    transaction.connection.execute(update(tables.holds).where(here).values(**values))
    body = {"branch": branch, "commit": commit}
    transaction.note("hold.branch", now, body, app=app, environment=environment, subject=commit)


def branch_failed(
    transaction: Transaction, app: str, environment: str, trouble: str, again_at: datetime | None
) -> None:
    """The branch could not be written: why, and when it is tried again (None: a person is needed)."""
    here = (_H.app == app) & (_H.environment == environment)
    values: dict[str, Any] = {"trouble": trouble, "again_at": again_at}
    if again_at is None:
        values["branch"] = ""
    transaction.connection.execute(update(tables.holds).where(here).values(**values))
