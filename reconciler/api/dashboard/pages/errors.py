"""What does somebody at a page see where it cannot be shown? The frame, what goes on regardless, and one way on."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from pydantic_core import from_json
from starlette.concurrency import run_in_threadpool

from reconciler.api import access
from reconciler.api.access import NOBODY, Actor
from reconciler.api.context import Context
from reconciler.api.dashboard import following, rendering
from reconciler.api.dashboard.following import Daemon
from reconciler.api.dashboard.rendering import Page
from reconciler.errors import ReconcilerError

_UNTOUCHED = ("/ui/live/", "/ui/static/")
_TITLES = {
    HTTPStatus.NOT_FOUND: "There is no such page",
    HTTPStatus.CONFLICT: "That is not so any more",
    HTTPStatus.FORBIDDEN: "That is not allowed",
    HTTPStatus.UNPROCESSABLE_ENTITY: "That makes no sense",
    HTTPStatus.SERVICE_UNAVAILABLE: "The store does not answer",
}
_TITLES_AT_ONCE = {
    HTTPStatus.FORBIDDEN: "That is not allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "That is too large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "That makes no sense",
    HTTPStatus.TOO_MANY_REQUESTS: "Too much at once",
    HTTPStatus.SERVICE_UNAVAILABLE: "That cannot be answered just now",
}
_MEANT = re.compile(r"did you mean (?P<name>[A-Za-z0-9._-]+)\?")
_REPORTED = re.compile("git declares no app (?P<name>.+): it is known from reports alone")
_FORM = re.compile(r"(?P<page>/ui/apps/[^/]+(?=/)|/ui(?=/(?:sign-out|theme)$))/[a-z-]+")
"""Where a form of an app's page, or of every page, is sent, which is no page itself."""
_KEPT = ("allow", "connection", "retry-after", "www-authenticate")
_NOT_ASKED = Daemon(state="is-wait", icon="wait", word="not looked at this time")
_HELD = 64
"""Pages that are kept ready: what a flood is told is laid out once."""


async def page(request: Request, problem: Response) -> Response:
    """What a problem document says, as a page; whoever has to sign in is led there."""
    if request.url.path.startswith(_UNTOUCHED):
        return problem
    form = _FORM.fullmatch(request.url.path)
    if problem.status_code == HTTPStatus.METHOD_NOT_ALLOWED and form and request.method == "GET":
        # Somebody has opened what stood in the address bar after a form was refused.
        return RedirectResponse(quote(form["page"]), HTTPStatus.SEE_OTHER)
    form = form if request.method == "POST" else None
    if problem.status_code == HTTPStatus.UNAUTHORIZED and (form or request.method == "GET"):
        here = quote(form["page"]) if form else rendering.address_of(request, request.url.path)
        return RedirectResponse(f"/ui/sign-in?then={quote(here, safe='')}", HTTPStatus.SEE_OTHER)
    given: Context = request.app.state.context
    try:
        actor = await access.known(request, given)
    except ReconcilerError:
        actor = NOBODY
    return await run_in_threadpool(_page, request, given, actor, problem)


def at_once(request: Request, problem: Response) -> Response:
    """What a problem document says, as a page without a question to the store and without the address: whoever is
    refused before anything is looked up may be a flood, and what the address holds may be what is wrong."""
    given: Context = request.app.state.context
    hour = given.now().replace(minute=0, second=0, microsecond=0)
    body = _at_once(given.terms.timezone, hour, rendering.theme(request), request.method == "GET", bytes(problem.body))
    return _answer(problem, body)


@lru_cache(_HELD)
def _at_once(zone: str, now: datetime, theme: str, again: bool, problem: bytes) -> bytes:
    said = from_json(problem)
    return rendering.frame(
        "error.html",
        rendering.clocks_at(zone, now),
        theme,
        daemon=_NOT_ASKED,
        **_values(said, _TITLES_AT_ONCE.get(said["status"], said["title"]), again=again),
    )


def _page(request: Request, given: Context, actor: Actor, problem: Response) -> Response:
    said = from_json(bytes(problem.body))
    reported = _REPORTED.fullmatch(said["detail"])
    found = Page(
        template="error.html",
        actor=actor,
        daemon=_daemon(given),
        path=request.url.path,
        values=_values(
            said,
            _title(request, problem.status_code, said["title"]),
            again=request.method == "GET",
            nearest=_nearest(request, said["next_step"]),
            reported=reported["name"] if reported else "",
        ),
    )
    return _answer(problem, rendering.rendered(request, given, found).body)


def _values(said: Any, title: str, *, again: bool, nearest: str = "", reported: str = "") -> dict[str, Any]:
    # What will be taken in a moment, or may be, is worth another try.
    again = again and (said["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR or said["retry_after"] is not None)
    return {"said": said, "title": title, "again": again, "nearest": nearest, "reported": reported}


def _answer(problem: Response, body: bytes) -> Response:
    kept = {name: problem.headers[name] for name in _KEPT if name in problem.headers}
    headers = rendering.HEADERS | {"Cache-Control": "no-store"} | kept
    return Response(body, problem.status_code, headers, rendering.HTML)


def _title(request: Request, status: int, otherwise: str) -> str:
    if status == HTTPStatus.CONFLICT and request.method == "GET":  # an address that means several things
        return "That may be one of several"
    return _TITLES.get(HTTPStatus(status), otherwise)


def _nearest(request: Request, next_step: str) -> str:
    """The app that was probably meant; '' where that is not what is said."""
    found = _MEANT.fullmatch(next_step)
    return found["name"] if found is not None and request.url.path.startswith("/ui/apps/") else ""


def _daemon(given: Context) -> Daemon | None:
    """The line at the top; None where the store does not answer."""
    try:
        with given.read() as connection:
            return following.glance(given, connection)
    except ReconcilerError:
        return None
