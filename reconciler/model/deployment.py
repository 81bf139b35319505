"""What is recorded of a release to one environment, and which moves are legal?

    pending ──► started ──► completed
       │           ├──────► failed
       └──► aborted ◄┘

A pending deployment waits for its turn and may be superseded; a started one is in a target's hands. Terminal states
never change. What should be deployed is the planner's question.
"""

import hashlib
from typing import Any, Literal, Self

from pydantic import Field

from reconciler.model.rollout import Progress
from reconciler.model.shape import Config, Instant, shape, unchecked
from reconciler.model.traffic import Allotment as Allotment
from reconciler.model.version import canonical

Place = tuple[str, str]
"""An app in an environment, by their names: there one deployment runs at a time."""
Status = Literal["pending", "started", "completed", "failed", "aborted"]
ACTIVE: frozenset[Status] = frozenset({"pending", "started"})
LEGAL: dict[Status, frozenset[Status]] = {
    "pending": frozenset({"started", "aborted"}),  # it got its turn; it was superseded or a person stopped it
    "started": frozenset({"completed", "failed", "aborted"}),  # how the target fared, or it was told to stop
    "completed": frozenset(),
    "failed": frozenset(),
    "aborted": frozenset(),
}

Cause = Literal[
    "release",
    "promotion",
    "schedule",
    "season-start",
    "season-end",
    "rollback",
    "auto-rollback",
    "restore",
    "retry",
    "repair",
    "external",
]
EXTERNAL: Cause = "external"
"""Of what the reconciler has not made: it was reported, or found where the store was made anew."""
ROLLBACKS: frozenset[Cause] = frozenset({"rollback", "auto-rollback"})


def goes_back(cause: Cause, rolled_back_from: str | None) -> bool:
    """Whether a deployment of this cause takes something back: a rollback, or another try of one that failed. Nothing
    holds it up; `rolled_back_from` is the id of the deployment that it leaves."""
    return cause in ROLLBACKS or (cause == "retry" and rolled_back_from is not None)


@shape
class Subject:
    """What a deployment releases: versions with their shares, and the environment's settings over theirs."""

    traffic: tuple[Allotment, ...]
    config: Config = Field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """A digest that is equal for equal subjects: the same versions in the same shares with the same settings."""
        text = canonical([self._shares(), self.config])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def same_as(self, other: Self) -> bool:
        """Whether both have the same fingerprint, told without making one."""
        if self._shares() != other._shares():
            return False
        # The texts decide: 1 and true are equal here, and are not the same setting.
        return self.config is other.config or canonical(self.config) == canonical(other.config)

    def _shares(self) -> list[list[str | float]]:
        return sorted([share.version, float(share.percent)] for share in self.traffic)


subject_of = unchecked(Subject)
"""A subject of traffic and settings that were checked."""


@shape
class Grounds:
    """Why the subject is what it is: compared with the next one to tell which cause a change has."""

    chosen_by: Literal["base", "schedule", "season"] = "base"
    """Which layer chose the versions; what a season chose is never promoted."""
    base: str = ""
    """Fingerprint of what would run without seasons."""
    scheduled_at: Instant | None = None
    """The schedule entry in force, by its moment."""
    seasons: tuple[str, ...] = ()
    """Names of the active seasons, in the order they were laid over."""
    season_ends: tuple[Instant, ...] = ()
    """When each of them ends, as it looked then: tells an end that came from one that a commit brought."""
    target: str = ""
    """A digest of where the environment was then; '' for a retirement."""
    move: str = ""
    """A digest of the versions that a group's members entered with together; '' for what moved by itself."""
    moved_with: tuple[str, ...] = ()
    """Names of the apps of that move, its own among them."""
    held_by: str = ""
    """Who went back here against what git says; '' for all else. It is for this environment alone: never promoted."""


@shape
class Event:
    """One step in a deployment's life."""

    at: Instant
    status: str
    message: str = ""
    actor: str = ""


@shape
class Deployment:
    """The record that a subject is released to one environment: who, when, why, from which commit, how it went."""

    id: str
    number: int
    app: str
    environment: str
    status: Status
    cause: Cause
    traffic: tuple[Allotment, ...]
    config: Config = Field(default_factory=dict)
    commit: str | None = None
    deployed_by: str = ""
    reason: str = ""
    rolled_back_from: str | None = None
    reverts: tuple[str, ...] = ()
    created_at: Instant
    started_at: Instant | None = None
    finished_at: Instant | None = None
    late_by_seconds: float | None = None
    error: str | None = None
    scm_branch: str | None = None
    scm_sha: str | None = None
    build_url: str | None = None
    extra_metadata: dict[str, Any] = Field(default_factory=dict)
    grounds: Grounds = Field(default_factory=Grounds)
    attempts: int = 0
    next_attempt_at: Instant | None = None
    """When a started deployment whose attempt failed is tried again; nothing is running until then."""
    rollout: Progress | None = None
    """How far it has come, where it is released step by step or watched."""

    @property
    def subject(self) -> Subject:
        """What it releases."""
        return subject_of(self.traffic, self.config)

    @property
    def duration_seconds(self) -> float | None:
        """From the start to the end of the work."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def active(self) -> bool:
        """Whether it is still to end."""
        return self.status in ACTIVE

    @property
    def goes_back(self) -> bool:
        """Whether it takes something back."""
        return goes_back(self.cause, self.rolled_back_from)

    @property
    def rolling(self) -> bool:
        """Whether a rollout has begun and goes on: what is newer waits for its end. One whose target has refused a
        step, and is to be asked again, holds nothing back."""
        if self.rollout is None or self.status != "started":
            return False
        return self.rollout.phase != "releasing" or self.next_attempt_at is None

    @property
    def resting(self) -> bool:
        """Whether a rollout is between two acts: nothing of it runs, and nothing is to be done yet."""
        return self.status == "started" and self.rollout is not None and self.rollout.resting

    @property
    def left_a_mixture(self) -> bool:
        """Whether it was stopped in the middle, so that what it had begun is there beside what ran before."""
        return self.status == "aborted" and self.started_at is not None and self.rollout is not None
