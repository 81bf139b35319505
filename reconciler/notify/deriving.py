"""Which notices follow from what was recorded since the last look?

A level and not an edge: the store holds up to where everything has been looked at, and the notices of a look are
written in the transaction that moves this on. So a daemon that was killed, or did not lead for a while, tells what
happened meanwhile, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from reconciler.model.alert import Alert
from reconciler.model.deployment import ROLLBACKS
from reconciler.notify import facts
from reconciler.notify.cdevents import event_message
from reconciler.notify.facts import Happening
from reconciler.notify.freezing_soon import freezes_begun
from reconciler.store import declared, ledger, messages, notices
from reconciler.store.database import Database, Transaction
from reconciler.views.scene import declared_alerts

MOST = 2_000
"""So many facts are looked at in one transaction."""
RARELY = timedelta(seconds=10)
"""So old the position may get while there is nobody to tell."""

SELDOM = timedelta(minutes=10)
"""So old the position may get while nothing happens."""

Also = Callable[[Transaction, Sequence[Row[Any]], datetime], None]
"""What else is made of the same facts, such as the records of a forge."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look came to."""

    newest: int = 0
    """The newest fact that there was."""
    notices: int = 0
    more: bool = False
    """Whether there are facts that were not looked at yet."""


def begin(database: Database, now: datetime) -> None:
    """Know from where on facts are told, if it is not known yet. Raises StoreError."""
    with database.read() as connection:
        if notices.position(connection) is not None:
            return
    with database.write() as transaction:
        if notices.position(transaction.connection) is None:
            notices.begin(transaction, now)


class Deriving:
    """Makes notices, one look after the other."""

    def __init__(self, database: Database, also: Sequence[Also] = ()) -> None:
        self._database = database
        self._also = also
        self._alerts: tuple[int, list[Alert]] | None = None
        self._passed = 0
        """Up to where facts came while there was nobody to tell; written down only now and then."""

    def look(self, now: datetime) -> Looked:
        """Make notices of what was recorded since the last look; written only where that matters. Raises StoreError."""
        with self._database.read() as connection:
            newest = ledger.newest(connection)
            place = notices.position(connection)
            if place is not None:
                alerts = self._in_force(connection, newest)
                if not alerts and not self._also and now < place.clock + RARELY:
                    self._passed = newest
                    return Looked(newest)
                after = max(place.ledger, self._passed)
                begun = freezes_begun(connection, alerts, place.clock, now)
                if newest == after and not begun and now < place.clock + SELDOM:
                    return Looked(newest)
                rows, upto = notices.facts(connection, after, newest, facts.KINDS, MOST)
        if place is None:
            begin(self._database, now)
            return Looked(newest, more=True)
        with self._database.write() as transaction:
            if notices.position(transaction.connection) != place:
                return Looked(newest, more=True)
            made = _notices(transaction, alerts, [*facts.happenings(transaction.connection, rows), *begun], now)
            for one in self._also:
                one(transaction, rows, now)
            notices.advance(transaction, upto, max(now, place.clock))
        return Looked(newest, made, more=len(rows) == MOST)

    def _in_force(self, connection: Connection, newest: int) -> list[Alert]:
        """The alerts that git declares; they are others only where a commit was noted since."""
        if self._alerts is None or self._alerts[0] != newest:
            self._alerts = (newest, declared_alerts(connection))
        return self._alerts[1]

    def remember(self, now: datetime) -> None:
        """Write down what passed while there was nobody to tell, since the daemon ends. Raises StoreError."""
        if not self._passed:
            return
        with self._database.write() as transaction:
            place = notices.position(transaction.connection)
            if place is not None and place.ledger < self._passed:
                notices.advance(transaction, self._passed, max(now, place.clock))
        self._passed = 0


def _notices(transaction: Transaction, alerts: Sequence[Alert], found: Iterable[Happening], now: datetime) -> int:
    if not alerts:
        return 0
    found = list(found)
    labels = labels_of(transaction.connection, alerts, {one.app for one in found if one.app})
    made, events = [], []
    for one in found:
        for alert in alerts:
            if not alert.concerns(one.event, one.app, labels.get(one.app, {}), one.environment, one.cause):
                continue
            if _told_as_rollback(alert, one):
                continue
            row = notice(alert, one)
            if alert.spec.format == "cdevents":
                message = event_message(alert, one, now)
                events.append(message)
                row["message"] = message["id"]
            made.append(row)
    count = notices.add(transaction, made)
    messages.add(transaction, events)
    return count


def _told_as_rollback(alert: Alert, one: Happening) -> bool:
    """Whether the same is told with other words: a rollback that completed need not be read twice."""
    twice = one.event == "completed" and one.cause in ROLLBACKS and "rolled-back" in alert.spec.events
    return twice and alert.spec.format != "cdevents"


def notice(alert: Alert, one: Happening) -> dict[str, Any]:
    """The row of a notice."""
    return {
        "alert": alert.name,
        "fact": one.fact,
        "at": one.at,
        "event": one.event,
        "app": one.app,
        "environment": one.environment,
        "said": dict(one.said),
        "message": None,
    }


def labels_of(connection: Connection, alerts: Iterable[Alert], names: Iterable[str]) -> Mapping[str, dict[str, str]]:
    """The labels of these apps, where an alert asks for any."""
    if not any(isinstance(alert.spec.apps, dict) for alert in alerts):
        return {}
    rows = declared.apps(connection, sorted(names))
    return {name: row.document["metadata"].get("labels") or {} for name, row in rows.items()}
