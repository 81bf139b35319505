"""Which commits lie between two versions of an app?

What a person wants to know before one is put in the other's place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from reconciler.model.deployment import Allotment
from reconciler.store import commits

MOST = 500
"""So many commits are listed at most."""


@dataclass(frozen=True, slots=True)
class Between:
    """Commits that changed an app's content, newest first: they come with a version, or leave with what it replaces."""

    commits: tuple[Any, ...] = ()
    """Rows with id, subject, author_name, author_email and committed_at."""
    backwards: bool = False
    """Whether they are what is left out."""


def between(connection: Connection, app: str, before: Sequence[Allotment], after: Sequence[Allotment]) -> Between:
    """What comes when `after` takes the place of `before`; nothing where either was never published on the branch."""
    first, last = _published(connection, app, before), _published(connection, app, after)
    if last is None or (before and first is None):
        return Between()
    low, high = sorted((first or 0, last))
    found = commits.of_content(connection, app, low, high, MOST)
    return Between(tuple(found), backwards=first is not None and last < first)


def _published(connection: Connection, app: str, traffic: Sequence[Allotment]) -> int | None:
    """The newest place at which any version of a split was published."""
    places = [commits.published_at(connection, app, part.version) for part in traffic]
    return max((place for place in places if place is not None), default=None)
