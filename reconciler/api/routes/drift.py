"""Where does something else run than was deployed?"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request, Response
from sqlalchemy import Connection

from reconciler.api import asked, examples
from reconciler.api.answers import tagged
from reconciler.api.context import Context, context
from reconciler.api.routes.reading import answers
from reconciler.api.routes.reading import router as reading
from reconciler.api.shapes import DRIFTED, Drifted, DriftSeen
from reconciler.store import drifts
from reconciler.views import resolving

router = reading("drift")


@router.get("/drift", summary="Where something has drifted", **answers(Drifted, [examples.DRIFTED]))
def listed(
    request: Request,
    given: Annotated[Context, Depends(context)],
    app: asked.OfApp = None,
    environment: asked.InEnvironment = None,
) -> Response:
    """What the last look at the targets found changed by somebody else; `reconciler drift` looks anew."""

    def found(connection: Connection) -> list[dict[str, Any]]:
        if app is not None:
            resolving.declared_app(connection, app)
        if environment is not None:
            resolving.known_environment(connection, environment)
        rows = drifts.standing(connection)
        return [_shown(row) for row in rows if app in (None, row.app) and environment in (None, row.environment)]

    return tagged(request, given, found)


def _shown(row: Any) -> dict[str, Any]:
    seen = DriftSeen(since=row.since, detail=row.detail)
    made = Drifted(app=row.app, environment=row.environment, deployment=row.deployment, drift=seen, unknown=None)
    dumped: dict[str, Any] = DRIFTED.dump_python(made, mode="json")
    return dumped
