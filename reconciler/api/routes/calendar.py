"""What will change, and when, without a new commit?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request, Response
from sqlalchemy import Connection

from reconciler.api import asked, examples
from reconciler.api.access import subscriber
from reconciler.api.answers import Answer, tagged
from reconciler.api.context import Context, context
from reconciler.api.routes.reading import answers, left_out
from reconciler.api.routes.reading import router as reading
from reconciler.api.shapes import EdgeShown
from reconciler.errors import WrongUse
from reconciler.model.output import edge_json
from reconciler.views.calendar import AHEAD, calendar, stamp
from reconciler.views.feed import feed

router = reading("calendar")
feeds = reading("calendar", subscriber)
ICS = "text/calendar; charset=utf-8"


@router.get("/calendar", summary="What will change by itself", **answers(EdgeShown, [examples.EDGE], bounded=True))
def listed(
    request: Request,
    given: Annotated[Context, Depends(context)],
    app: asked.OfApp = None,
    until: asked.UpTo = None,
) -> Response:
    """Seasons, freezes, release trains, schedules, and the ends of experiments and pauses, in order of time.

    Looked for 90 days ahead, unless `until` says otherwise.
    """
    now = given.now()
    end = _end(until, now)

    def found(connection: Connection) -> Answer:
        ahead = calendar(connection, app, now, end, given.mirror)
        return Answer([edge_json(edge) for edge in ahead.edges], headers=left_out(ahead.left_out))

    return tagged(request, given, found, at=now)


@feeds.get(
    "/calendar.ics",
    summary="What will change, as a feed",
    **answers(None, examples.FEED, bounded=True, media_type="text/calendar"),
)
def subscribed(
    request: Request,
    given: Annotated[Context, Depends(context)],
    app: asked.OfApp = None,
    until: asked.UpTo = None,
) -> Response:
    """What will happen without a new commit, as a feed that calendars subscribe to (iCalendar, RFC 5545)."""
    now = given.now()
    end = _end(until, now)

    def found(connection: Connection) -> Answer:
        ahead = calendar(connection, app, now, end, given.mirror)
        return Answer(feed(ahead.edges, stamp(connection) or now), headers=left_out(ahead.left_out))

    return tagged(request, given, found, at=now, media_type=ICS)


def _end(until: datetime | timedelta | None, now: datetime) -> datetime:
    end = asked.ahead(until, now) or now + AHEAD
    if end < now:
        raise WrongUse("query.until: that has been", "name a moment to come, or a length of time such as 90d")
    return end
