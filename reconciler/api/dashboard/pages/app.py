"""`/ui/apps/NAME`: how does one app stand, why, and what can be done about it? The buttons are in `acting`."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Connection

from reconciler.api.access import Actor, Reader
from reconciler.api.context import Context, context
from reconciler.api.dashboard import following, keeping, live, notices, rendering
from reconciler.api.dashboard.one_app import RECENT, not_by, one_app, to_approve
from reconciler.api.dashboard.rendering import Page
from reconciler.api.dashboard.wording import not_understood
from reconciler.errors import ReconcilerError
from reconciler.model.deployment import EXTERNAL, Cause, Deployment
from reconciler.store.deployments import Filter
from reconciler.views import history, matrix, reported, resolving, undeclared
from reconciler.views.looking import NONE
from reconciler.views.scene import scene_of

router = APIRouter(include_in_schema=False)
Given = Annotated[Context, Depends(context)]
Word = Annotated[str, Query(max_length=200)]
CAUSES: tuple[Cause, ...] = (
    "release", "promotion", "rollback", "auto-rollback", "restore", "schedule", "season-start", "season-end", "retry",
    "repair", EXTERNAL,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the app is shown."""

    env: str
    cause: str
    own: str
    reported: str
    done: str
    misread: tuple[str, ...] = ()


def asked(env: Word = "", cause: Word = "", own: Word = "", reported: Word = "", done: Word = "") -> Asked:
    """What stands in the address."""
    known = cause if cause in CAUSES else ""
    misread = not_understood(cause="" if known else cause)
    return Asked(env, known, own, reported, done, misread)


Filtered = Annotated[Asked, Depends(asked)]


@router.get("/ui/apps/{app}")
def page(app: str, request: Request, given: Given, actor: Reader, asked: Filtered) -> Response:
    """An app."""
    return keeping.kept(request, given, actor, lambda connection: made(app, given, actor, asked, connection))


@router.get("/ui/live/apps/{app}")
def changes(app: str, request: Request, given: Given, actor: Reader, asked: Filtered) -> Response:
    """What becomes of it."""
    return live.stream(request, given, actor, lambda connection: made(app, given, actor, asked, connection), keeps=True)


def shown(
    app: str, request: Request, given: Context, actor: Actor, asked: Asked, wrong: ReconcilerError | None = None
) -> Response:
    """The page; `wrong` is why something that was asked for was not recorded."""
    with given.read() as connection:
        found = made(app, given, actor, asked, connection, wrong)
    return rendering.answer(request, given, found)


def made(
    app: str,
    given: Context,
    actor: Actor,
    asked: Asked,
    connection: Connection,
    wrong: ReconcilerError | None = None,
) -> Page:
    """The page as it is laid out."""
    if resolving.reported_alone(connection, app):
        return _reported(app, given, actor, asked, connection, wrong)
    environment = resolving.known_environment(connection, asked.env) if asked.env else None
    which = Filter(app=app, environment=environment, cause=asked.cause or None, limit=RECENT)
    found = one_app(
        connection,
        app,
        given.now(),
        given.mirror,
        environment=environment,
        which=which,
        after=_after(asked),
        choices=actor.may("operate"),
    )
    return Page(
        template="app.html",
        actor=actor,
        daemon=following.look(given, connection),
        path=rendering.path_of(app),
        values={
            "app": found,
            "asked": asked,
            "causes": CAUSES,
            "done": notices.SAID.get(notices.heard(asked.done, app, actor, given.now()), ""),
            "wrong": wrong,
            "not_by": not_by,
        },
        status=rendering.status_of(wrong) if wrong is not None else HTTPStatus.OK,
    )


def _reported(
    app: str,
    given: Context,
    actor: Actor,
    asked: Asked,
    connection: Connection,
    wrong: ReconcilerError | None = None,
) -> Page:
    """An app that git does not know."""
    page = history.page(connection, Filter(app=app, limit=RECENT), _after(asked))
    approved = notices.heard(asked.done, app, actor, given.now()) == "approve"
    waits = {name: several for (_, name), several in reported.waits(connection, [app], given.now()).items()}
    found = undeclared.places(connection, app, waits)
    chain = {name: number for number, name in enumerate(matrix.in_order(scene_of(connection)))}
    places = {name: found[name] for name in sorted(found, key=lambda name: (chain.get(name, len(chain)), name))}
    return Page(
        template="elsewhere.html",
        actor=actor,
        daemon=following.look(given, connection),
        path=rendering.path_of(app),
        values={
            "name": app,
            "places": places,
            "waits": {name: to_approve(several) for name, several in waits.items()},
            "not_by": not_by,
            "stands": _stands,
            "deployments": page.found,
            "next_page": page.next,
            "done": "Approved. Whoever deploys it may start it again." if approved else "",
            "wrong": wrong,
        },
        status=rendering.status_of(wrong) if wrong is not None else HTTPStatus.OK,
    )


def _stands(newest: Deployment | None) -> str:
    """What a form says that was looked at: what was reported last, unless nothing was yet."""
    return newest.id if newest is not None else NONE


def _after(asked: Asked) -> history.After:
    known = [one if one.isascii() and one.isalnum() else None for one in (asked.own, asked.reported)]
    return history.After(own=known[0], reported=known[1])
