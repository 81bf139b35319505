"""A commit that makes git ask for something: who wants it, how is it shown, what does it do and what comes next?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from reconciler.model.deployment import Allotment
from reconciler.model.shape import Instant, shape
from reconciler.model.version import Author


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionAsked:
    """What an environment is to run, and who says so."""

    app: str
    environment: str
    version: str | None = None
    """By default what completed in the environment that this one follows."""
    at: datetime | None = None
    """From a moment on (UTC), as an entry of `schedule`; None: as soon as the commit is merged."""
    actor: str
    reason: str = ""
    allow_suspect: bool = False
    """Even a version that went wrong there: the commit says so in a trailer."""
    allow_rollback: bool = False
    """Even past a guard that speaks against going back: the commit says so in a trailer."""
    expected: str | None = None
    """The deployment that the person was looking at there."""


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


TOLD = TypeAdapter(Told)
PROMOTION = TypeAdapter(Promotion)


def told_json(found: Told) -> dict[str, Any]:
    """A commit that makes git ask for something."""
    dumped: dict[str, Any] = TOLD.dump_python(found, mode="json")
    return dumped


def promotion_json(found: Promotion) -> dict[str, Any]:
    """A commit that makes an environment run a version."""
    dumped: dict[str, Any] = PROMOTION.dump_python(found, mode="json")
    return dumped
