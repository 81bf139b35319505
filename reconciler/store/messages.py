"""What is to be sent, how often has that been tried, and how did it go?

A message is marked as being sent before it leaves. Whoever finds the mark afterwards, since a process was killed over
it, knows that nobody knows whether it arrived: it is sent again under the same id.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, exists, func, select, update

from reconciler.schedule import backoff
from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.declared import chunks
from reconciler.store.statements import Among

Channel = Literal["alert", "forge", "notes"]
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)
LIMIT = 80
"""Attempts, over about half a day."""

_M, _D = tables.messages.c, tables.deliveries.c
OPEN = ("waiting", "sending")
"""The statuses of what is still to arrive."""
_NOW = bindparam("now", type_=_M.next_at.type)
_earlier = tables.messages.alias("earlier")
_unhindered = ~exists().where(
    _earlier.c.stream == _M.stream,
    _earlier.c.stream != "",
    _earlier.c.status.in_(OPEN),
    _earlier.c.sequence < _M.sequence,
)
_DUE = Among(
    select(tables.messages)
    .where(_M.status == "waiting", _M.next_at <= _NOW, _unhindered)
    .order_by(_M.next_at, _M.sequence)
    .limit(bindparam("most")),
    _M.channel,
)


def to_send(
    identifier: str,
    channel: Channel,
    content: Mapping[str, Any],
    now: datetime,
    *,
    stream: str,
    alert: str = "",
    to: str = "",
    notices: int = 1,
) -> dict[str, Any]:
    """A message, for `add`. What is of one `stream` is sent one after the other; `to` is where its address is found."""
    return {
        "id": identifier,
        "channel": channel,
        "alert": alert,
        "stream": stream,
        "to": to,
        "content": content,
        "notices": notices,
        "made_at": now,
    }


def add(transaction: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Write messages that are to be sent, as `to_send` makes them.

    One whose id is there already is the same one, and stays as it is.
    """
    connection = transaction.connection
    known: set[str] = set()
    for part in chunks(row["id"] for row in rows):
        known |= set(connection.scalars(select(_M.id).where(_M.id.in_(part))))
    fresh = {"status": "waiting", "attempts": 0, "uncertain": False, "ended_at": None, "error": None}
    new = [{**row, **fresh, "next_at": row["made_at"]} for row in rows if row["id"] not in known]
    if new:
        connection.execute(tables.messages.insert(), new)


def due(connection: Connection, channels: Sequence[Channel], now: datetime, most: int) -> list[Row[Any]]:
    """What is to be sent now: of what belongs together, only the first."""
    return _DUE.run(connection, channels, now=now, most=most)


def claim(transaction: Transaction, row: Row[Any], now: datetime) -> bool:
    """Mark it as being sent from now on; False where it is not waiting any more, or was put off."""
    here = (_M.id == row.id) & (_M.status == "waiting") & (_M.next_at <= now)
    values = {"status": "sending", "attempts": row.attempts + 1}
    if not transaction.connection.execute(update(tables.messages).where(here).values(**values)).rowcount:
        return False
    attempt = {"message": row.id, "attempt": row.attempts + 1, "at": now, "outcome": "sending", "detail": ""}
    transaction.connection.execute(tables.deliveries.insert().values(**attempt))
    return True


def sent(transaction: Transaction, row: Row[Any], now: datetime, detail: str = "") -> None:
    """It arrived."""
    values = {"status": "sent", "ended_at": now, "error": None}
    transaction.connection.execute(update(tables.messages).where(_M.id == row.id).values(**values))
    _ended(transaction, row.id, "sent", detail, now)


def failed(
    transaction: Transaction,
    row: Row[Any],
    now: datetime,
    error: str,
    *,
    after: timedelta | None = None,
    for_good: bool = False,
    unsure: bool = False,
) -> bool:
    """It did not arrive, or with `unsure` nobody knows; it is tried again, unless `for_good` or too often by now.

    `after`: how long the other side asked to be left alone. Whether it is tried again.
    """
    attempts = row.attempts + 1
    ends = for_good or attempts >= LIMIT
    values: dict[str, Any] = {"error": error, "uncertain": row.uncertain or unsure}
    if ends:
        values |= {"status": "failed", "ended_at": now}
    else:
        values |= {
            "status": "waiting",
            "next_at": now + max(backoff(FIRST_PAUSE, attempts, LONGEST_PAUSE), after or timedelta()),
        }
    transaction.connection.execute(update(tables.messages).where(_M.id == row.id).values(**values))
    _ended(transaction, row.id, "unknown" if unsure else "failed", error, now)
    return not ends


def put_off(transaction: Transaction, row: Row[Any], until: datetime) -> None:
    """Whoever this message goes to asked to be left alone: what else goes there waits as well."""
    same = (_M.channel == row.channel) & (_M.alert == row.alert) & (_M.status == "waiting") & (_M.next_at < until)
    transaction.connection.execute(update(tables.messages).where(same).values(next_at=until))


def take_up(transaction: Transaction, now: datetime) -> int:
    """What was being sent when a process was killed is to be sent again; how many messages that are."""
    values = {"status": "waiting", "uncertain": True, "next_at": now}
    done = transaction.connection.execute(update(tables.messages).where(_M.status == "sending").values(**values))
    said = {"outcome": "unknown", "detail": "the daemon ended before an answer came", "ended_at": now}
    transaction.connection.execute(update(tables.deliveries).where(_D.outcome == "sending").values(**said))
    return int(done.rowcount)


def of_alerts(connection: Connection) -> list[Row[Any]]:
    """The alerts and addresses for which messages wait, and how often one of them was tried."""
    query = select(_M.alert, _M.to, func.max(_M.attempts).label("attempts")).group_by(_M.alert, _M.to)
    return list(connection.execute(query.where(_M.status == "waiting", _M.channel == "alert")))


def readdress(transaction: Transaction, alert: str, to: str, now: datetime) -> None:
    """What an alert is still to be sent goes to another address from now on, at once."""
    here = (_M.alert == alert) & (_M.channel == "alert") & (_M.status == "waiting")
    transaction.connection.execute(update(tables.messages).where(here).values(to=to, next_at=now))


def drop(transaction: Transaction, alert: str, now: datetime, why: str) -> None:
    """What an alert was still to be sent is not sent."""
    here = (_M.alert == alert) & (_M.channel == "alert") & (_M.status == "waiting")
    values = {"status": "dropped", "ended_at": now, "error": why}
    transaction.connection.execute(update(tables.messages).where(here).values(**values))


def _ended(transaction: Transaction, message: str, outcome: str, detail: str, now: datetime) -> None:
    here = (_D.message == message) & (_D.outcome == "sending")
    values = {"outcome": outcome, "detail": detail, "ended_at": now}
    transaction.connection.execute(update(tables.deliveries).where(here).values(**values))


def waiting_streams(connection: Connection, streams: Iterable[str]) -> set[str]:
    """Of these streams, those in which something waits to be sent."""
    found: set[str] = set()
    for part in chunks(streams):
        found |= set(connection.scalars(select(_M.stream).where(_M.stream.in_(part), _M.status == "waiting")))
    return found


def last_said(connection: Connection, stream: str) -> str | None:
    """What the newest message of a stream that arrived said; None before the first."""
    query = select(_D.detail).join_from(tables.deliveries, tables.messages, _D.message == _M.id)
    query = query.where(_M.stream == stream, _D.outcome == "sent").order_by(_D.sequence.desc()).limit(1)
    found: str | None = connection.scalar(query)
    return found


def find(connection: Connection, beginning: str) -> Row[Any] | None:
    """The message whose id begins so, if it is the only one."""
    here = (_M.id >= beginning, _M.id < beginning + "g")
    rows = connection.execute(select(tables.messages).where(*here).limit(2)).all()
    return rows[0] if len(rows) == 1 else None


def listed(
    connection: Connection, alert: str | None, status: str | None, limit: int, before: int | None = None
) -> list[Row[Any]]:
    """Messages, newest first; `before`: only those with a lower sequence number."""
    query = select(tables.messages).order_by(_M.sequence.desc()).limit(limit)
    if before is not None:
        query = query.where(_M.sequence < before)
    if alert is not None:
        query = query.where(_M.alert == alert)
    if status is not None:
        query = query.where(_M.status == status)
    return list(connection.execute(query))


def tries(connection: Connection, messages: Sequence[str]) -> dict[str, list[Row[Any]]]:
    """The attempts of these messages, oldest first."""
    found: dict[str, list[Row[Any]]] = {}
    for part in chunks(messages):
        here = _D.message.in_(part)
        for row in connection.execute(select(tables.deliveries).where(here).order_by(_D.sequence)):
            found.setdefault(row.message, []).append(row)
    return found


def standing(connection: Connection) -> dict[str, dict[str, int]]:
    """How many messages each alert has, by status."""
    by = (_M.alert, _M.channel, _M.status)
    query = select(*by, func.count().label("number")).group_by(*by)
    found: dict[str, dict[str, int]] = {}
    for row in connection.execute(query):
        found.setdefault(row.alert or row.channel, {})[row.status] = row.number
    return found
