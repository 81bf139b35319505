"""How does a plan inside become the plan that is shown?

Pure conversions to the shapes of `shown`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from pydantic import TypeAdapter

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
from reconciler.model.shown import Effect, PlannedAction, PlannedRefusal, PlannedWait, PlanShown

TRIGGERS = TypeAdapter(Triggers)


@dataclass(frozen=True, slots=True)
class Foretold:
    """What a plan that goes on into the future says of an action besides."""

    at: datetime
    changes: Effect | None = None
    after: tuple[str, ...] = ()
    cancel: str = ""


def shown_plan(plan: Plan, commit: str | None, at: datetime, told: Sequence[Foretold] = ()) -> PlanShown:
    """A plan as it is shown, made for the commit `commit` and the moment `at` (UTC).

    `told` says more of each action, where the plan goes on into the future.
    """
    besides: Sequence[Foretold | None] = told or (None,) * len(plan.actions)
    # By app, so that the same state is shown alike; within an app as its environments follow one another.
    by_app = attrgetter("app")
    return PlanShown(
        commit=commit,
        at=at,
        actions=tuple(_action(action, more) for action, more in zip(plan.actions, besides, strict=True)),
        waiting=tuple(_wait(one) for one in sorted(plan.waiting, key=by_app)),
        refused=tuple(_refusal(one) for one in sorted(plan.refused, key=by_app)),
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
