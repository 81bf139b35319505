"""Which webhooks have come, so that none is taken twice, and when was the last one?"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.statements import Prepared

W = tables.webhooks.c
KEPT = timedelta(days=90)
"""How long a delivery is remembered. One that comes again later still is a nudge and nothing more."""
_NEWEST = Prepared(select(func.max(W.at)))
_SEEN = select(W.at)


def take(transaction: Transaction, forge: str, delivery: str, now: datetime) -> bool:
    """Write a delivery down; False for one that has come before."""
    connection = transaction.connection
    if connection.execute(_SEEN.where(W.forge == forge, W.delivery == delivery)).first() is not None:
        return False
    connection.execute(delete(tables.webhooks).where(W.at < now - KEPT))
    connection.execute(tables.webhooks.insert().values(forge=forge, delivery=delivery, at=now))
    transaction.nudges = True
    return True


def newest(connection: Connection) -> datetime | None:
    """When the last one came (UTC)."""
    found: datetime | None = _NEWEST.run(connection).scalar()
    return found
