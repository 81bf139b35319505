"""Which deployments that are made elsewhere were not let start, and are still wanted?

Each is filed under the key of its approvals. What may start is decided elsewhere; a start that nobody wants any more
stays, with the reason why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, case, false, func, select, update

from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.statements import Among, Prepared
from reconciler.store.tables.faces import WANTED

S, _D = tables.starts.c, tables.deployments.c
WANTED_FOR = timedelta(days=7)
"""So long a start is wanted that nobody asks for again."""
WITHDRAWN = "report.withdrawn"
"""The fact that a refused start is wanted no more."""
_SINCE = bindparam("since", type_=S.asked_at.type)
_NEWEST = select(_D.created_at).where(_D.app == S.app, _D.environment == S.environment)
_NEWEST_OF_OURS = _NEWEST.order_by(_D.number.desc()).limit(1).correlate(tables.starts).scalar_subquery()
_PASSED = func.coalesce(S.asked_at < _NEWEST_OF_OURS, false())
"""Whether the reconciler itself began something there since."""
_WAITING = select(tables.starts).where(WANTED, S.asked_at > _SINCE, ~_PASSED).order_by(S.since, S.key)
_OF = Among(_WAITING, S.app)
_ALL = Prepared(_WAITING)
_EVER = Prepared(select(S.key).where(S.app == bindparam("of_app")).limit(1))
_FIND = Prepared(select(tables.starts, _PASSED.label("passed")).where(S.key == bindparam("start")))


def waiting(connection: Connection, apps: Sequence[str] | None, now: datetime) -> list[Any]:
    """Rows of starts of these apps (None: of all) that were refused and are wanted at `now` (UTC), oldest first."""
    if apps is None:
        return _ALL.run(connection, since=now - WANTED_FOR)
    return _OF.run(connection, apps, since=now - WANTED_FOR) if apps else []


def find(connection: Connection, key: str, now: datetime) -> tuple[Any, str] | None:
    """The start that is filed under a key, and why it is over at `now` (UTC), '' while it is wanted; None: none is."""
    row = _FIND.run(connection, start=key).one_or_none()
    if row is None:
        return None
    if not row.over and row.passed:
        return row, "something else was started there since"
    if not row.over and row.asked_at <= now - WANTED_FOR:
        return row, f"nobody asked for it within {WANTED_FOR.days} days"
    return row, row.over


def ever(connection: Connection, app: str) -> bool:
    """Whether a start of an app was ever refused."""
    return _EVER.run(connection, of_app=app).scalar() is not None


def refuse(
    transaction: Transaction,
    key: str,
    *,
    app: str,
    environment: str,
    version: str,
    kind: str,
    people: Iterable[str],
    now: datetime,
) -> None:
    """Somebody wants to start this at `now` (UTC), and may not yet."""
    said: dict[str, Any] = {"kind": kind, "people": sorted(people), "asked_at": now, "over": ""}
    since = case((WANTED, S.since), else_=bindparam("again", now, type_=S.since.type))
    again = update(tables.starts).where(S.key == key).values(**said, since=since)
    if not transaction.connection.execute(again).rowcount:
        named = {"key": key, "app": app, "environment": environment, "version": version, "since": now}
        transaction.connection.execute(tables.starts.insert().values(**named, **said))


def asked_again(transaction: Transaction, key: str, now: datetime) -> None:
    """Somebody still wants to start this, and something else speaks against it at present."""
    transaction.connection.execute(update(tables.starts).where(S.key == key, WANTED).values(asked_at=now))


def started(transaction: Transaction, app: str, environment: str, version: str, actor: str, now: datetime) -> None:
    """A version started there: it waits no more, and what else waited has been passed by."""
    here = (S.app == app, S.environment == environment, WANTED)
    done = update(tables.starts).where(*here, S.version == version).values(over="it was started")
    transaction.connection.execute(done)
    for row in transaction.connection.execute(select(tables.starts).where(*here)).all():
        _withdraw(transaction, row, f"{version} was started there since", actor, now)


def ended(
    transaction: Transaction,
    app: str,
    environment: str,
    version: str,
    how: str,
    *,
    at: datetime,
    actor: str,
    now: datetime,
) -> None:
    """A deployment of it was told to have ended at `at` (UTC): a start that was refused before is not wanted then."""
    here = (S.app == app, S.environment == environment, S.version == version, WANTED, S.since <= at)
    for row in transaction.connection.execute(select(tables.starts).where(*here)).all():
        _withdraw(transaction, row, f"it was reported {how} since", actor, now)


def _withdraw(transaction: Transaction, row: Any, why: str, actor: str, now: datetime) -> None:
    transaction.connection.execute(update(tables.starts).where(S.key == row.key).values(over=why))
    body = {"version": row.version, "message": why}
    transaction.note(WITHDRAWN, now, body, app=row.app, environment=row.environment, subject=row.key, actor=actor)
