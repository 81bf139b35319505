"""How does a plan look from outside: what would be done, what is held back and refused, and what it would change?

Pure conversions from the plan inside to the declared shapes, and from those to JSON. Instants are RFC 3339 in UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from reconciler.model.app import Triggers
from reconciler.model.deployment import Allotment, Cause
from reconciler.model.plan import (
    Abort,
    Action,
    Advance,
    ApplyTriggers,
    Deploy,
    Lift,
    Plan,
    Refused,
    RunChecks,
    Waiting,
    short,
)
from reconciler.model.shape import Instant, shape


@shape
class Changed:
    """One setting, before and after. A setting that is missing has no value: `had` and `has` tell it from null."""

    key: str
    before: Any = None
    after: Any = None
    had: bool = True
    has: bool = True


@shape
class Effect:
    """What a deployment changes where it is made."""

    versions_before: tuple[Allotment, ...] = ()
    """What ran there before; empty for nothing."""
    config: tuple[Changed, ...] = ()
    """Settings as the app sees them: the version's with all layers over them."""

    @property
    def empty(self) -> bool:
        """Whether nothing is known to change but the versions."""
        return not self.config


@shape
class PlannedAction:
    """One thing that would be done."""

    action: str
    app: str
    environment: str
    cause: str | None
    traffic: tuple[Allotment, ...]
    reason: str
    at: Instant | None = None
    """When, where a plan goes on into the future; so are the next three."""
    changes: Effect | None = None
    after: tuple[str, ...] = ()
    """What it has waited for by then, in words."""
    cancel: str = ""
    """How it is called off, with the place in git."""


@shape
class PlannedWait:
    """What a plan holds back."""

    app: str
    environment: str
    waits_for: Annotated[str, Field(alias="for")]
    until: Instant | None
    detail: str
    id: str | None = None


@shape
class PlannedRefusal:
    """What a plan refuses."""

    app: str
    environment: str
    rule: str
    detail: str


@shape
class PlanShown:
    """A plan as it is shown: for which commit, for which moment."""

    commit: str | None
    at: Instant
    actions: tuple[PlannedAction, ...]
    waiting: tuple[PlannedWait, ...]
    refused: tuple[PlannedRefusal, ...]
    wake_at: Instant | None


@dataclass(frozen=True, slots=True)
class Foretold:
    """What a plan that goes on into the future says of an action besides."""

    at: datetime
    changes: Effect | None = None
    after: tuple[str, ...] = ()
    cancel: str = ""


PLAN = TypeAdapter(PlanShown)
TRIGGERS = TypeAdapter(Triggers)


def plan_json(plan: PlanShown) -> dict[str, Any]:
    """A plan."""
    dumped: dict[str, Any] = PLAN.dump_python(plan, mode="json")
    for action in dumped["actions"]:
        changes = action.pop("changes")
        if action["at"] is None:
            for name in ("at", "after", "cancel"):
                del action[name]
        elif changes is not None:
            action["before"] = changes["versions_before"]
            action["changes"] = {
                one["key"]: {name: one[name] for name, there in (("before", "had"), ("after", "has")) if one[there]}
                for one in changes["config"]
            }
    return dumped


def shown_plan(plan: Plan, commit: str | None, at: datetime, told: Sequence[Foretold] = ()) -> PlanShown:
    """A plan as it is shown, made for the commit `commit` and the moment `at` (UTC).

    `told` says more of each action, where the plan goes on into the future.
    """
    besides: Sequence[Foretold | None] = told or (None,) * len(plan.actions)
    return PlanShown(
        commit=commit,
        at=at,
        actions=tuple(_action(action, more) for action, more in zip(plan.actions, besides, strict=True)),
        waiting=tuple(_wait(one) for one in plan.waiting),
        refused=tuple(_refusal(one) for one in plan.refused),
        wake_at=plan.wake_at,
    )


def _wait(one: Waiting) -> PlannedWait:
    return PlannedWait(
        app=one.app,
        environment=one.environment,
        waits_for=one.waits_for,
        until=one.until,
        detail=one.detail,
        id=short(one.key) if one.key else None,
    )


def _refusal(one: Refused) -> PlannedRefusal:
    return PlannedRefusal(app=one.app, environment=one.environment, rule=one.rule, detail=one.detail)


def _action(action: Action, told: Foretold | None) -> PlannedAction:
    cause: Cause | None = None
    traffic: tuple[Allotment, ...] = ()
    match action:
        case Deploy():
            name, reason = "deploy" if action.subject.traffic else "retire", action.reason
            cause, traffic = action.cause, action.subject.traffic
        case Abort():
            name, reason = "abort", action.reason
        case Advance():
            name, reason = "step", action.reason
        case ApplyTriggers():
            name, reason = "triggers", _spoken(action.triggers)
        case RunChecks():
            name, traffic = "check", action.traffic
            reason = f"run {', '.join(check.name for check in action.checks)}"
        case Lift():
            name, reason = "lift", action.reason
    return PlannedAction(
        action=name,
        app=action.app,
        environment=action.environment,
        cause=cause,
        traffic=traffic,
        reason=reason,
        at=told.at if told else None,
        changes=told.changes if told else None,
        after=told.after if told else (),
        cancel=told.cancel if told else "",
    )


def _spoken(triggers: Triggers) -> str:
    parts = [f"{name} {', '.join(values)}" for name, values in TRIGGERS.dump_python(triggers).items() if values]
    return f"hand over {'; '.join(parts)}" if parts else "take routes, domains and crons away"
