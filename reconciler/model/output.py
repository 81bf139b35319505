"""How do nouns look from outside: in `-o json`, over HTTP and in exports?

Pure conversions from the values inside to the declared shapes, and from those to JSON. Instants are RFC 3339 in UTC.
What is internal (the grounds of a deployment, counts of attempts) stays inside. Nothing is looked up here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from reconciler.model.app import Triggers
from reconciler.model.deployment import Allotment, Cause, Deployment, Event
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
from reconciler.model.rollout import progress_json
from reconciler.model.shape import Config, Instant, shape
from reconciler.model.version import Version

INTERNAL = {"grounds", "attempts", "next_attempt_at", "rollout"}
"""Fields of a deployment that nobody outside needs."""


@shape
class Wanted:
    """What should run: versions with their shares, and the environment's settings over theirs."""

    traffic: tuple[Allotment, ...] | None
    """None where it is not known yet, such as before anything was promoted."""
    config: Config = Field(default_factory=dict)


@shape
class Wait:
    """What is held back, by what, until when; `until` None: until somebody or something acts."""

    waits_for: Annotated[str, Field(alias="for")]
    until: Instant | None = None
    detail: str
    id: str | None = None
    """What `approve` and `retry` take, where a person can act on it."""


@shape
class Refusal:
    """What a rule stopped, with its numbers and the way out."""

    rule: str
    detail: str
    id: str | None = None
    """What `retry` takes, where a person can act on it."""


@shape
class Hold:
    """An environment that differs from git, since when, and why."""

    since: Instant
    by: str
    reason: str
    deployment: str


@shape
class Doubt:
    """The last deployment did not end well: what completed before it may run, or what it tried, or half of it."""

    since: Instant
    deployment: str
    """The id of the one that did not end well."""
    reason: str
    remedy: str


@shape
class PauseShown:
    """A pause in force."""

    by: str
    reason: str
    until: Instant


@shape
class Standing:
    """How one app stands in one environment. `deployment` is what runs: the newest that completed."""

    app: str
    environment: str
    deployment: Deployment | None
    desired: Wanted | None
    in_sync: bool
    waiting: tuple[Wait, ...] = ()
    refused: tuple[Refusal, ...] = ()
    held: Hold | None = None
    paused: PauseShown | None = None
    seasons: tuple[str, ...] = ()
    active: Deployment | None = None
    """The deployment that is still to end, if there is one."""
    orphaned: bool = False
    """It left git and stays as it is."""
    due: str | None = None
    """What will be released as soon as the reconciler looks, in words."""
    doubt: Doubt | None = None
    """Why nobody knows for sure what runs, where that is so."""


@shape
class Edge:
    """Something that will change without a new commit."""

    at: Instant
    cause: str
    app: str
    environment: str
    name: str
    """The season's, or '' where nothing has a name."""
    detail: str


@shape
class Step:
    """One link of the chain from a commit to what runs. `remedy` is what a person can do about it."""

    number: int
    about: str
    text: str
    remedy: str = ""
    facts: dict[str, Any] = Field(default_factory=dict)


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
    """When, where a plan goes on into the future."""


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


VERSION = TypeAdapter(Version)
DEPLOYMENT = TypeAdapter(Deployment)
EVENT = TypeAdapter(Event)
STANDING = TypeAdapter(Standing)
EDGE = TypeAdapter(Edge)
STEP = TypeAdapter(Step)
PLAN = TypeAdapter(PlanShown)
TRIGGERS = TypeAdapter(Triggers)


def version_json(version: Version) -> dict[str, Any]:
    """A version; secrets are references."""
    dumped: dict[str, Any] = VERSION.dump_python(version, mode="json")
    return dumped


def deployment_json(deployment: Deployment, events: Sequence[Event] | None = None) -> dict[str, Any]:
    """A deployment, with what happened to it where `events` are given."""
    dumped: dict[str, Any] = DEPLOYMENT.dump_python(deployment, mode="json", exclude=INTERNAL)
    dumped["duration_seconds"] = deployment.duration_seconds
    dumped["rollout"] = progress_json(deployment.rollout) if deployment.rollout else None
    if events is not None:
        dumped["events"] = [EVENT.dump_python(event, mode="json") for event in events]
    return dumped


def standing_json(standing: Standing) -> dict[str, Any]:
    """How an app stands in an environment."""
    dumped: dict[str, Any] = STANDING.dump_python(standing, mode="json", exclude={"deployment", "active"})
    shown = {name: getattr(standing, name) for name in ("deployment", "active")}
    for name, found in shown.items():
        dumped[name] = deployment_json(found) if found else None
    order = ("app", "environment", "deployment", "desired", "in_sync")
    return {name: dumped.pop(name) for name in order} | dumped


def edge_json(edge: Edge) -> dict[str, Any]:
    """An entry of the calendar."""
    dumped: dict[str, Any] = EDGE.dump_python(edge, mode="json")
    return dumped


def step_json(step: Step) -> dict[str, Any]:
    """One link of the chain that `why` shows."""
    dumped: dict[str, Any] = STEP.dump_python(step, mode="json")
    return dumped


def plan_json(plan: PlanShown) -> dict[str, Any]:
    """A plan."""
    dumped: dict[str, Any] = PLAN.dump_python(plan, mode="json")
    for action in dumped["actions"]:
        if action["at"] is None:
            del action["at"]
    return dumped


def shown_plan(plan: Plan, commit: str | None, at: datetime, moments: Sequence[datetime] = ()) -> PlanShown:
    """A plan as it is shown, made for the commit `commit` and the moment `at` (UTC).

    `moments` says when each action would be done, where the plan goes on into the future.
    """
    when: Sequence[datetime | None] = moments or (None,) * len(plan.actions)
    return PlanShown(
        commit=commit,
        at=at,
        actions=tuple(_action(action, moment) for action, moment in zip(plan.actions, when, strict=True)),
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


def _action(action: Action, at: datetime | None) -> PlannedAction:
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
        at=at,
    )


def _spoken(triggers: Triggers) -> str:
    parts = [f"{name} {', '.join(values)}" for name, values in TRIGGERS.dump_python(triggers).items() if values]
    return f"hand over {'; '.join(parts)}" if parts else "take routes, domains and crons away"
