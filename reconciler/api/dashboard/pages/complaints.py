"""`/ui/complaints`: which files at the commit in force are broken, and what helps?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Connection

from reconciler.api.access import Actor, Reader
from reconciler.api.context import Context, context
from reconciler.api.dashboard import following, rendering
from reconciler.api.dashboard.rendering import Page
from reconciler.store import complaining

router = APIRouter(include_in_schema=False)
LISTED = 50
"""Files of a page."""
EACH = 10
"""Complaints that are told of each."""


@router.get("/ui/complaints")
def page(
    request: Request,
    given: Annotated[Context, Depends(context)],
    actor: Reader,
    after: Annotated[str, Query(max_length=5_000)] = "",
) -> Response:
    """Broken files, in order of their paths."""
    behind = after if after.isprintable() else ""
    return rendering.kept(request, given, actor, lambda connection: _page(given, actor, behind, connection))


def _page(given: Context, actor: Actor, after: str, connection: Connection) -> Page:
    found = complaining.listed(connection, after, LISTED + 1)
    shown = dict(list(found.items())[:LISTED])
    return Page(
        template="complaints.html",
        actor=actor,
        daemon=following.look(given, connection),
        path="/ui/complaints",
        values={
            "files": shown,
            "each": EACH,
            "after": after,
            "behind": next(reversed(shown), None) if len(found) > LISTED else None,
        },
    )
