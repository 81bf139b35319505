"""Who is told of what, and how did the telling go?"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from reconciler.api import asked, cursors, examples
from reconciler.api.answers import Answer, untagged
from reconciler.api.context import Context, context
from reconciler.api.routes.reading import answers
from reconciler.api.routes.reading import router as reading
from reconciler.errors import UnknownReference
from reconciler.model.telling import (
    AlertShown,
    MessageShown,
    MessageStatus,
    alert_json,
    alert_shown,
    message_json,
    message_shown,
)
from reconciler.store import messages
from reconciler.views.scene import declared_alerts
from reconciler.words import instead

router = reading("alerts")


# How a message fares is no fact of the ledger: answers have no tag.
@router.get("/alerts", summary="List alerts", **answers(AlertShown, [examples.ALERT], tags=False))
def listed(request: Request, given: Annotated[Context, Depends(context)]) -> Response:
    """The alerts in force, with how many messages each has by now. Addresses are shown nowhere."""
    with given.read() as connection:
        standing = messages.standing(connection)
        found = [alert_shown(one, standing.get(one.name, {})) for one in declared_alerts(connection)]
    return untagged(request, [alert_json(one) for one in found])


@router.get("/alerts/log", summary="What was sent", **answers(MessageShown, [examples.MESSAGE], pages=True, tags=False))
def log(
    request: Request,
    given: Annotated[Context, Depends(context)],
    alert: Annotated[str | None, asked.word("Of this alert.")] = None,
    status: Annotated[MessageStatus | None, Query(description="With this status.")] = None,
    limit: asked.Limit = 10,
    cursor: asked.Cursor = None,
) -> Response:
    """What was or is to be sent, newest first, with each attempt."""
    before = cursors.after_number(cursor)
    with given.read() as connection:
        rows = messages.listed(connection, alert, status, limit + 1, before)
        if alert is not None and not rows and before is None:
            names = [one.name for one in declared_alerts(connection)]
            if alert not in names:
                raise UnknownReference(f"there is no alert {alert[:60]}", instead(alert, names))
        shown = rows[:limit]
        tries = messages.tries(connection, [row.id for row in shown])
        found = [message_json(message_shown(row, tries.get(row.id, []))) for row in shown]
    more = cursors.written("s", shown[-1].sequence) if len(rows) > limit else None
    return untagged(request, Answer(found, more))
