"""`/ui/alerts`: who is told of what, and how did the telling go?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Connection

from reconciler.api.access import Actor, Reader
from reconciler.api.context import Context, context
from reconciler.api.dashboard import following, rendering
from reconciler.api.dashboard.rendering import Page
from reconciler.api.dashboard.wording import not_understood
from reconciler.model.telling import MESSAGE_STATUSES, MessageStatus
from reconciler.views import alerts as told

router = APIRouter(include_in_schema=False)
Given = Annotated[Context, Depends(context)]
Word = Annotated[str, Query(max_length=200)]
LISTED = 50


@router.get("/ui/alerts")
def page(
    request: Request, given: Given, actor: Reader, alert: Word = "", status: Word = "", before: Word = ""
) -> Response:
    """Alerts, and messages, newest first. How they fare is no fact of the ledger: nothing is kept."""
    wanted = next((one for one in MESSAGE_STATUSES if one == status), None)
    digits = before.isascii() and before.isdigit() and len(before) < 18
    place = int(before) if digits else None
    with given.read() as connection:
        misread = not_understood(status="" if wanted else status, before="" if digits else before)
        found = _page(given, actor, alert if alert.isprintable() else "", wanted, place, connection, misread)
    return rendering.answer(request, given, found)


def _page(
    given: Context,
    actor: Actor,
    alert: str,
    status: MessageStatus | None,
    before: int | None,
    connection: Connection,
    misread: tuple[str, ...],
) -> Page:
    sent = told.log(connection, alert=alert or None, status=status, limit=LISTED, before=before)
    return Page(
        template="alerts.html",
        actor=actor,
        daemon=following.look(given, connection),
        path="/ui/alerts",
        values={
            "alerts": told.alerts(connection),
            "messages": sent.messages,
            "asked": {"alert": alert, "status": status or "", "before": before},
            "statuses": MESSAGE_STATUSES,
            "misread": misread,
            "below": sent.below,
        },
    )
