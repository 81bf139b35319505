"""What does the planner know of one app?

Values that the store fills: what is recorded, for one app in all its environments. No decision is here, only
look-ups.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from reconciler.desired import Paused
from reconciler.model.deployment import Allotment, Deployment
from reconciler.model.traffic import versions_in
from reconciler.model.version import Version
from reconciler.planner.joint import Joint

Look = Literal["new", "restored", "reverted", "reapplied", "changed", "season", "environment"]
"""How a commit changed something: new content, content that ran before, a declared revert going back, a declared revert
going forth again, an entry's change that is none of these (or one of the environment's target), a season's that lies
over the entry, or the Environment's that leaves the target as it is."""


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
    environment: str = ""
    """Where it changed something of an app; '' is the app's content, which concerns it everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerRecord:
    """Digest of the trigger settings that a target has or is being handed, and when another try is due."""

    requested: str | None
    target: str | None = None
    """A digest of where they were handed over; None where nobody remembers."""
    retry_at: datetime | None = None
    error: str | None = None
    """Why the target did not take them; None where it did, or has not answered yet."""
    attempts: int = 0
    """How many times it did not."""

    @property
    def refused(self) -> bool:
        """Whether the target did not take them when it was asked last."""
        return self.error is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person's word that something may enter an environment."""

    actor: str
    role: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How a check of a gate fared."""

    verdict: Literal["running", "passed", "failed"]
    at: datetime
    detail: str = ""
    again_at: datetime | None = None
    """When it is asked again, since it could not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What is known of a commit's signature."""

    good: bool
    detail: str
    """Who signed it, or why it does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A commit's word that a rollback may go past its guards: `Allow-Rollback: <app>/<environment>`."""

    environment: str
    position: int
    at: datetime
    author: str
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A commit's word that its changes pass freezes: `Freeze-Override: <reason>`."""

    commit: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRecord:
    """Git and reality differ on purpose: something went back here, by itself or by a person."""

    by: str
    reason: str
    since: datetime
    traffic: tuple[Allotment, ...] = ()
    """What a person wants to run meanwhile; empty: what ran well last."""
    deployment: str | None = None
    """The deployment that went wrong or was left."""
    version: str | None = None
    """What is taken back: while this holds, not even a pin brings it back by itself."""
    branch: str | None = None
    """Where the commit is that makes git say the same, once it is written."""
    trouble: str | None = None
    """Why that commit is not written yet, or cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRecord:
    """What a target was seen to run is not what a deployment left there."""

    deployment: str
    """The deployment that left something else: once another one has reached the target, this is past."""
    since: datetime
    """When it was seen first."""
    detail: str


class FurtherBack(Exception):
    """Something follows from deployments that are older than those that were read: with them it is to be asked anew."""


class Newest(tuple[Deployment, ...]):
    """The newest deployments, without gaps, where there are older ones: whoever looks past the last raises FurtherBack.

    Most is decided by the newest few, and an app has as many as were ever released.
    """

    __slots__ = ()

    def __iter__(self) -> Iterator[Deployment]:
        yield from super().__iter__()
        raise FurtherBack


@dataclass(frozen=True, slots=True)
class Completed:
    """Those of some deployments that succeeded, in their order; looked at no further than is asked for."""

    among: tuple[Deployment, ...]

    def __iter__(self) -> Iterator[Deployment]:
        return (one for one in self.among if one.status == "completed")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRecord:
    """What is recorded of one app in one environment."""

    environment: str
    declared: bool
    """Whether the app lists this environment at the commit in force."""
    touch: Touch | None
    recent: tuple[Deployment, ...] = ()
    """Newest first, bounded, and besides them the older ones that may be in line for a promotion. Always long enough to
    hold the newest completed one; or `Newest`."""
    suspicions: Mapping[str, Suspicion] = field(default_factory=dict)
    triggers: TriggerRecord | None = None
    """What the target has been handed of routes, domains and crons."""
    approvals: Mapping[str, tuple[Approval, ...]] = field(default_factory=dict)
    """By the key of what was approved, oldest first."""
    checked: Mapping[tuple[str, str], Checked] = field(default_factory=dict)
    """By key and name of the check."""
    hold: HoldRecord | None = None
    depths: Mapping[str, int] = field(default_factory=dict)
    """How many deployments ago a version that a manifest names ran here, where that is further back than `recent`."""
    seen: DriftRecord | None = None
    """The drift that was seen last, which may be past."""

    @property
    def active(self) -> Deployment | None:
        """The deployment that is still to end: there is no other after it."""
        newest = next(iter(self.recent), None)
        return newest if newest is not None and newest.active else None

    @property
    def settled(self) -> Deployment | None:
        """The newest deployment that reached the target and ended: it says what is there, or that nobody knows."""
        return next((d for d in self.recent if not d.active and d.started_at is not None), None)

    @property
    def reached(self) -> Deployment | None:
        """The newest deployment that reached the target, ended or not."""
        return next((d for d in self.recent if d.started_at is not None), None)

    def change_from(self, traffic: tuple[Allotment, ...]) -> Deployment | None:
        """What releasing these versions is a change from: the newest deployment that reached the target.

        A way back to them that has not arrived leaves what it began to leave: it counts as not begun. Else it would be
        no way back any more from the moment that it starts, and wait for what no way back waits for.
        """
        return next((d for d in self.recent if d.started_at is not None and not on_the_way_back(d, traffic)), None)

    @property
    def drift(self) -> DriftRecord | None:
        """The drift of what completed last, as long as nothing else is on its way."""
        seen, settled = self.seen, self.settled
        if seen is None or settled is None or settled.status != "completed" or self.active is not None:
            return None
        return seen if seen.deployment == settled.id else None

    @property
    def completed(self) -> Iterable[Deployment]:
        """Those that succeeded, newest first."""
        return Completed(self.recent)

    @property
    def running(self) -> Deployment | None:
        """The newest that completed: what runs, as far as is known."""
        return next(iter(self.completed), None)

    def may_be_retried(self, deployment: str) -> bool:
        """Whether a person can have this deployment tried again: it is among the newest, and it failed or was stopped.
        One that completed and that somebody went back from is none of them."""
        found = next((d for d in self.recent if d.id == deployment), None)
        return found is not None and found.status in ("failed", "aborted")


def on_the_way_back(one: Deployment, traffic: tuple[Allotment, ...]) -> bool:
    """Whether it goes back to these versions, whatever their shares and settings, and has not arrived."""
    back = one.goes_back and one.status != "completed"
    return back and versions_in(one.traffic) == versions_in(traffic)


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
    signatures: Mapping[str, Signed] = field(default_factory=dict)
    """By commit, as far as they have been looked at."""
    overrides: Mapping[str, Override] = field(default_factory=dict)
    """By commit."""
    writers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Addresses of all who wrote what a commit brings in, in lower case, by commit."""
    allowances: tuple[Allowance, ...] = ()
    resources: frozenset[str] | None = None
    """Names of the Resources in force; None: not asked for."""
    joint: Mapping[str, Joint] = field(default_factory=dict)
    """What its group says about it, by environment: not recorded, but worked out from what is."""

    def pause(self, environment: str, now: datetime, declared: Paused | None) -> Paused | None:
        """The pause in force in an environment at `now` (UTC) that lasts longest, asked for or `declared` by git."""
        asked = (one for one in self.pauses if one.environment in (None, environment) and one.until > now)
        found = [Paused(one.by, one.reason, one.until) for one in asked]
        return max((*found, *([declared] if declared else ())), key=lambda one: one.until, default=None)

    def record(self, environment: str) -> EnvironmentRecord:
        """What is recorded of it in an environment, which may be nothing yet."""
        found = self.environments.get(environment)
        return found or EnvironmentRecord(environment=environment, declared=True, touch=None)
