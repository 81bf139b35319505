"""What would be done, what waits for what, what is refused and why, and when to look again?

A plan is a thing: it can be counted, shown in several ways, and refuses itself with its numbers and the way
out. How it comes about is the planner's work; carrying it out is the engine's.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from reconciler.model.app import Triggers
from reconciler.model.deployment import Allotment, Cause, Grounds, Subject
from reconciler.model.gates import Check
from reconciler.model.rollout import Course
from reconciler.model.shape import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """Release a subject to an environment. An empty traffic retires the app there."""

    app: str
    environment: str
    cause: Cause
    subject: Subject
    reason: str
    commit: str | None = None
    deployed_by: str = ""
    reverts: tuple[str, ...] = ()
    rolled_back_from: str | None = None
    grounds: Grounds
    due_at: datetime | None = None
    """When a scheduled change was due (UTC); its lateness is recorded."""
    remarks: tuple[str, ...] = ()
    """What is to be remembered of how it came past its gates: those only reported, what was overridden by whom."""
    rollout: Course | None = None
    """The steps that it goes by; None: at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    """Stop an active deployment: at once where nothing runs, else by telling its target."""

    app: str
    environment: str
    deployment: str
    running: bool
    reason: str
    actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyTriggers:
    """Hand routes, domains and crons to the target, without a deployment."""

    app: str
    environment: str
    triggers: Triggers
    digest: str | None
    """What they are compared by; None for none at all."""
    target: str
    """A digest of where the environment is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChecks:
    """Run the checks of a gate on what is to enter an environment."""

    app: str
    environment: str
    key: str
    """What the outcomes are filed under: `Candidate.key`."""
    traffic: tuple[Allotment, ...]
    commit: str | None
    checks: tuple[Check, ...]
    config: Config = field(default_factory=dict)
    """The environment's settings that it would enter with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """End a hold: git and reality agree again, or git has a newer word."""

    app: str
    environment: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """Let a rollout that rested go on: to its next step, or to the next look at the last one."""

    app: str
    environment: str
    deployment: str
    reason: str


Action = Deploy | Abort | Advance | ApplyTriggers | RunChecks | Lift

SHORT = 12
"""So much of a key is shown and asked for."""


def short(key: str) -> str:
    """A key as people type it."""
    return key[:SHORT]


WaitsFor = Literal[
    "manifest",
    "pause",
    "deployment",
    "dependency",
    "promotion",
    "retry",
    "version",
    "soak",
    "checks",
    "approval",
    "signature",
    "train",
    "freeze",
    "experiment",
    "group",
    "rollout",
    "repair",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What is held back, by what, until when (UTC; None: until somebody or something acts)."""

    app: str
    environment: str
    waits_for: WaitsFor
    until: datetime | None = None
    detail: str
    key: str | None = None
    """What stands at a gate; `approve` and `retry` take its beginning."""
    what: str = ""
    """What an approval is missing for, in words."""
    role: str | None = None
    """The role whose approval is missing."""
    authors: frozenset[str] = frozenset()
    """Whose approval does not count, in lower case."""
    doubts: tuple[str, ...] = ()
    """What whoever approves it should mind, such as that it went wrong elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What a rule stopped, with its numbers and the way out."""

    app: str
    environment: str
    rule: Literal["suspect", "mass-change", "withdrawn", "version", "rollback", "check"]
    detail: str
    key: str | None = None
    """What stands at a gate; `retry` takes its beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The answer to: what is to be done now? Planning again after carrying it out gives an empty one."""

    actions: tuple[Action, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    refused: tuple[Refused, ...] = ()
    wake_at: datetime | None = None
    """The earliest moment (UTC) at which the answer can change without a new commit."""
    unbraked: tuple[tuple[str, str], ...] = ()
    """Apps and environments ('' for the content) where nothing is left of what a commit changed too much at once."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.actions

    @property
    def stops(self) -> bool:
        """Whether it ends something at once: what stands behind that can go on."""
        return any(isinstance(action, Abort) and not action.running for action in self.actions)


def together(plans: Iterable[Plan]) -> Plan:
    """Several plans as one; what rolls back comes first."""
    parts = list(plans)
    actions = [action for part in parts for action in part.actions]
    wakes = [part.wake_at for part in parts if part.wake_at]
    return Plan(
        actions=tuple(sorted(actions, key=_urgency)),
        waiting=tuple(item for part in parts for item in part.waiting),
        refused=tuple(item for part in parts for item in part.refused),
        wake_at=min(wakes, default=None),
        unbraked=tuple(item for part in parts for item in part.unbraked),
    )


def _urgency(action: Action) -> int:
    if isinstance(action, Abort):
        return 0
    if isinstance(action, Deploy):
        return 1 if action.cause in ("rollback", "auto-rollback") else 2
    return 3
