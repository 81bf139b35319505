"""`/ui/alerts`: who is told of what, and how did the telling go?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Connection

from reconciler.api.access import Actor, Reader
from reconciler.api.context import Context, context
from reconciler.api.dashboard import following, rendering
from reconciler.api.dashboard.rendering import Page
from reconciler.model.telling import alert_shown, message_shown
from reconciler.store import messages
from reconciler.views.scene import declared_alerts

router = APIRouter(include_in_schema=False)
Given = Annotated[Context, Depends(context)]
Word = Annotated[str, Query(max_length=200)]
STATUSES = ("waiting", "sending", "sent", "failed", "dropped")
LISTED = 50


@router.get("/ui/alerts")
def page(
    request: Request, given: Given, actor: Reader, alert: Word = "", status: Word = "", before: Word = ""
) -> Response:
    """Alerts, and messages, newest first. How they fare is no fact of the ledger: nothing is kept."""
    wanted = status if status in STATUSES else ""
    digits = before.isascii() and before.isdigit() and len(before) < 18
    place = int(before) if digits else None
    with given.read() as connection:
        found = _page(given, actor, alert if alert.isprintable() else "", wanted, place, connection)
    return rendering.answer(request, given, found)


def _page(given: Context, actor: Actor, alert: str, status: str, before: int | None, connection: Connection) -> Page:
    standing = messages.standing(connection)
    rows = messages.listed(connection, alert or None, status or None, LISTED + 1, before)
    shown = rows[:LISTED]
    tries = messages.tries(connection, [row.id for row in shown])
    return Page(
        template="alerts.html",
        actor=actor,
        daemon=following.look(given, connection),
        path="/ui/alerts",
        values={
            "alerts": [alert_shown(one, standing.get(one.name, {})) for one in declared_alerts(connection)],
            "messages": [message_shown(row, tries.get(row.id, [])) for row in shown],
            "asked": {"alert": alert, "status": status, "before": before},
            "statuses": STATUSES,
            "below": shown[-1].sequence if len(rows) > LISTED else None,
        },
    )
