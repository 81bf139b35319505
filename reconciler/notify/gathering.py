"""Which notices go together in one message, and when is it made?

What comes within some seconds of each other for the same alert is told at once: a thousand rollbacks are one message.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from reconciler.model.alert import Alert
from reconciler.notify.facts import stable_id
from reconciler.notify.wording import words
from reconciler.store import messages, notices
from reconciler.store.database import Database, Transaction
from reconciler.views.scene import declared_alerts

GATHER = timedelta(seconds=3)
"""So long is waited for more, from the oldest on."""
MOST = 5_000
"""Notices of one message."""
WORST = ("failed", "rolled-back", "held", "refused", "drifted", "manifest-broken", "head-held", "aborted")


def gather(database: Database, now: datetime, window: timedelta = GATHER) -> bool:
    """Put notices that have waited long enough into messages; whether anything is left to look at. Raises StoreError.

    While a message of an alert waits for another attempt, what comes is gathered for the one behind it. What waits for
    an alert that has left git is dropped, and what waits for one whose address is found elsewhere now goes there.
    """
    with database.read() as connection:
        waiting = messages.of_alerts(connection)
        gathered = notices.gathered(connection)
        if not waiting and not gathered:
            return False
        alerts = {alert.name: alert for alert in declared_alerts(connection)}
    stuck = {row.alert for row in waiting if row.attempts}
    gone = {name for name in (*gathered, *(row.alert for row in waiting)) if name not in alerts}
    moved = {row.alert for row in waiting if row.alert in alerts and row.to != alerts[row.alert].spec.to}
    # What seems to come from the future came before the clock was set back.
    old = [name for name, oldest in gathered.items() if not now - window < oldest <= now]
    ready = [name for name in old if name not in stuck | gone]
    if not (ready or gone or moved):
        return True
    with database.write() as transaction:
        for name in gone:
            notices.forget(transaction, name)
            messages.drop(transaction, name, now, "the alert has left git")
        for name in moved:
            messages.readdress(transaction, name, alerts[name].spec.to, now)
        for name in ready:
            _message(transaction, alerts[name], now)
    return True


def _message(transaction: Transaction, alert: Alert, now: datetime) -> None:
    rows = notices.unsent(transaction.connection, alert.name, MOST)
    if not rows:
        return
    told = words(alert, [row.said for row in rows])
    made = stable_id("alert", alert.name, *(row.fact for row in rows))
    content: dict[str, Any] = {"format": alert.spec.format, "title": told.title, "body": told.body}
    content["worst"] = next((event for event in WORST if any(row.event == event for row in rows)), rows[0].event)
    told_to = {"alert": alert.name, "stream": alert.name, "to": alert.spec.to}
    messages.add(transaction, [messages.to_send(made, "alert", content, now, **told_to, notices=len(rows))])
    notices.carried(transaction, rows, made)
