"""Why does something run where it runs?"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response

from reconciler.api import asked, examples
from reconciler.api.answers import tagged
from reconciler.api.context import Context, context
from reconciler.api.routes.reading import answers
from reconciler.api.routes.reading import router as reading
from reconciler.model.reasons import Why, why_json
from reconciler.views.explaining import why

router = reading("why")


@router.get("/apps/{app}/environments/{environment}/why", summary="Why this runs here", **answers(Why, examples.WHY))
def explained(
    request: Request,
    given: Annotated[Context, Depends(context)],
    app: asked.AppName,
    environment: asked.EnvironmentName,
) -> Response:
    """The chain from the commit and the manifest's line to what runs, and what a person can do."""
    now = given.now()
    return tagged(
        request, given, lambda connection: why_json(why(connection, app, environment, now, given.mirror)), at=now
    )
