"""`/ui/sign-in`, `/ui/sign-out`: who is at the page? And which colours they like, `/ui/theme`."""

from __future__ import annotations

import hmac
import re
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from reconciler.api.access import COOKIE, Actor, Known, require_word
from reconciler.api.context import Context, context
from reconciler.api.dashboard import following, rendering
from reconciler.api.dashboard.rendering import Page
from reconciler.api.origins import is_https
from reconciler.errors import StoreError
from reconciler.model import access
from reconciler.store import tokens

router = APIRouter(include_in_schema=False)
LASTS = timedelta(hours=12)
"""How long a person stays signed in."""
_NO_TOKEN = HTTPStatus.UNPROCESSABLE_ENTITY
_LOCAL = re.compile(r"/ui/[A-Za-z0-9._~/?&=%+-]*")
_YEAR = 365 * 24 * 3600


def way_on(text: str) -> str:
    """Where somebody goes next: to a page of ours, and nowhere else."""
    return text if _LOCAL.fullmatch(text) and "//" not in text else "/ui/"


@router.get("/ui/sign-in")
def page(request: Request, given: Annotated[Context, Depends(context)], actor: Known, then: str = "/ui/") -> Response:
    """Asks for a token."""
    return page_of(request, given, actor, way_on(then))


def page_of(
    request: Request, given: Context, actor: Actor, then: str, wrong: str = "", status: int = HTTPStatus.OK
) -> Response:
    try:
        with given.read() as connection:
            daemon = following.glance(given, connection)
    except StoreError:
        daemon = None
    values = {"then": then, "wrong": wrong, "provider": given.provider is not None, "by_token": status == _NO_TOKEN}
    found = Page(template="sign-in.html", actor=actor, daemon=daemon, path="/ui/sign-in", values=values, status=status)
    return rendering.answer(request, given, found)


@router.post("/ui/sign-in")
def sign_in(
    request: Request,
    given: Annotated[Context, Depends(context)],
    token: Annotated[str, Form(max_length=200)],
    then: Annotated[str, Form(max_length=2_000)] = "/ui/",
) -> Response:
    """Begins a session with a token."""
    now = given.now()
    written = access.read(token.strip())
    with given.read() as connection:
        found = tokens.find(connection, written.id) if written else None
    right = found is not None and written is not None and hmac.compare_digest(found[1], access.digest(written.secret))
    if not right or found is None or found[0].state(now) != "valid":
        return page_of(request, given, Actor(), way_on(then), "That is no valid token.", _NO_TOKEN)
    if access.FEED in found[0].scopes:
        said = "That token is for the calendar alone: put it into the address /calendar.ics?token=…"
        return page_of(request, given, Actor(), way_on(then), said, _NO_TOKEN)
    secret, known = given.secret(), found[0]
    until = min(now + LASTS, known.expires_at or now + LASTS)
    with given.write() as transaction:
        who = tokens.Session(actor=known.name, scopes=known.scopes, roles=known.roles, token=known.id)
        tokens.begin_session(transaction, access.digest(secret), who, now, until)
    answer = RedirectResponse(way_on(then), HTTPStatus.SEE_OTHER)
    set_session(request, answer, secret)
    return answer


def set_session(request: Request, answer: Response, secret: str) -> None:
    """Let a browser keep what it is known by: for pages of ours alone, and out of reach of scripts."""
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=int(LASTS.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=is_https(request),
    )


@router.post("/ui/sign-out")
def sign_out(
    given: Annotated[Context, Depends(context)], actor: Known, csrf: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """Ends the session."""
    require_word(actor, csrf)
    if actor.session:
        with given.write() as transaction:
            tokens.end_session(transaction, access.digest(actor.session), actor.name, given.now())
    answer = RedirectResponse("/ui/", HTTPStatus.SEE_OTHER)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.post("/ui/theme")
async def theme(
    request: Request,
    theme: Annotated[str, Form(max_length=10)] = "",
    then: Annotated[str, Form(max_length=2_000)] = "/ui/",
) -> Response:
    """Keeps which colours somebody likes; without a choice the system's."""
    answer = RedirectResponse(way_on(then), HTTPStatus.SEE_OTHER)
    if theme in rendering.THEMES:
        answer.set_cookie("theme", theme, max_age=_YEAR, path="/ui/", samesite="lax", secure=is_https(request))
    else:
        answer.delete_cookie("theme", path="/ui/")
    return answer
