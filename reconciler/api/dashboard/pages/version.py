"""`/ui/apps/NAME/versions/REF`: what exactly is a version, and where does it run?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Connection

from reconciler.api.access import Actor, Reader
from reconciler.api.context import Context, context
from reconciler.api.dashboard import following, rendering
from reconciler.api.dashboard.rendering import Page
from reconciler.store import commits, versions
from reconciler.views import resolving

router = APIRouter(include_in_schema=False)
Given = Annotated[Context, Depends(context)]


@router.get("/ui/apps/{app}/versions/{ref}")
def page(app: str, ref: str, request: Request, given: Given, actor: Reader) -> Response:
    """A version."""
    return rendering.kept(request, given, actor, lambda connection: _page(app, ref, given, actor, connection))


def _page(app: str, ref: str, given: Context, actor: Actor, connection: Connection) -> Page:
    found = resolving.version(connection, app, ref)
    before = versions.newest(connection, app, 1, found.number)
    return Page(
        template="version.html",
        actor=actor,
        daemon=following.look(given, connection),
        path=rendering.path_of(app, "versions", f"v{found.number}"),
        values={
            "app": app,
            "found": found,
            "before": before[0] if before else None,
            "runs": rendering.runs_along(connection, app).get(found.id, []),
            "commit": commits.subjects(connection, [found.commit]).get(found.commit) if found.commit else None,
        },
    )
