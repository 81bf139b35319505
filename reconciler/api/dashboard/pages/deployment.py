"""`/ui/deployments/ID`: what was released where, why, and how did it go?"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from reconciler.api.access import Actor, Reader
from reconciler.api.context import Context, context
from reconciler.api.dashboard import following, live, rendering
from reconciler.api.dashboard.rendering import Page
from reconciler.store import commits
from reconciler.views import history

router = APIRouter(include_in_schema=False)
Given = Annotated[Context, Depends(context)]


@router.get("/ui/deployments/{id}")
def page(id: str, request: Request, given: Given, actor: Reader) -> Response:
    """A deployment; the beginning of its id leads to it."""
    with given.read() as connection:
        found = history.shown(connection, id)[0]
    if found.id != id:
        return RedirectResponse(f"/ui/deployments/{found.id}", HTTPStatus.SEE_OTHER)
    return rendering.kept(request, given, actor, lambda connection: _page(id, given, actor, connection))


@router.get("/ui/live/deployments/{id}")
def changes(id: str, request: Request, given: Given, actor: Reader) -> Response:
    """What becomes of it."""
    return live.stream(request, given, actor, lambda connection: _page(id, given, actor, connection))


def _page(id: str, given: Context, actor: Actor, connection: Connection) -> Page:
    found, events = history.shown(connection, id)
    return Page(
        template="deployment.html",
        actor=actor,
        daemon=following.look(given, connection),
        path=f"/ui/deployments/{found.id}",
        values={
            "found": found,
            "events": events,
            "commit": commits.subjects(connection, [found.commit]).get(found.commit) if found.commit else None,
            "external": history.is_reported(found),
        },
    )
