"""What does somebody at a page see where it cannot be shown? The frame, what goes on regardless, and one way on."""

from __future__ import annotations

import re
from http import HTTPStatus
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
_MEANT = re.compile(r"did you mean (?P<name>[A-Za-z0-9._-]+)\?")
_REPORTED = re.compile("git declares no app (?P<name>.+): it is known from reports alone")
_FORM = re.compile(r"(?P<page>/ui/apps/[^/]+(?=/)|/ui(?=/(?:sign-out|theme)$))/[a-z-]+")
"""Where a form of an app's page, or of every page, is sent, which is no page itself."""
_KEPT = ("allow", "retry-after", "www-authenticate")


async def page(request: Request, problem: Response) -> Response:
    """The same as a problem document says, as a page; whoever has to sign in is led there."""
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


def _page(request: Request, given: Context, actor: Actor, problem: Response) -> Response:
    said = from_json(bytes(problem.body))
    reported = _REPORTED.fullmatch(said["detail"])
    found = Page(
        template="error.html",
        actor=actor,
        daemon=_daemon(given),
        path=request.url.path,
        values={
            "title": _title(request, problem.status_code, said["title"]),
            "said": said,
            "again": request.method == "GET",
            "nearest": _nearest(request, said["next_step"]),
            "reported": reported["name"] if reported else "",
        },
        status=problem.status_code,
    )
    answer = rendering.answer(request, given, found)
    answer.headers["Cache-Control"] = "no-store"
    for name in _KEPT:
        if name in problem.headers:
            answer.headers[name] = problem.headers[name]
    return answer


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
            return following.look(given, connection)
    except ReconcilerError:
        return None
