"""What does the line at the top say: which commit is followed, how fresh it is, and what is wrong with or in it?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from reconciler.api.context import Context
from reconciler.store import complaining, repository
from reconciler.store.complaining import Broken
from reconciler.store.traces import untraced


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """How the daemon stands. `state` is the class of its ink."""

    state: str
    icon: str
    word: str
    branch: str = ""
    head: str = ""
    detail: str = ""
    since: datetime | None = None
    broken: Broken | None = None
    """Files of that commit that are broken: what they declared before stays as it is."""


def look(context: Context, connection: Connection) -> Daemon:
    """How it is now."""
    with untraced(connection):  # it is looked at anew with each answer, see `keeping`
        place, broken = repository.followed(connection), complaining.broken(connection)
    runs = context.daemon_runs(connection)
    if place is None:
        return Daemon(state="is-wait", icon="wait", word="nothing read yet")
    head = place.head or ""
    found = Daemon(state="is-ok", icon="ok", word="following", branch=place.branch, head=head, broken=broken)
    if not runs:
        return replace(found, state="is-bad", icon="bad", word="no daemon runs", detail="nothing goes on by itself")
    failing = context.daemon_fails()
    if failing is not None:
        detail = f"{failing.error}; {failing.next_step}"
        return replace(found, state="is-bad", icon="warn", word="turns fail", detail=detail, since=failing.since)
    if place.held_head is not None:
        detail = f"rewritten to {place.held_head[:10]}: accept it, or put the branch back"
        return replace(found, state="is-stop", icon="held", word="held", detail=detail, since=place.held_since)
    if place.trouble is not None:
        detail = f"{place.trouble.message}; {place.trouble.next_step}"
        since = place.trouble.since
        return replace(found, state="is-bad", icon="warn", word="cannot fetch", detail=detail, since=since)
    return found


def glance(context: Context, connection: Connection) -> Daemon:
    """How it is now, for somebody who may not be allowed to read: no word of what a file holds."""
    return replace(look(context, connection), broken=None)
