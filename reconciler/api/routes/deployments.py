"""Which deployments were there, made here or reported from elsewhere?"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Path, Query, Request, Response
from sqlalchemy import Connection

from reconciler.api import asked, cursors, examples
from reconciler.api.answers import Answer, tagged
from reconciler.api.context import Context, context
from reconciler.api.routes.reading import answers
from reconciler.api.routes.reading import router as reading
from reconciler.api.shapes import DeploymentShown, DeploymentTold
from reconciler.model.deployment import Cause, Status
from reconciler.model.output import deployment_json
from reconciler.store.deployments import Filter
from reconciler.views import history

router = reading("deployments")


@router.get("/deployments", summary="List deployments", **answers(DeploymentShown, [examples.DEPLOYMENT], pages=True))
def listed(
    request: Request,
    given: Annotated[Context, Depends(context)],
    app: asked.OfApp = None,
    environment: asked.InEnvironment = None,
    status: Annotated[Status | None, Query(description="With this status.")] = None,
    cause: Annotated[Cause | None, Query(description="With this cause; `external` was made elsewhere.")] = None,
    since: asked.Since = None,
    until: asked.Until = None,
    limit: asked.Limit = 10,
    cursor: asked.Cursor = None,
) -> Response:
    """Deployments, newest first: those that the reconciler made and those that were reported from elsewhere."""
    now, after = given.now(), cursors.histories(cursor)
    wanted = Filter(
        app=app,
        environment=environment,
        status=status,
        cause=cause,
        since=asked.past(since, now),
        until=asked.past(until, now),
        limit=limit,
    )

    def found(connection: Connection) -> Answer:
        history.known(connection, app, environment)
        page = history.page(connection, wanted, after)
        return Answer([deployment_json(one) for one in page.found], cursors.of_histories(page.next))

    # A length of time ago is another moment each time.
    passing = isinstance(since, timedelta) or isinstance(until, timedelta)
    return tagged(request, given, found, at=now if passing else None)


@router.get("/deployments/{id}", summary="Show a deployment", **answers(DeploymentTold, examples.DEPLOYMENT_TOLD))
def shown(
    request: Request,
    given: Annotated[Context, Depends(context)],
    id: Annotated[str, Path(description="Its id, or the beginning of it.")],
) -> Response:
    """One deployment with everything that happened to it; the beginning of an id is enough."""

    def found(connection: Connection) -> Answer:
        deployment, events = history.shown(connection, id)
        return Answer(deployment_json(deployment, events))

    return tagged(request, given, found)
