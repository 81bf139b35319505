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
_TICK = timedelta(microseconds=1)
_NEWEST = Prepared(select(func.max(W.at)))
_SEEN = select(W.at)


def take(transaction: Transaction, forge: str, delivery: str, now: datetime) -> bool:
    """Write a delivery down; False for one that has come before."""
    connection = transaction.connection
    if connection.execute(_SEEN.where(W.forge == forge, W.delivery == delivery)).first() is not None:
        return False
    connection.execute(delete(tables.webhooks).where(W.at < now - KEPT))
    last = newest(connection)
    # Each is newer than the one before, whatever the clocks of the processes say that write them down.
    at = now if last is None or last < now else last + _TICK
    connection.execute(tables.webhooks.insert().values(forge=forge, delivery=delivery, at=at))
    transaction.nudges = True
    return True


def newest(connection: Connection) -> datetime | None:
    """When the last one came (UTC): another moment whenever one has come."""
    found: datetime | None = _NEWEST.run(connection).scalar()
    return found
