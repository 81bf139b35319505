"""`/ui/sign-in/oidc`: a person shows who they are through an OpenID provider, and comes back from there.

What must be known again when they come back is kept by their browser, signed, for ten minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from reconciler import telemetry
from reconciler.api.access import Actor
from reconciler.api.context import Context, context
from reconciler.api.dashboard.pages.signing_in import LASTS, page_of, set_session, way_on
from reconciler.api.dashboard.wording import sentence
from reconciler.api.oidc import Begun, Provider, ProviderTrouble, SignInRefused
from reconciler.api.origins import is_https
from reconciler.api.problems import Refused
from reconciler.errors import PersonNeeded, ReconcilerError, StoreError
from reconciler.model import access
from reconciler.schedule import rfc3339, utc
from reconciler.store import tokens

log = telemetry.logger("api")
router = APIRouter(include_in_schema=False)
COOKIE = "reconciler_sign_in"
PATH = "/ui/sign-in/oidc"
PATIENCE = timedelta(minutes=10)
"""How long somebody may take to sign in there."""
_LONGEST = 4_000
Given = Annotated[Context, Depends(context)]


@router.get(PATH)
def begin(request: Request, given: Given, then: str = "/ui/") -> Response:
    """Leads to the provider."""
    provider, now = _provider(given), given.now()
    begun = Begun(
        state=given.secret(), nonce=given.secret(), verifier=given.secret(), then=way_on(then), until=now + PATIENCE
    )
    try:
        there = provider.begin(begun, _redirect(request, provider), now)
        kept = _sealed(begun, provider.client.client_secret())
    except ReconcilerError as error:
        return _again(request, given, begun.then, error)
    answer = RedirectResponse(there, HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        COOKIE,
        kept,
        max_age=int(PATIENCE.total_seconds()),
        path=PATH,
        httponly=True,
        # It must come along when the provider leads back here.
        samesite="lax",
        secure=is_https(request),
    )
    return answer


@router.get(f"{PATH}/callback")
def finish(request: Request, given: Given) -> Response:
    """Begins a session, where what the provider says is believed."""
    provider, now = _provider(given), given.now()
    then = "/ui/"
    try:
        begun = _opened(request.cookies.get(COOKIE, ""), provider.client.client_secret())
        said = {name: value[:_LONGEST] for name, value in request.query_params.items()}
        if (
            begun is None
            or begun.until <= now
            or not hmac.compare_digest(said.get("state", "").encode("utf-8", "surrogatepass"), begun.state.encode())
        ):
            raise SignInRefused("this sign-in was not begun here, or too long ago", "begin it again")
        then = begun.then
        person = provider.finish(begun, said, _redirect(request, provider), now)
        secret = given.secret()
        with given.write() as transaction:
            who = tokens.Session(actor=person.name, scopes=person.scopes, roles=person.roles, token=None)
            tokens.begin_session(transaction, access.digest(secret), who, now, now + LASTS)
    except StoreError:
        raise
    except ReconcilerError as error:
        return _again(request, given, then, error)
    answer = _on(then)
    answer.delete_cookie(COOKIE, path=PATH)
    set_session(request, answer, secret)
    return answer


def _on(then: str) -> Response:
    """A page of ours that leads on: a browser that comes straight from elsewhere keeps our cookie to itself."""
    place = html.escape(then, quote=True)
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Signed in</title>'
        f'<meta http-equiv="refresh" content="0;url={place}"></head>'
        f'<body><p>Signed in. <a href="{place}">Go on</a></p></body></html>',
        headers={"Cache-Control": "no-store"},
    )


def _again(request: Request, given: Context, then: str, error: ReconcilerError) -> Response:
    """The page to sign in at, with why it did not go well."""
    log.warning("sign-in.refused", error=error.message, next=error.next_step)
    message, next_step = error.message, error.next_step
    if isinstance(error, PersonNeeded) and not isinstance(error, ProviderTrouble):
        # Where a secret should lie is nothing for somebody whom nobody knows yet.
        message, next_step = "this reconciler is not set up for it", "ask who runs it, whose log says what is missing"
    said = sentence(f"{message}: {next_step}")
    status = HTTPStatus.FORBIDDEN if isinstance(error, SignInRefused) else HTTPStatus.BAD_GATEWAY
    answer = page_of(request, given, Actor(), then, said, status)
    answer.delete_cookie(COOKIE, path=PATH)
    return answer


def _provider(given: Context) -> Provider:
    if given.provider is None:
        raise Refused(HTTPStatus.NOT_FOUND, "nobody signs in through a provider here", "sign in with a token")
    return given.provider


def _redirect(request: Request, provider: Provider) -> str:
    """Where the provider leads back to. It knows that address: a made-up name of this host is refused there."""
    ours = provider.client.address or f"{request.url.scheme}://{request.url.netloc}"
    return f"{ours.rstrip('/')}{PATH}/callback"


def _sealed(begun: Begun, key: str) -> str:
    values = [begun.state, begun.nonce, begun.verifier, begun.then, rfc3339(begun.until)]
    text = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
    return f"{text}.{_mac(text, key)}"


def _opened(kept: str, key: str) -> Begun | None:
    """What the browser kept, where it is as it was given."""
    text, _, mac = kept.rpartition(".")
    if not hmac.compare_digest(mac.encode("utf-8", "surrogatepass"), _mac(text, key).encode()):
        return None
    state, nonce, verifier, then, until = json.loads(base64.urlsafe_b64decode(text))
    moment: datetime = utc(until)
    return Begun(state=state, nonce=nonce, verifier=verifier, then=then, until=moment)


def _mac(text: str, key: str) -> str:
    said = f"reconciler sign-in\n{text}".encode("utf-8", "surrogatepass")
    return hmac.new(key.encode("utf-8", "surrogatepass"), said, hashlib.sha256).hexdigest()
