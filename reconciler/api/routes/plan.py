"""What would happen, now or later?"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request, Response
from sqlalchemy import Connection

from reconciler.api import asked, examples
from reconciler.api.answers import tagged
from reconciler.api.context import Context, context
from reconciler.api.routes.reading import answers
from reconciler.api.routes.reading import router as reading
from reconciler.api.shapes import PlanTold
from reconciler.errors import WrongUse
from reconciler.model.shown import plan_json

router = reading("plan")


@router.get("/plan", summary="What would happen", **answers(PlanTold, examples.PLAN))
def foreseen(
    request: Request,
    given: Annotated[Context, Depends(context)],
    at: asked.At = None,
    until: asked.UpTo = None,
) -> Response:
    """What would be done at the commit that has been noted, without doing it: now, at a moment, or up to one.

    With `until` everything up to then, step by step, if every deployment goes well.
    """
    now = given.now()
    start, end = asked.ahead(at, now) or now, asked.ahead(until, now)
    if end is not None and end < start:
        raise WrongUse("query.until: that is earlier than the plan begins", "name a later moment, or an earlier `at`")

    def found(_connection: Connection) -> dict[str, Any]:
        return plan_json(given.foresee(start, end))

    return tagged(request, given, found, at=now)
