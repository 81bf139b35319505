"""How often, how fast and how well is something deployed?"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from sqlalchemy import Connection

from reconciler.api import asked, examples
from reconciler.api.answers import tagged
from reconciler.api.context import Context, context
from reconciler.api.routes.reading import answers
from reconciler.api.routes.reading import router as reading
from reconciler.errors import WrongUse
from reconciler.model.figures import Measured, measured_json
from reconciler.views import history
from reconciler.views.figures import measured

router = reading("figures")
LONGEST = timedelta(days=3 * 366)
"""A period that is asked for here: each week of it is in the answer."""


@router.get("/figures", summary="How often and how well", **answers(Measured, examples.FIGURES))
def shown(
    request: Request,
    given: Annotated[Context, Depends(context)],
    app: asked.OfApp = None,
    environment: asked.InEnvironment = None,
    since: asked.Since = None,
) -> Response:
    """Deployment frequency, lead time, change failure rate, time to restore and more, as `reconciler metrics` has them.

    Of the last 30 days, unless `since` says otherwise, beside the period of the same length before.
    """
    now = given.now()

    begin = asked.past(since, now)
    if begin is not None and now - begin > LONGEST:
        raise WrongUse(
            f"figures are told of {LONGEST.days} days at most",
            "give a later `since`; `reconciler metrics` goes back further",
        )

    def found(connection: Connection) -> dict[str, Any]:
        history.known(connection, app, environment)
        return measured_json(measured(connection, now, begin, app, environment))

    return tagged(request, given, found, at=now)
