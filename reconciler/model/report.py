"""A commit that makes git ask for something: who wants it, how is it shown, what does it do and what comes next?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter

from reconciler.model.deployment import Allotment
from reconciler.model.shape import Instant, shape
from reconciler.model.version import Author


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitAsked:
    """Who wants a commit on a branch about an app, why, and in which words."""

    app: str
    environment: str | None
    """None: it is about every one."""
    actor: str
    reason: str = ""
    expected: str | None = None
    """The deployment that the person was looking at there."""
    message: str | None = None
    """What the commit says, in place of our words."""
    freeze_override: str | None = None
    """Why it passes freezes: the commit says so in a trailer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionAsked(CommitAsked):
    """What an environment is to run: `version`, `traffic` and `track` exclude each other."""

    environment: str
    version: str | None = None
    """By default what completed in the environment that this one follows; of a pin, what runs there."""
    traffic: str | None = None
    """A split by hand, `v1=90,v2=10`."""
    track: str | None = None
    """Which environment it is to follow again, or `latest`; '' for the one that is declared."""
    at: datetime | str | None = None
    """From a moment on (UTC), as an entry of `schedule`; a text is a wall time in `timezone`. None: as soon as the
    commit is merged."""
    timezone: str | None = None
    allow_suspect: bool = False
    """Even a version that went wrong there: the commit says so in a trailer."""
    allow_rollback: bool = False
    """Even past a guard that speaks against going back: the commit says so in a trailer."""
    verb: Literal["promote", "pin"] = "promote"


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackAsked(CommitAsked):
    """What git is to say of an environment that goes back, or would."""

    environment: str
    to: str | None = None
    """By default what ran well before."""
    branch_only: bool = False
    """It goes back when the commit is merged, and not before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseAsked(CommitAsked):
    """A pause that the manifest is to hold, or no longer."""

    until: datetime | None
    """UTC; None: it goes on."""


@shape
class CommitShown:
    """A commit that comes along."""

    id: str
    subject: str
    author: Author
    committed_at: Instant


@shape
class Then:
    """What follows in an environment once the commit is on the followed branch."""

    environment: str
    does: str
    """deploys, lifts (a hold), waits or refused."""
    by: str
    """The deployment's cause, what is waited for, or the rule that refuses."""
    until: Instant | None = None
    detail: str


@shape
class Told:
    """A commit that makes git ask for something: written onto a branch, or what it would be."""

    app: str
    environment: str | None
    """None where it is about every environment of the app."""
    dry_run: bool
    """Whether nothing was written."""
    branch: str
    commit: str | None
    base: str
    """What it builds on: the newest commit of the followed branch."""
    followed: str
    repository: str
    pushed: bool
    message: str
    diff: str
    commits: tuple[CommitShown, ...]
    """The commits that come along, or are left out."""
    left_out: bool
    then: tuple[Then, ...]
    warnings: tuple[str, ...]
    next: tuple[str, ...]
    """What a person does next, a line each."""


@shape
class Promotion(Told):
    """A commit that makes an environment run a version: written onto a branch, or what it would be."""

    environment: str
    traffic: tuple[Allotment, ...] | None
    at: str | None
    """The moment from which on it holds, as it is written; None: as soon as it is merged."""


@shape
class Return(Told):
    """A commit that makes git say what an environment goes back to: written onto a branch, or what it would be."""

    environment: str
    traffic: tuple[Allotment, ...]
    """What it goes back to."""
    rolled_back_from: str
    """The id of the deployment that is left."""
    deployments_back: int
    limit: int
    """So many deployments back it may go at most."""
    asked: bool
    """Whether it goes back now, and not only when the commit is merged."""
    outcome: str | None
    """What whoever leads made of it, where it was asked."""


TOLD = TypeAdapter(Told)
RETURN = TypeAdapter(Return)
PROMOTION = TypeAdapter(Promotion)


def told_json(found: Told) -> dict[str, Any]:
    """A commit that makes git ask for something."""
    dumped: dict[str, Any] = TOLD.dump_python(found, mode="json")
    return dumped


def promotion_json(found: Promotion) -> dict[str, Any]:
    """A commit that makes an environment run a version."""
    dumped: dict[str, Any] = PROMOTION.dump_python(found, mode="json")
    return dumped
