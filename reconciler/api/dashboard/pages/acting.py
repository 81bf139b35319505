"""The buttons of the pages: each form is checked, recorded as the command line would, and answered by the page.

A form holds the word of the session, and the deployment that its reader was looking at: where something else stands
there by now, nothing is recorded, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from reconciler import schedule
from reconciler.api.access import Actor, Known, require, require_word
from reconciler.api.context import Context, context
from reconciler.api.dashboard.pages import app as app_page
from reconciler.api.problems import Refused
from reconciler.api.routes.interventions import require_role
from reconciler.errors import ReconcilerError, WrongUse
from reconciler.model.access import Scope
from reconciler.model.report import PromotionAsked
from reconciler.model.wish import Recorded
from reconciler.store.database import Transaction
from reconciler.wishes import approving, going_back, pausing, releasing, stopping

router = APIRouter(include_in_schema=False)
Given = Annotated[Context, Depends(context)]
Field = Annotated[str, Form(max_length=4_000)]


def _act(
    app: str,
    request: Request,
    given: Context,
    actor: Actor,
    csrf: str,
    scope: Scope,
    record: Callable[[Transaction], Recorded],
) -> Response:
    """Record it, and lead back to the page; or show the page with why it was not recorded."""
    shown = app_page.Asked("", "", "", "", "")
    if not actor.scopes:
        return RedirectResponse(f"/ui/sign-in?then=/ui/apps/{quote(app, safe='')}", HTTPStatus.SEE_OTHER)
    try:
        require_word(require(actor, scope), csrf)
        with given.write() as transaction:
            recorded = record(transaction)
    except ReconcilerError as error:
        if isinstance(error, Refused) and error.status == HTTPStatus.UNAUTHORIZED:
            raise
        return app_page.shown(app, request, given, actor, shown, error)
    return _back(app, recorded.kind)


def _back(app: str, done: str) -> Response:
    return RedirectResponse(f"/ui/apps/{quote(app, safe='')}?done={done}", HTTPStatus.SEE_OTHER)


@router.post("/ui/apps/{app}/approve")
def approve(
    app: str,
    request: Request,
    given: Given,
    actor: Known,
    id: Field,
    csrf: Field = "",
    role: Field = "",
    reason: Field = "",
    expected: Field = "",
) -> Response:
    """Approve what waits at a gate."""

    def record(transaction: Transaction) -> Recorded:
        require_role(actor, role or None)
        return approving.approve(
            transaction,
            id,
            actor=actor.name,
            now=given.now(),
            role=role or None,
            reason=reason,
            expected=expected or None,
        )

    return _act(app, request, given, actor, csrf, "approve", record)


@router.post("/ui/apps/{app}/rollback")
def rollback(
    app: str,
    request: Request,
    given: Given,
    actor: Known,
    environment: Field,
    reason: Field,
    csrf: Field = "",
    to: Field = "",
    expected: Field = "",
) -> Response:
    """Go back now."""
    return _act(
        app,
        request,
        given,
        actor,
        csrf,
        "operate",
        lambda transaction: going_back.rollback(
            transaction,
            app,
            environment,
            actor=actor.name,
            now=given.now(),
            to=to or None,
            reason=reason,
            expected=expected or None,
        ),
    )


@router.post("/ui/apps/{app}/pause")
def pause(
    app: str,
    request: Request,
    given: Given,
    actor: Known,
    reason: Field,
    until: Field,
    csrf: Field = "",
    environment: Field = "",
) -> Response:
    """Start nothing new until a moment, on the clock of the page."""

    def record(transaction: Transaction) -> Recorded:
        return pausing.pause(
            transaction,
            app,
            environment or None,
            reason=reason,
            until=_moment(until, given),
            actor=actor.name,
            now=given.now(),
        )

    return _act(app, request, given, actor, csrf, "operate", record)


def _moment(text: str, given: Context) -> datetime:
    """What a field for a date and a time holds. Raises WrongUse."""
    try:
        return schedule.instant(text, given.terms.timezone) if text else _no_moment()
    except ReconcilerError as error:
        raise WrongUse(error.message, error.next_step) from error


def _no_moment() -> datetime:
    raise WrongUse("no moment is given", "say until when")


@router.post("/ui/apps/{app}/resume")
def resume(
    app: str, request: Request, given: Given, actor: Known, csrf: Field = "", environment: Field = ""
) -> Response:
    """End a pause."""
    return _act(
        app,
        request,
        given,
        actor,
        csrf,
        "operate",
        lambda transaction: pausing.resume(transaction, app, environment or None, actor=actor.name, now=given.now()),
    )


@router.post("/ui/apps/{app}/release")
def release(
    app: str,
    request: Request,
    given: Given,
    actor: Known,
    environment: Field,
    csrf: Field = "",
    reason: Field = "",
    expected: Field = "",
) -> Response:
    """End a hold."""
    return _act(
        app,
        request,
        given,
        actor,
        csrf,
        "operate",
        lambda transaction: releasing.release(
            transaction,
            app,
            environment,
            actor=actor.name,
            now=given.now(),
            reason=reason,
            expected=expected or None,
        ),
    )


@router.post("/ui/apps/{app}/retry")
def retry(
    app: str, request: Request, given: Given, actor: Known, id: Field, csrf: Field = "", reason: Field = ""
) -> Response:
    """Try a deployment again, or the checks of a gate."""
    return _act(
        app,
        request,
        given,
        actor,
        csrf,
        "operate",
        lambda transaction: stopping.retry(transaction, id, actor=actor.name, now=given.now(), reason=reason),
    )


@router.post("/ui/apps/{app}/abort")
def abort(
    app: str, request: Request, given: Given, actor: Known, id: Field, reason: Field, csrf: Field = ""
) -> Response:
    """Stop a deployment."""
    return _act(
        app,
        request,
        given,
        actor,
        csrf,
        "operate",
        lambda transaction: stopping.abort(transaction, id, reason=reason, actor=actor.name, now=given.now()),
    )


@router.post("/ui/apps/{app}/promote")
def promote(
    app: str,
    request: Request,
    given: Given,
    actor: Known,
    environment: Field,
    csrf: Field = "",
    version: Field = "",
    reason: Field = "",
    expected: Field = "",
) -> Response:
    """Write the commit that lets an environment run a version, onto a branch."""
    shown = app_page.Asked("", "", "", "", "")
    if not actor.scopes:
        return RedirectResponse(f"/ui/sign-in?then=/ui/apps/{quote(app, safe='')}", HTTPStatus.SEE_OTHER)
    try:
        require_word(require(actor, "operate"), csrf)
        wanted = PromotionAsked(
            app=app,
            environment=environment,
            version=version or None,
            actor=actor.name,
            reason=reason,
            expected=expected or None,
        )
        given.promote(wanted, False)
    except ReconcilerError as error:
        return app_page.shown(app, request, given, actor, shown, error)
    return _back(app, "promote")
