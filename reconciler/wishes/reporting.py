"""What somebody tells about a deployment made elsewhere: is it taken, may it start, and what is recorded?

What an event means is decided in `planner/reporting`, what speaks against a start in `planner/preflight`. A start that
is refused is recorded too, so nothing is raised for it: whoever asked is told by the face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.model.deployment import ACTIVE, Deployment, Status
from reconciler.model.reporting import DeploymentEvent
from reconciler.planner.preflight import Asked, Objection, Verdict, verdict
from reconciler.planner.reporting import Known, Move, given, meaning, moment
from reconciler.schedule import rfc3339
from reconciler.store import gates, ledger, reporting, starts
from reconciler.store.database import Transaction
from reconciler.views import reported
from reconciler.wishes import saying


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of an event."""

    deployment: Deployment | None
    """None where nothing is recorded of it, since it may not start."""
    new: bool
    """Whether it told something new."""
    detail: str = ""
    """Why it changes nothing, where that is so."""
    remarks: tuple[str, ...] = ()
    """What was let pass, and by whose word."""
    objections: tuple[Objection, ...] = ()
    """What speaks against the start, which is refused then."""
    asked: Asked | None = None


def report(transaction: Transaction, event: DeploymentEvent, *, actor: str, now: datetime) -> Taken:
    """Take what is told; `actor` has been found to be allowed to, and to override where the event does so. Now (UTC).

    Raises WrongUse.
    """
    actor, override = saying.name(actor), saying.reason(event.override)
    app, environment = event.product_name, event.environment_name
    last = reporting.newest(transaction.connection, app, environment, event.version)
    found = meaning(event, last)
    if isinstance(found, Known):
        _not_wanted(transaction, event, (), actor, now)
        return Taken(deployment=found.deployment, new=False, detail=found.why)
    answer, asked = Verdict(), None
    if event.status == "started":
        people = frozenset(person for person in (event.deployed_by, actor) if person)
        start = reported.Wanted(app=app, environment=environment, version=event.version, kind=event.kind, people=people)
        asked = reported.look(transaction.connection, start, now)
        answer = verdict(asked)
    if asked is not None and answer.objections and not override:
        _refuse(transaction, asked, answer.objections, actor, now)
        return Taken(deployment=last, new=False, objections=answer.objections, asked=asked)
    remarks = (*answer.remarks, *(f"overridden by {actor}: {one.detail}" for one in answer.objections))
    fact = _fact(event, remarks, override if answer.objections else "")
    at = moment(event, now)
    known = found.deployment if isinstance(found, Move) else None
    made = _record(transaction, event, known, found.through, fact, actor=actor, at=at, now=now)
    _not_wanted(transaction, event, found.through, actor, now)
    return Taken(deployment=made, new=True, remarks=remarks)


def _record(
    transaction: Transaction,
    event: DeploymentEvent,
    known: Deployment | None,
    through: Sequence[Status],
    fact: dict[str, Any],
    *,
    actor: str,
    at: datetime,
    now: datetime,
) -> Deployment:
    said = given(event)
    if known is None:
        first = {"deployed_by": actor, "extra_metadata": event.extra_metadata, **said}
        known = reporting.begin(transaction, event.product_name, event.environment_name, event.version, first, at)
    else:
        more = {**known.extra_metadata, **event.extra_metadata}
        reporting.add(transaction, known, {**said, "extra_metadata": more})
    for status in through:
        # The message is about what was told, not about what follows from it.
        told = fact if status == event.status else {**fact, "message": "", "told_by": event.status}
        known = reporting.move(transaction, known, status, at, told, actor=actor, now=now)
    return known


def _fact(event: DeploymentEvent, remarks: Sequence[str], override: str) -> dict[str, Any]:
    """What the ledger keeps of an event. What people add as they like is with the deployment."""
    fact: dict[str, Any] = {"version": event.version, "message": event.message, **given(event)}
    if event.kind != "release":
        fact["as"] = event.kind
    if event.occurred_at is not None:
        fact["occurred_at"] = rfc3339(event.occurred_at)
    if remarks:
        fact["remarks"] = list(remarks)
    if override:
        fact["override"] = override
    return fact


def _not_wanted(
    transaction: Transaction, event: DeploymentEvent, through: Sequence[Status], actor: str, now: datetime
) -> None:
    """Starts that were refused, and that nobody waits for after this event."""
    here = (transaction, event.product_name, event.environment_name, event.version)
    if "started" in through:
        starts.started(*here, actor, now)
    if event.status not in ACTIVE:
        starts.ended(*here, event.status, at=moment(event, now), actor=actor, now=now)


def _refuse(transaction: Transaction, asked: Asked, objections: Sequence[Objection], actor: str, now: datetime) -> None:
    """Write down that it may not start, unless the same was the last that was said of it."""
    known = starts.find(transaction.connection, asked.key, now)
    # That it waits again is told, since pages are made anew by facts.
    again = known is not None and known[1] != ""
    if any(one.rule == "approval" for one in objections):
        gates.ask(transaction, [(asked.key, asked.app, asked.environment)], now)
        transaction.flush()
        starts.refuse(
            transaction,
            asked.key,
            app=asked.app,
            environment=asked.environment,
            version=asked.version,
            kind=asked.kind,
            people=asked.people,
            now=now,
        )
    else:
        starts.asked_again(transaction, asked.key, now)
    body = {
        "version": asked.version,
        "kind": asked.kind,
        "people": sorted(asked.people),
        "rules": [one.rule for one in objections],
        "message": "; ".join(one.detail for one in objections),
    }
    told = ledger.of_subject(transaction.connection, asked.key)
    if told and not again and told[-1]["kind"] == reported.REFUSED and told[-1]["body"] == body:
        return  # whoever waits for an approval may ask every few seconds
    transaction.note(
        reported.REFUSED, now, body, app=asked.app, environment=asked.environment, subject=asked.key, actor=actor
    )
