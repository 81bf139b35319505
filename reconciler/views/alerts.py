"""Who is told of what, and how did the telling go? One answer for the pages, HTTP and the command line."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from reconciler.errors import UnknownReference
from reconciler.model.telling import (
    AlertShown,
    MessageShown,
    MessageStatus,
    NoticeShown,
    alert_shown,
    message_shown,
    notice_shown,
)
from reconciler.store import messages, notices
from reconciler.views import resolving
from reconciler.views.scene import declared_alerts
from reconciler.words import instead


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Messages, newest first."""

    messages: list[MessageShown]
    below: int | None
    """Before which number there are more; None: no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A message with every notice that it carries."""

    message: MessageShown
    notices: list[NoticeShown]


def alerts(connection: Connection) -> list[AlertShown]:
    """The alerts in force, with how many messages each has by now. Addresses are in none of them."""
    standing = messages.standing(connection)
    return [alert_shown(one, standing.get(one.name, {})) for one in declared_alerts(connection)]


def log(
    connection: Connection,
    *,
    alert: str | None = None,
    status: MessageStatus | None = None,
    limit: int,
    before: int | None = None,
) -> Sent:
    """What was or is to be sent, with each attempt; `before`: only what is older than this number.

    Raises UnknownReference for an alert that nothing was sent for and that git does not declare.
    """
    rows = messages.listed(connection, alert, status, limit + 1, before)
    if alert is not None and not rows:
        _known(connection, alert)
    shown = rows[:limit]
    tries = messages.tries(connection, [row.id for row in shown])
    return Sent(
        messages=[message_shown(row, tries.get(row.id, [])) for row in shown],
        below=shown[-1].sequence if len(rows) > limit else None,
    )


def _known(connection: Connection, alert: str) -> None:
    names = [one.name for one in declared_alerts(connection)]
    if alert not in names and not messages.listed(connection, alert, None, 1):
        raise UnknownReference(f"there is no alert {alert[:60]}", instead(alert, names))


def message(connection: Connection, identifier: str) -> Carried:
    """One message, by the beginning of its id. Raises UnknownReference."""
    beginning = identifier.lower()
    row = messages.find(connection, beginning) if resolving.is_id(beginning) else None
    if row is None:
        said = f"there is no message {identifier[:40]}, or several"
        raise UnknownReference(said, "`reconciler alerts log` has their ids")
    found = message_shown(row, messages.tries(connection, [row.id]).get(row.id, []))
    return Carried(message=found, notices=[notice_shown(one) for one in notices.of_message(connection, row.id)])
