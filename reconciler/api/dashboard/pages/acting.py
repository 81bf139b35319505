"""The buttons of the pages: each form is checked, recorded as the command line would, and answered by the page.

A form holds the word of the session, and the deployment that its reader was looking at: where something else stands
there by now, nothing is recorded, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from reconciler import schedule
from reconciler.api.access import Actor, Known, approver_by_form, operator_by_form, require_word
from reconciler.api.context import Context, context
from reconciler.api.dashboard import notices
from reconciler.api.dashboard.pages import app as app_page
from reconciler.api.routes.interventions import require_role
from reconciler.errors import ReconcilerError, UnknownReference, WrongUse
from reconciler.model.report import PromotionAsked
from reconciler.model.wish import Recorded
from reconciler.store import declared
from reconciler.store.database import Transaction
from reconciler.views.scene import scene_of
from reconciler.wishes import approving, expecting, going_back, pausing, releasing, stopping

router = APIRouter(include_in_schema=False)
Field = Annotated[str, Form(max_length=4_000)]
APPROVES, OPERATES = ([Depends(one)] for one in (approver_by_form, operator_by_form))
"""What a form needs, as `doors` asks before it reads one: whoever is not signed in is led there."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A form of an app's page, and who sent it."""

    app: str
    request: Request
    given: Context
    actor: Actor
    word: str
    """What the form says that only our own pages know."""

    def record(self, wish: Callable[[Transaction], Recorded]) -> Response:
        """Record a wish for whoever leads, where it is about the app of the page."""

        def done() -> str:
            with self.given.write() as transaction:
                recorded = wish(transaction)
                if recorded.app != self.app:
                    # An id may be of anything. What is raised here takes back what was written.
                    raise UnknownReference(
                        f"that is about {recorded.app}, not about {self.app}",
                        "act on the page of the app it belongs to",
                    )
                return recorded.kind

        return self.act(done)

    def act(self, do: Callable[[], str]) -> Response:
        """Do it and lead back to the page, which says what `do` calls it; or show the page with why it was not done."""
        page = f"/ui/apps/{quote(self.app, safe='')}"
        try:
            require_word(self.actor, self.word)
            done = notices.word(do(), self.app, self.actor, self.given.now())
        except ReconcilerError as error:
            asked = app_page.Asked("", "", "", "", "")
            return app_page.shown(self.app, self.request, self.given, self.actor, asked, error)
        return RedirectResponse(f"{page}?done={done}", HTTPStatus.SEE_OTHER)


def sent(
    app: str, request: Request, given: Annotated[Context, Depends(context)], actor: Known, csrf: Field = ""
) -> Sent:
    """The form; a dependency of handlers."""
    return Sent(app, request, given, actor, csrf)


Posted = Annotated[Sent, Depends(sent)]


@router.post("/ui/apps/{app}/approve", dependencies=APPROVES)
def approve(form: Posted, id: Field, role: Field = "", reason: Field = "", expected: Field = "") -> Response:
    """Approve what waits at a gate."""

    def wish(transaction: Transaction) -> Recorded:
        require_role(form.actor, role or None)
        return approving.approve(
            transaction,
            id,
            actor=form.actor.name,
            now=form.given.now(),
            role=role or None,
            reason=reason,
            expected=expected or None,
        )

    return form.record(wish)


@router.post("/ui/apps/{app}/rollback", dependencies=OPERATES)
def rollback(form: Posted, environment: Field, reason: Field, to: Field = "", expected: Field = "") -> Response:
    """Go back now."""
    return form.record(
        lambda transaction: going_back.rollback(
            transaction,
            form.app,
            environment,
            actor=form.actor.name,
            now=form.given.now(),
            to=to or None,
            reason=reason,
            expected=expected or None,
        ),
    )


@router.post("/ui/apps/{app}/pause", dependencies=OPERATES)
def pause(form: Posted, reason: Field, until: Field, environment: Field = "") -> Response:
    """Start nothing new until a moment, on the clock of the page."""
    return form.record(
        lambda transaction: pausing.pause(
            transaction,
            form.app,
            environment or None,
            reason=reason,
            until=_moment(until, form.given),
            actor=form.actor.name,
            now=form.given.now(),
        ),
    )


def _moment(text: str, given: Context) -> datetime:
    """What a field for a date and a time holds. Raises WrongUse, ScheduleError."""
    if not text:
        raise WrongUse("no moment is given", "say until when")
    return schedule.instant(text, given.terms.timezone)


@router.post("/ui/apps/{app}/resume", dependencies=OPERATES)
def resume(form: Posted, environment: Field = "") -> Response:
    """End a pause."""
    return form.record(
        lambda transaction: pausing.resume(
            transaction, form.app, environment or None, actor=form.actor.name, now=form.given.now()
        ),
    )


@router.post("/ui/apps/{app}/release", dependencies=OPERATES)
def release(form: Posted, environment: Field, reason: Field = "", expected: Field = "") -> Response:
    """End a hold."""
    return form.record(
        lambda transaction: releasing.release(
            transaction,
            form.app,
            environment,
            actor=form.actor.name,
            now=form.given.now(),
            reason=reason,
            expected=expected or None,
        ),
    )


@router.post("/ui/apps/{app}/retry", dependencies=OPERATES)
def retry(form: Posted, id: Field, reason: Field = "") -> Response:
    """Try a deployment again, or the checks of a gate."""
    return form.record(
        lambda transaction: stopping.retry(transaction, id, actor=form.actor.name, now=form.given.now(), reason=reason),
    )


@router.post("/ui/apps/{app}/abort", dependencies=OPERATES)
def abort(form: Posted, id: Field, reason: Field = "") -> Response:
    """Stop a deployment."""
    return form.record(
        lambda transaction: stopping.abort(transaction, id, reason=reason, actor=form.actor.name, now=form.given.now()),
    )


@router.post("/ui/apps/{app}/promote", dependencies=OPERATES)
def promote(
    form: Posted,
    environment: Field,
    version: Field = "",
    reason: Field = "",
    stands: Annotated[list[str], Form(max_length=500)] = [],  # noqa: B006 - which nobody changes
) -> Response:
    """Write the commit that lets an environment run a version, onto a branch.

    `stands` says `ENVIRONMENT=DEPLOYMENT` of every environment that could be chosen: what the reader was looking at.
    Where it is silent about one that counts, nothing is written.
    """
    seen = dict(one[:300].split("=", 1) for one in stands if "=" in one)

    def write() -> str:
        wanted = PromotionAsked(
            app=form.app,
            environment=environment,
            version=version or None,
            actor=form.actor.name,
            reason=reason,
            expected=_seen(seen, environment),
        )
        if not version:
            # It was chosen by what runs before this one, so that must be the same, too.
            with form.given.read() as connection:
                before = scene_of(connection).environments.get(environment)
                if before is not None and before.spec.track in declared.placements(connection, [form.app]).get(
                    form.app, {}
                ):
                    track = before.spec.track
                    expecting.require(connection, form.app, track, _seen(seen, track))
        form.given.promote(wanted, False)
        return "promote"

    return form.act(write)


def _seen(seen: Mapping[str, str], environment: str) -> str:
    """What the reader saw in an environment. Raises WrongUse where the form does not tell."""
    if not seen.get(environment):
        raise WrongUse(
            f"the form does not say what stood in {environment[:100]}", "open the page anew, then promote from there"
        )
    return seen[environment]
