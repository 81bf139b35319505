"""Which facts is somebody to be told of, and up to where in the ledger has that been found out?

A notice is one fact for one alert. The position moves in the transaction in which the notices are written, so that none
is lost and none is made twice. What is sent, and when, is asked in `messages`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from reconciler.store import ledger, tables
from reconciler.store.database import Transaction
from reconciler.store.declared import chunks
from reconciler.store.leases import lineage
from reconciler.store.messages import OPEN
from reconciler.store.statements import Prepared

_N, _L, _A, _P = tables.notices.c, tables.ledger.c, tables.announced.c, tables.notified.c
_POSITION = Prepared(select(tables.notified))
ROW = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Up to where it has been found out who is to be told of what."""

    ledger: int
    clock: datetime
    """Up to when what the clock brings was looked at (UTC)."""


def position(connection: Connection) -> Position | None:
    """Where it stands; None before the first look, and after the store was restored or rebuilt."""
    row = _POSITION.run(connection).one_or_none()
    if row is None or row.lineage != lineage(connection):
        return None
    return Position(ledger=row.position, clock=row.clock)


def begin(transaction: Transaction, now: datetime) -> Position:
    """Begin at the newest fact: nothing older is told. What a restored store still had to send is dropped."""
    connection = transaction.connection
    found = Position(ledger=ledger.newest(connection), clock=now)
    connection.execute(delete(tables.notified))
    values = {"id": ROW, "position": found.ledger, "clock": now, "lineage": lineage(connection)}
    connection.execute(tables.notified.insert().values(**values))
    connection.execute(delete(tables.notices).where(_N.message.is_(None)))
    m = tables.messages.c
    dropped = {"status": "dropped", "ended_at": now, "error": "the store was restored or made anew"}
    connection.execute(update(tables.messages).where(m.status.in_(OPEN)).values(**dropped))
    return found


def advance(transaction: Transaction, upto: int, clock: datetime) -> None:
    """Everything up to here has been looked at."""
    transaction.connection.execute(update(tables.notified).values(position=upto, clock=clock))


def facts(
    connection: Connection, after: int, newest: int, kinds: Sequence[str], most: int
) -> tuple[list[Row[Any]], int]:
    """Facts of these kinds behind a position, up to the newest, oldest first; and up to where that is everything."""
    here = (_L.sequence > after) & (_L.sequence <= newest) & _L.kind.in_(list(kinds))
    rows = list(connection.execute(select(tables.ledger).where(here).order_by(_L.sequence).limit(most)))
    return rows, rows[-1].sequence if len(rows) == most else newest


def add(transaction: Transaction, rows: Sequence[dict[str, Any]]) -> int:
    """Write notices; those that are there already stay as they are. How many were new."""
    connection, known = transaction.connection, set()
    for part in chunks({row["fact"] for row in rows}):
        query = select(_N.alert, _N.fact).where(_N.fact.in_(part))
        known |= {(row.alert, row.fact) for row in connection.execute(query)}
    new = [row for row in rows if (row["alert"], row["fact"]) not in known]
    if new:
        connection.execute(tables.notices.insert(), [{"message": None, **row} for row in new])
    return len(new)


def gathered(connection: Connection) -> dict[str, datetime]:
    """Alerts that have notices which no message carries yet, with the moment of the oldest."""
    query = select(_N.alert, func.min(_N.at).label("oldest")).where(_N.message.is_(None)).group_by(_N.alert)
    return {row.alert: row.oldest for row in connection.execute(query)}


def unsent(connection: Connection, alert: str, most: int) -> list[Row[Any]]:
    """Notices of an alert that no message carries yet, oldest first."""
    query = select(tables.notices).where(_N.alert == alert, _N.message.is_(None))
    return list(connection.execute(query.order_by(_N.sequence).limit(most)))


def carried(transaction: Transaction, rows: Sequence[Row[Any]], message: str) -> None:
    """These notices are sent with that message."""
    for part in chunks(row.sequence for row in rows):
        transaction.connection.execute(update(tables.notices).where(_N.sequence.in_(part)).values(message=message))


def forget(transaction: Transaction, alert: str) -> None:
    """An alert has left git: what it was still to be told of is not sent."""
    transaction.connection.execute(delete(tables.notices).where(_N.alert == alert, _N.message.is_(None)))


def of_message(connection: Connection, message: str) -> list[Row[Any]]:
    """The notices that a message carries."""
    return list(connection.execute(select(tables.notices).where(_N.message == message).order_by(_N.sequence)))


def announced(connection: Connection, alert: str) -> list[Row[Any]]:
    """The scheduled changes that an alert was told of and that have not come yet."""
    return list(connection.execute(select(tables.announced).where(_A.alert == alert).order_by(_A.at)))


def announce(transaction: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Remember that these scheduled changes were told."""
    if rows:
        transaction.connection.execute(tables.announced.insert(), list(rows))


def past(transaction: Transaction, edges: Sequence[tuple[str, str]], before: datetime) -> None:
    """These announcements (alert, edge) were taken back, and all of a moment that has passed are over."""
    for alert, edge in edges:
        transaction.connection.execute(delete(tables.announced).where(_A.alert == alert, _A.edge == edge))
    transaction.connection.execute(delete(tables.announced).where(_A.at <= before))


def prune(transaction: Transaction, before: datetime) -> None:
    """Forget what was told long ago."""
    m, d = tables.messages.c, tables.deliveries.c
    transaction.connection.execute(delete(tables.notices).where(_N.at < before, _N.message.is_not(None)))
    transaction.connection.execute(delete(tables.messages).where(m.made_at < before, m.status.not_in(OPEN)))
    transaction.connection.execute(delete(tables.deliveries).where(d.at < before))
