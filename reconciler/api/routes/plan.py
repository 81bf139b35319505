"""What would happen, now or later?

A plan far into the future is a walk of many steps, and one is made at a time: so it ends at a bound, and earlier where
it takes long or nobody waits for it any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from math import ceil
from typing import Annotated

from fastapi import Depends, Request, Response
from sqlalchemy import Connection

from reconciler import schedule
from reconciler.api import asked, examples
from reconciler.api.again import SINCE
from reconciler.api.answers import Answer, tagged
from reconciler.api.context import Context, context
from reconciler.api.in_turn import GONE
from reconciler.api.problems import Refused
from reconciler.api.routes.reading import answers, left_out
from reconciler.api.routes.reading import router as reading
from reconciler.api.shapes import PlanTold
from reconciler.errors import WrongUse
from reconciler.model.shown import plan_json

router = reading("plan")
FARTHEST = timedelta(days=366)
"""From the moment at which a plan begins to its end, over HTTP: a year, and the day that some of them have more."""
LONGEST, AGAIN_AFTER = 30.0, 60.0
"""Seconds that anybody is made to wait for a plan, and after which to ask again for one that took longer."""
_TYPED = "type `reconciler plan --until`, which takes as long as it needs"


@router.get("/plan", summary="What would happen", **answers(PlanTold, examples.PLAN, bounded=True))
def foreseen(
    request: Request,
    given: Annotated[Context, Depends(context)],
    at: asked.At = None,
    until: asked.UpTo = None,
) -> Response:
    """What would be done at the commit that has been noted, without doing it: now, at a moment, or up to one.

    With `until` everything up to then, step by step, if every deployment goes well: 366 days at most, and 503 where
    that takes longer than 30 s, or where somebody else's plan is being made.
    """
    now = given.now()
    start, end = asked.ahead(at, now) or now, asked.ahead(until, now)
    if end is not None:
        _require_near(start, end)
    patience = _patience(request, LONGEST)

    def found(_connection: Connection) -> Answer:
        plan, cut_at = given.foresee(start, end, patience)
        cut = [f"what comes after {schedule.rfc3339(cut_at)}: so much happens until then"] if cut_at is not None else []
        return Answer(plan_json(plan), headers=left_out(cut))

    return tagged(request, given, found, at=now)


def _require_near(start: datetime, end: datetime) -> None:
    """Raises WrongUse where a plan would end before it begins, Refused where it would go too far."""
    if end < start:
        raise WrongUse("query.until: that is earlier than the plan begins", "name a later moment, or an earlier `at`")
    if end - start > FARTHEST:
        days = ceil((end - start) / timedelta(days=1))
        last = schedule.rfc3339((start + FARTHEST).replace(microsecond=0))
        raise Refused(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"query.until: that is {days} days after the plan begins, and over HTTP a plan goes "
            f"{FARTHEST.days} days at most, to {last}",
            f"name an earlier moment, or {_TYPED}",
            details={"days": days, "limit": FARTHEST.days, "latest": last},
        )


def _patience(request: Request, seconds: float) -> Callable[[], None]:
    """Raises Refused, which ends a plan, once it has taken so long or once whoever asked for it has hung up."""
    # Who waited for another one's answer that never came has waited so long already.
    deadline = request.scope.get(SINCE, time.monotonic()) + seconds
    gone: Callable[[], bool] = request.scope.get(GONE, lambda: False)

    def heed() -> None:
        if gone():
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "whoever asked has hung up", retry_after=AGAIN_AFTER)
        if time.monotonic() > deadline:
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"the plan was not made within {seconds:.0f} s, and is not made any further",
                f"name an earlier `until`, or {_TYPED}",
                details={"limit_seconds": seconds},
                retry_after=AGAIN_AFTER,
            )

    return heed
