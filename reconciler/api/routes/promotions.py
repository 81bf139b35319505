"""What may be asked for over HTTP of git alone: which version an environment is to run, as a commit on a branch.

Each answers 202 with the commit, which a person reviews and merges: nothing is carried out by it. With `dry_run`
nothing is written, and what is answered tells what would be.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BeforeValidator, Field, WithJsonSchema

from reconciler import schedule
from reconciler.api.access import Operator
from reconciler.api.asked import ahead, looks_like_a_length
from reconciler.api.routes.interventions import RECORDED, AppName, EnvironmentName, Expected, Given, Why, Written
from reconciler.errors import ScheduleError
from reconciler.model.report import Promotion, PromotionAsked
from reconciler.model.shape import NAME_PATTERN, Flag, Text, refusal, shape

router = APIRouter(tags=["interventions"])
_LONGEST_NAME = 100
_MOMENT = (
    f"{schedule.WITH_OFFSET}, or as a length of time such as 2h; or as a wall time beside `timezone`, 2026-12-01T09:00"
)


def _planned(value: object) -> datetime | timedelta | str:
    """An instant in UTC, or a length of time from now; a wall time as it is written."""
    if not isinstance(value, str):
        raise refusal("a moment is a text", _MOMENT)
    try:
        if looks_like_a_length(value):
            return schedule.duration(value)
        found = schedule.wall(value, _MOMENT)
        return value if found.tzinfo is None else schedule.utc(value)
    except ScheduleError as error:
        raise refusal(f"{error.message}; {error.next_step}") from None


def _followed(value: object) -> str:
    """An environment, or `latest`; '' for the one that is declared."""
    if value is True:
        return ""
    if isinstance(value, str) and len(value) <= _LONGEST_NAME and re.fullmatch(NAME_PATTERN, value):
        return value
    raise refusal("write an environment to follow, `latest`, or true for what is declared")


Planned = Annotated[
    Any,
    BeforeValidator(_planned),
    WithJsonSchema({"type": "string", "maxLength": 40, "examples": ["2026-12-01T09:00:00Z", "2h", "2026-12-01T09:00"]}),
]
Followed = Annotated[
    Any,
    BeforeValidator(_followed),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": NAME_PATTERN, "maxLength": _LONGEST_NAME}, {"const": True}]}
    ),
]


@shape
class Pin(Written):
    """At which version an environment is kept."""

    version: Text | None = None
    """By name, v12, a digest or commit:SHA; by default what runs there now."""
    reason: Why = ""
    allow_suspect: Flag = False
    """Even a version that went wrong there."""
    expected: Expected = None


@shape
class Promote(Written):
    """Which version an environment is to run, from when on. `version`, `traffic` and `track` exclude each other."""

    version: Text | None = None
    """By name, v12, a digest or commit:SHA; by default what completed in the environment that this one follows."""
    traffic: Text | None = None
    """A split by hand in place of one version: `v1=90,v2=10`."""
    track: Followed | None = None
    """Take a pin or a split away: follow this environment again, `latest`, or with true what is declared."""
    at: Planned | None = None
    """From a moment on, as an entry of `schedule`: with an offset, a length of time from now such as `2h`, or a wall
    time in `timezone`."""
    timezone: Annotated[Text, Field(min_length=1, max_length=100)] | None = None
    """The zone of `at`, such as Europe/Paris, which is kept in the entry."""
    reason: Why = ""
    allow_suspect: Flag = False
    """Even a version that went wrong there."""
    allow_rollback: Flag = False
    """Even past a guard that speaks against going back."""
    expected: Expected = None


@router.post("/apps/{app}/environments/{environment}/promote", **RECORDED)
def promote(app: AppName, environment: EnvironmentName, asked: Promote, given: Given, actor: Operator) -> Promotion:
    """Write the commit that lets an environment run a version, onto a branch, ready for a pull request.

    With `track` it takes a pin or a split away; what is answered tells what follows, and which commits come along.
    """
    wanted = PromotionAsked(
        app=app,
        environment=environment,
        version=asked.version,
        traffic=asked.traffic,
        track=asked.track,
        at=asked.at if isinstance(asked.at, str) else ahead(asked.at, given.now()),
        timezone=asked.timezone,
        actor=actor.name,
        reason=asked.reason,
        allow_suspect=asked.allow_suspect,
        allow_rollback=asked.allow_rollback,
        expected=asked.expected,
        message=asked.message,
        freeze_override=asked.freeze_override,
    )
    return given.promote(wanted, asked.dry_run)


@router.post("/apps/{app}/environments/{environment}/pin", **RECORDED)
def pin(app: AppName, environment: EnvironmentName, asked: Pin, given: Given, actor: Operator) -> Promotion:
    """Write the commit that keeps an environment at a version, onto a branch, ready for a pull request.

    Nothing newer comes there then, until a promotion with `track` takes the pin away.
    """
    wanted = PromotionAsked(
        app=app,
        environment=environment,
        version=asked.version,
        actor=actor.name,
        reason=asked.reason,
        allow_suspect=asked.allow_suspect,
        expected=asked.expected,
        message=asked.message,
        freeze_override=asked.freeze_override,
        verb="pin",
    )
    return given.promote(wanted, asked.dry_run)
