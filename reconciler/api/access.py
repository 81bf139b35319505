"""Who asks, and may they?

A token in `Authorization: Bearer …`, or the session of a person whose browser holds a cookie. What changes something
needs a scope; what is read needs one where the settings say so. A cookie is sent along by a browser whoever made the
page, so what changes something by one must also say the word that only our own pages know.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, NoReturn

from fastapi import Depends, Query, Request
from starlette.concurrency import run_in_threadpool

from reconciler.api.context import Context, context
from reconciler.api.problems import Refused
from reconciler.api.shielding import SAFE
from reconciler.model import access
from reconciler.model.access import Scope
from reconciler.store import tokens

COOKIE = "reconciler_session"
CSRF = "csrf"
"""The field of a form, or in lower case the header `X-CSRF`, that says the word."""
KNOWN = "reconciler.actor"
"""Where a request holds who asks, once that has been found out."""
_MAKE = "make one with `reconciler tokens create --scope {}`, and send it as `Authorization: Bearer …`"
_FEED = "make one with `reconciler tokens create --scope feed`"
_SUBSCRIBE = f"{_FEED}, and put it into the address: /calendar.ics?token=…; or send one that may read as a header"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks. `name` is what the ledger says, '' for somebody who has not said it."""

    name: str = ""
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    """In which they may approve."""
    session: str = ""
    """What the cookie holds, where that is how they are known."""

    def may(self, scope: Scope) -> bool:
        """Whether a scope of theirs allows this."""
        return access.allowed(self.scopes, scope)

    @property
    def word(self) -> str:
        """What a form of ours must hold, so that nobody else's page can send it."""
        return word_of(self.session) if self.session else ""


NOBODY = Actor()


TokenInAddress = Annotated[
    str | None,
    Query(max_length=200, description="A token of the scope `feed`, for programs that can send no header."),
]


def word_of(session: str) -> str:
    """The word that belongs to a session. From it nobody learns the session."""
    return hmac.new(session.encode("utf-8", "surrogatepass"), b"reconciler csrf", hashlib.sha256).hexdigest()


async def known(request: Request, given: Annotated[Context, Depends(context)]) -> Actor:
    """Who asks, whether or not they may do anything. Raises Refused for a token that does not hold."""
    found: Actor | None = request.scope.get(KNOWN)
    if found is not None:
        return found
    header = request.headers.get("authorization")
    if header is not None:
        return await run_in_threadpool(_by_token, given, header, given.now())
    cookie = request.cookies.get(COOKIE)
    return await run_in_threadpool(_by_cookie, given, cookie) if cookie else NOBODY


def _by_cookie(given: Context, cookie: str) -> Actor:
    with given.read() as connection:
        found = tokens.session(connection, access.digest(cookie), given.now())
    if found is None:
        return NOBODY
    return Actor(name=found.actor, scopes=frozenset(found.scopes), roles=frozenset(found.roles), session=cookie)


Known = Annotated[Actor, Depends(known)]


def _by_token(given: Context, header: str, now: datetime) -> Actor:
    scheme, _, text = header.partition(" ")
    written = access.read(text.strip()) if scheme.lower() == "bearer" else None
    if written is None:
        _refuse("this is no token", "send `Authorization: Bearer rec_…`, as `reconciler tokens create` printed it")
    token = _held(given, written, now)
    if access.FEED in token.scopes:
        _refuse("this token is for a calendar alone", "put it into the address: /calendar.ics?token=…")
    tokens.note_use(given.store, token, now)
    return Actor(name=token.name, scopes=frozenset(token.scopes), roles=frozenset(token.roles))


def _by_address(given: Context, text: str, now: datetime) -> Actor:
    """Who is known by a token that stands in an address, where others may read it."""
    written = access.read(text)
    if written is None:
        _refuse("the token in the address is none", _FEED)
    token = _held(given, written, now)
    if access.FEED not in token.scopes:
        said = "this token must not stand in an address: revoke it, since others may have read it by now"
        _refuse(said, f"`reconciler tokens revoke {token.id}`; then {_FEED}")
    tokens.note_use(given.store, token, now)
    return Actor(name=token.name, scopes=frozenset(token.scopes))


def _held(given: Context, written: access.Written, now: datetime) -> tokens.Token:
    """What is known of a token that holds. Raises Refused."""
    with given.read() as connection:
        found = tokens.find(connection, written.id)
    # Compared also where there is none: how long it takes tells nothing.
    stored = found[1] if found else ""
    if not hmac.compare_digest(stored, access.digest(written.secret)) or found is None:
        _refuse("nobody knows this token", "make another with `reconciler tokens create`")
    token = found[0]
    if token.state(now) != "valid":
        _refuse(f"this token is {token.state(now)}", "make another with `reconciler tokens create`")
    return token


def _refuse(message: str, next_step: str) -> NoReturn:
    raise Refused(
        HTTPStatus.UNAUTHORIZED, message, next_step, headers={"WWW-Authenticate": 'Bearer realm="reconciler"'}
    )


def require(actor: Actor, scope: Scope) -> Actor:
    """The actor, if a scope of theirs allows this. Raises Refused."""
    if actor.may(scope):
        return actor
    if not actor.scopes:
        _refuse("this needs a token", _MAKE.format(scope))
    having = ", ".join(sorted(actor.scopes))
    said = f"{actor.name} may not: it needs the scope {scope}, and there is {having}"
    raise Refused(HTTPStatus.FORBIDDEN, said, _MAKE.format(scope))


async def reader(actor: Known, given: Annotated[Context, Depends(context)]) -> Actor:
    """Whoever may read. Raises Refused."""
    return require(actor, "read") if given.terms.reading_needs_token else actor


async def subscriber(actor: Known, given: Annotated[Context, Depends(context)], token: TokenInAddress = None) -> Actor:
    """Whoever may read the calendar as a feed, also by a token in the address. Raises Refused."""
    if token is None:
        if given.terms.reading_needs_token and not actor.scopes:
            _refuse("this needs a token", _SUBSCRIBE)
        return await reader(actor, given)
    return await run_in_threadpool(_by_address, given, token, given.now())


def reporter(actor: Known, request: Request) -> Actor:
    """Whoever may report deployments made elsewhere. Raises Refused."""
    return _acting(actor, request, "report")


def approver(actor: Known, request: Request) -> Actor:
    """Whoever may approve what waits at a gate. Raises Refused."""
    return _acting(actor, request, "approve")


def operator(actor: Known, request: Request) -> Actor:
    """Whoever may stop, pause, promote and roll back. Raises Refused."""
    return _acting(actor, request, "operate")


def approver_by_form(actor: Known, _request: Request) -> Actor:
    """Whoever may send a form that approves; whether one of ours is what comes, its handler asks. Raises Refused."""
    return require(actor, "approve")


def operator_by_form(actor: Known, _request: Request) -> Actor:
    """Whoever may send any other form of an app's page. Raises Refused."""
    return require(actor, "operate")


Reader = Annotated[Actor, Depends(reader)]
Reporter = Annotated[Actor, Depends(reporter)]
Approver = Annotated[Actor, Depends(approver)]
Operator = Annotated[Actor, Depends(operator)]


def _acting(actor: Actor, request: Request, scope: Scope) -> Actor:
    """As `require`; with a session the request's header must hold the word."""
    found = require(actor, scope)
    if found.session and request.method not in SAFE and not said_word(found, request.headers.get("x-csrf", "")):
        raise _forged()
    return found


def said_word(actor: Actor, word: str) -> bool:
    """Whether the word is that of the actor's session."""
    return hmac.compare_digest(word.encode("utf-8", "surrogatepass"), actor.word.encode())


def require_word(actor: Actor, word: str) -> None:
    """Refuse a form that none of our pages made. Raises Refused."""
    if actor.session and not said_word(actor, word):
        raise _forged()


def _forged() -> Refused:
    return Refused(
        HTTPStatus.FORBIDDEN,
        "this did not come from a page of the reconciler",
        "open the page again, and act from there",
    )
