"""`/deployment-events/`: what a CI system reports about a deployment that it makes itself.

A `started` is a question too: may it start? Whoever reports it goes on with 200 or 201, and waits with 409, 423 or 428.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Response
from fastapi.routing import APIRoute
from pydantic import Field, create_model
from pydantic_core import to_json

from reconciler.api import examples
from reconciler.api.access import Reporter, require
from reconciler.api.context import Context, context
from reconciler.api.problems import MEDIA_TYPE, Refused
from reconciler.api.shapes import DeploymentShown
from reconciler.desired import Tracked
from reconciler.model.output import deployment_json
from reconciler.model.plan import short
from reconciler.model.reporting import DeploymentEvent, Message
from reconciler.planner.preflight import Asked, Objection
from reconciler.schedule import rfc3339
from reconciler.wishes import reporting
from reconciler.wishes.reporting import Taken


class _EitherWay(APIRoute):
    """The same path with its last slash and without it: a redirect would lose the event of who does not follow it."""

    def __init__(self, path: str, *given: Any, **named: Any) -> None:
        super().__init__(path, *given, **named)
        self.path_regex = re.compile(f"^{re.escape(path.rstrip('/'))}/?$")


router = APIRouter(tags=["deployments"], route_class=_EitherWay)
Outcome = Literal["recorded", "known", "late"]
_ABOUT: dict[str, Any] = {
    "outcome": (Annotated[Outcome, Field(description="`late`: it is out of order, and changes nothing.")], ...),
    "detail": (Annotated[str, Field(description="Why it changes nothing.")], ...),
    "remarks": (Annotated[list[str], Field(description="What was let pass, and by whose word.")], ...),
}
EventTaken = create_model(
    "EventTaken",
    __base__=DeploymentShown,
    __doc__="The deployment that an event told of, and what it changed.",
    **_ABOUT,
)
_EXAMPLE = {**examples.DEPLOYMENT, "outcome": "recorded", "detail": "", "remarks": []}
_TAKEN = {"content": {"application/json": {"example": examples.kept(_EXAMPLE)}}, "model": EventTaken}


def _refusal(said: str) -> dict[str, Any]:
    return {"description": said, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


DESCRIBED: dict[str, Any] = {
    "status_code": HTTPStatus.CREATED,
    "response_model": None,
    "responses": {
        HTTPStatus.OK: {**_TAKEN, "description": "It was known, or comes too late: nothing is recorded"},
        HTTPStatus.CREATED: {**_TAKEN, "description": "It is recorded"},
        HTTPStatus.CONFLICT: _refusal("It may not start: another deployment runs there"),
        HTTPStatus.LOCKED: _refusal("It may not start: the environment is frozen"),
        HTTPStatus.PRECONDITION_REQUIRED: _refusal("It may not start yet: order, soak or approvals"),
    },
}


@router.post("/deployment-events/", **DESCRIBED)
def report(
    event: DeploymentEvent,
    given: Annotated[Context, Depends(context)],
    actor: Reporter,
    override: Annotated[Message, Header(description="As `override` in the body.")] = "",
) -> Response:
    """Take what is reported. The same event twice is recorded once; a start may be refused, which is recorded too."""
    event = with_override(event, override)
    if event.override:
        require(actor, "operate")
    now = given.now()
    with given.write() as transaction:
        taken = reporting.report(transaction, event, actor=actor.name, now=now)
    if taken.objections:
        assert taken.asked is not None
        raise _refused(taken.asked, taken.objections, now)
    return _answer(taken)


def with_override(event: DeploymentEvent, header: str) -> DeploymentEvent:
    """The event with the header's word, where it has none of its own."""
    if not header or event.override:
        return event
    return replace(event, override=header)


def _answer(taken: Taken) -> Response:
    assert taken.deployment is not None
    outcome: Outcome = "recorded" if taken.new else "late" if taken.detail else "known"
    about = {"outcome": outcome, "detail": taken.detail, "remarks": list(taken.remarks)}
    body = to_json({**deployment_json(taken.deployment), **about})
    status = HTTPStatus.CREATED if taken.new else HTTPStatus.OK
    headers = {"Location": f"/deployments/{taken.deployment.id}"}
    return Response(body, status, headers, "application/json")


_STATUS = {"busy": HTTPStatus.CONFLICT, "freeze": HTTPStatus.LOCKED}


def _refused(asked: Asked, objections: Sequence[Objection], now: datetime) -> Refused:
    """Why it may not start, with the numbers, and when to ask again."""
    ends = [one.until for one in objections if one.until is not None]
    until = max(ends, default=None)
    after = max((until - now).total_seconds(), 0.0) if until is not None else None
    details: dict[str, Any] = {
        "rule": objections[0].rule,
        "app": asked.app,
        "environment": asked.environment,
        "version": asked.version,
        "until": rfc3339(until) if until is not None else None,
        "objections": [
            {
                "rule": one.rule,
                "detail": one.detail,
                "next_step": one.next_step,
                "until": rfc3339(one.until) if one.until is not None else None,
            }
            for one in objections
        ],
        **_numbers(asked, objections),
    }
    return Refused(
        _STATUS.get(objections[0].rule, HTTPStatus.PRECONDITION_REQUIRED),
        "; ".join(one.detail for one in objections),
        "; ".join(one.next_step for one in objections),
        details=details,
        retry_after=after,
    )


def _numbers(asked: Asked, objections: Sequence[Objection]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    rules = {one.rule: one for one in objections}
    if "busy" in rules and asked.runs is not None:
        runs = asked.runs
        of = {"id": runs.id, "number": runs.number, "version": runs.version, "external": runs.external}
        found["deployment"] = {**of, "since": rfc3339(runs.since)}
    if "freeze" in rules:
        found["freezes"] = [
            {"name": one.name, "until": rfc3339(one.until), "reason": one.reason} for one in rules["freeze"].freezes
        ]
    if "order" in rules and asked.wanted is not None and isinstance(asked.wanted.follows, Tracked):
        found["missing_in"] = asked.wanted.follows.environment
    if "approval" in rules and asked.wanted is not None and asked.wanted.gates is not None:
        found["approval"] = {
            "id": short(asked.key),
            "needed": asked.wanted.gates.approvals,
            "approved_by": [{"actor": one.actor, "role": one.role} for one in asked.approvals],
            "missing_roles": list(rules["approval"].roles),
            "not_counted": sorted(asked.people),
        }
    return found
