"""Which routes, domains and crons is a target to be handed, and did it take them?

What is due of them is the planner's question; they are handed over in the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, or_, select, text, update

from reconciler.model.app import Triggers
from reconciler.schedule import backoff
from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.statements import Prepared

PAUSE = timedelta(seconds=10)
"""After the first time that a target did not take them; then twice as long each time, up to ten minutes."""
TRIGGERS = TypeAdapter(Triggers)

_T = tables.triggers.c
_P = tables.placements.c
_HERE = and_(_P.app == _T.app, _P.environment == _T.environment)
_TO_HAND_OVER = Prepared(
    select(tables.triggers, tables.apps.c.removed, _P.declared)
    .join_from(tables.triggers, tables.apps, tables.apps.c.name == _T.app, isouter=True)
    .join(tables.placements, _HERE, isouter=True)
    .where(text("triggers.open"), or_(_T.retry_at.is_(None), _T.retry_at <= bindparam("now", type_=_T.retry_at.type)))
    .limit(bindparam("most"))
)


def request(
    transaction: Transaction, app: str, environment: str, settings: Triggers, *, digest: str | None, target: str
) -> None:
    """The target is to have these settings from now on, whatever it had before. `digest` is what they are compared by,
    `target` one of where they are handed over."""
    values = {
        "requested": digest,
        "target": target,
        "fence": None,
        "settings": TRIGGERS.dump_python(settings, mode="json"),
        "attempts": 0,
        "retry_at": None,
        "error": None,
        "open": True,
    }
    changed = transaction.connection.execute(update(tables.triggers).where(_of(app, environment)).values(**values))
    if changed.rowcount == 0:
        transaction.connection.execute(tables.triggers.insert().values(app=app, environment=environment, **values))


def to_hand_over(
    transaction: Transaction, targets: Mapping[str, str], now: datetime, limit: int
) -> tuple[list[Row[Any]], set[str]]:
    """Settings that a target is to be handed now, and the apps of those that are pointless by now.

    `targets` has a digest of where each environment is. What was to be handed over elsewhere, and what is of apps and
    of environments that have left git, or of an app that is not in it any more, is forgotten: it would keep what comes
    behind it from being seen.
    """
    found = _TO_HAND_OVER.run(transaction.connection, now=now, most=limit)
    stay = [
        row for row in found if row.removed is False and row.declared and targets.get(row.environment) == row.target
    ]
    gone = [row for row in found if row not in stay]
    for row in gone:
        forget(transaction, row.app, row.environment)
    return stay, {row.app for row in gone}


def handed_over(transaction: Transaction, app: str, environment: str, fence: int) -> None:
    """The target is told now, by this fence: only what answers to it counts."""
    transaction.connection.execute(update(tables.triggers).where(_of(app, environment)).values(fence=fence))


def forget(transaction: Transaction, app: str, environment: str) -> None:
    """Nothing of the app is there any more: whatever is put there next is handed its settings anew."""
    transaction.connection.execute(delete(tables.triggers).where(_of(app, environment)))


def answered(
    transaction: Transaction,
    app: str,
    environment: str,
    digest: str | None,
    error: str | None,
    now: datetime,
    *,
    fence: int,
    later: bool = False,
) -> bool:
    """The target took the settings of this digest, handed over by this fence, or why it did not; `later` where it only
    asked for time, which is told nobody.

    Whether that counts: not where nobody waits for it any more, since others were asked for, or somewhere else.
    """
    row = transaction.connection.execute(select(tables.triggers).where(_of(app, environment))).one_or_none()
    if row is None or row.fence != fence:
        return False
    values: dict[str, Any] = {"applied": digest, "open": False, "retry_at": None, "attempts": 0, "error": None}
    if error is not None:
        values = {"attempts": row.attempts + 1, "retry_at": now + backoff(PAUSE, row.attempts + 1)}
        values |= {} if later else {"error": error}
    transaction.connection.execute(update(tables.triggers).where(_of(app, environment)).values(**values))
    if error is None:
        transaction.note("triggers.applied", now, {"digest": digest, "error": None}, app=app, environment=environment)
    elif not later:
        body = {"digest": digest, "error": error, "again": row.error is not None}
        transaction.note("triggers.failed", now, body, app=app, environment=environment)
    return True


def _of(app: str, environment: str) -> ColumnElement[bool]:
    return and_(_T.app == app, _T.environment == environment)
