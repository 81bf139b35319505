"""What does the planner know of one app?

Values that the store fills: what is recorded, for one app in all its environments. No decision is here, only
look-ups.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from reconciler.model.deployment import Deployment
from reconciler.model.version import Version

Look = Literal["new", "restored", "reverted", "reapplied", "changed", "season"]
"""How a commit changed something: new content, content that ran before, a declared revert going back, a declared revert
going forth again, an entry's change that is none of these, or a season's that lies over the entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """The newest commit that changed an app's content, or its entry for one environment."""

    position: int
    """Place of the commit on the followed branch, counted as the commits were noted."""
    commit: str
    at: datetime
    author: str
    look: Look
    subject: str
    reverts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A version that a revert took back."""

    version: str
    commit: str
    position: int
    reverts: str
    author: str
    restores: str | None
    """The version that the revert restored, where it restored one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """A version or a subject that went wrong here: no automation deploys it here again."""

    what: str
    """A version id, or the fingerprint of a subject."""
    deployment: str
    number: int
    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRecord:
    """A pause asked for by a person."""

    environment: str | None
    by: str
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortRequest:
    """A person's wish to stop a deployment."""

    deployment: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRequest:
    """A person's wish to try a failed or aborted deployment again."""

    deployment: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Brake:
    """A commit that changed so much that its changes wait for an acknowledgement."""

    commit: str
    position: int
    changed: int
    recorded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerRecord:
    """Digest of the trigger settings that a target has or is being handed, and when another try is due."""

    requested: str | None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRecord:
    """What is recorded of one app in one environment."""

    environment: str
    declared: bool
    """Whether the app lists this environment at the commit in force."""
    touch: Touch | None
    recent: tuple[Deployment, ...] = ()
    """Newest first, bounded; always long enough to hold the newest completed one."""
    suspicions: Mapping[str, Suspicion] = field(default_factory=dict)
    triggers: TriggerRecord | None = None
    """What the target has been handed of routes, domains and crons."""

    @property
    def active(self) -> Deployment | None:
        """The deployment that is still to end."""
        return next((d for d in self.recent if d.active), None)

    @property
    def settled(self) -> Deployment | None:
        """The newest deployment that reached the target and ended: it says what is there, or that nobody knows."""
        return next((d for d in self.recent if not d.active and d.started_at is not None), None)

    @property
    def reached(self) -> Deployment | None:
        """The newest deployment that reached the target, ended or not: what a change is a change from."""
        return next((d for d in self.recent if d.started_at is not None), None)

    @property
    def completed(self) -> tuple[Deployment, ...]:
        """Those that succeeded, newest first."""
        return tuple(d for d in self.recent if d.status == "completed")

    @property
    def running(self) -> Deployment | None:
        """The newest that completed: what runs, as far as is known."""
        return next((d for d in self.recent if d.status == "completed"), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """How an app that this one depends on fares in an environment."""

    app: str
    environment: str
    completed: bool
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedApp:
    """What is recorded of one app: its versions as far as they are needed, its environments, what people asked for."""

    app: str
    content: str | None
    """The version that the commit in force asks for."""
    content_touch: Touch | None
    versions: Mapping[str, Version] = field(default_factory=dict)
    references: Mapping[str, str | None] = field(default_factory=dict)
    """Version id by reference, for every reference that a manifest holds; None where there is no such version."""
    environments: Mapping[str, EnvironmentRecord] = field(default_factory=dict)
    withdrawn: Mapping[str, Withdrawal] = field(default_factory=dict)
    pauses: tuple[PauseRecord, ...] = ()
    aborts: tuple[AbortRequest, ...] = ()
    retries: tuple[RetryRequest, ...] = ()
    brakes: tuple[Brake, ...] = ()
    complaints: tuple[str, ...] = ()
    """Why the app is held: its file is broken. Empty when it is sound."""
    dependencies: tuple[Dependency, ...] = ()
