"""What did a look at the followed branch find, or why could it find nothing?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconciler.errors import GitError


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The head of the branch as it was looked at."""

    head: str | None = None
    new: bool = False
    """Whether it is to be noted, or to be held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why git does not answer, or lacks what is followed; since when, and when it is asked again (UTC)."""

    error: GitError
    since: datetime
    failures: int
    again_at: datetime
