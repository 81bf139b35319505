"""Which commits lie between two versions of an app, and which revert took a version back?

What a person wants to know before one is put in the other's place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from reconciler.model.deployment import Allotment
from reconciler.store import commits, tables

MOST = 500
"""So many commits are listed at most."""
_C, _T, _W = tables.commits.c, tables.touches.c, tables.withdrawals.c


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
    query = select(_C.id, _C.subject, _C.author_name, _C.author_email, _C.committed_at)
    query = query.join_from(tables.touches, tables.commits, _T.position == _C.position)
    query = query.where(_T.app == app, _T.environment == "", _T.position > low, _T.position <= high)
    query = query.where(_T.look != commits.MENDED)
    found = connection.execute(query.order_by(_T.position.desc()).limit(MOST)).all()
    return Between(tuple(found), backwards=first is not None and last < first)


def _published(connection: Connection, app: str, traffic: Sequence[Allotment]) -> int | None:
    """The newest place at which any version of a split was published."""
    places = [commits.published_at(connection, app, part.version) for part in traffic]
    return max((place for place in places if place is not None), default=None)


def taken_back(connection: Connection, version: str) -> Any | None:
    """The row that says which commit took a version back, and what that reverts; None where none did."""
    query = select(_W.commit, _W.reverts).where(_W.version == version)
    return connection.execute(query).one_or_none()
