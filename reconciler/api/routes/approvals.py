"""What waits for people's approval?"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response
from sqlalchemy import Connection

from reconciler.api import asked, cursors, examples
from reconciler.api.answers import Answer, tagged
from reconciler.api.context import Context, context
from reconciler.api.routes.reading import answers
from reconciler.api.routes.reading import router as reading
from reconciler.model.output import Approvable, approvable_json
from reconciler.store import apps
from reconciler.views import resolving
from reconciler.views.approvals import approvals

router = reading("approvals")


@router.get("/approvals", summary="What waits for approval", **answers(Approvable, [examples.APPROVABLE], pages=True))
def listed(
    request: Request,
    given: Annotated[Context, Depends(context)],
    app: asked.OfApp = None,
    environment: asked.InEnvironment = None,
    limit: asked.Limit = 100,
    cursor: asked.Cursor = None,
) -> Response:
    """What waits at a gate for somebody to approve it, by app; starts that were reported from elsewhere come too."""
    now, after = given.now(), cursors.after_name(cursor)
    names = None if app is None else [app]
    which = apps.Filter(environment=environment, names=names, limit=limit)

    def found(connection: Connection) -> Answer:
        if environment is not None:
            resolving.known_environment(connection, environment)
        if app is not None and not resolving.reported(connection, app):
            resolving.declared_app(connection, app)
        waiting, last = approvals(connection, which, after, now)
        shown = [approvable_json(one) for one in waiting]
        return Answer(shown, cursors.written("n", last) if last is not None else None)

    return tagged(request, given, found, at=now)
