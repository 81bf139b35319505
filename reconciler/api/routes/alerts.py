"""Who is told of what, and how did the telling go?"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Request, Response

from reconciler.api import asked, cursors, examples
from reconciler.api.answers import Answer, untagged
from reconciler.api.context import Context, context
from reconciler.api.routes.reading import answers
from reconciler.api.routes.reading import router as reading
from reconciler.model.telling import AlertShown, MessageShown, MessageStatus, MessageTold, alert_json, message_json
from reconciler.views import alerts as told

router = reading("alerts")


# How a message fares is no fact of the ledger: answers have no tag.
@router.get("/alerts", summary="List alerts", **answers(AlertShown, [examples.ALERT], tags=False))
def listed(request: Request, given: Annotated[Context, Depends(context)]) -> Response:
    """The alerts in force, with how many messages each has by now. Addresses are shown nowhere."""
    with given.read() as connection:
        found = [alert_json(one) for one in told.alerts(connection)]
    return untagged(request, found)


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
        sent = told.log(connection, alert=alert, status=status, limit=limit, before=before)
    more = cursors.written("s", sent.below) if sent.below is not None else None
    return untagged(request, Answer([message_json(one) for one in sent.messages], more))


@router.get("/alerts/log/{id}", summary="Show what was sent", **answers(MessageTold, examples.MESSAGE_TOLD, tags=False))
def shown(
    request: Request,
    given: Annotated[Context, Depends(context)],
    id: Annotated[str, Path(description="Its id, or the beginning of it.")],
) -> Response:
    """One message with every notice that it carries; the beginning of an id is enough."""
    with given.read() as connection:
        found = told.message(connection, id)
    return untagged(request, message_json(found.message, found.notices))
