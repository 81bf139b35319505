"""What concerns every app: does a daemon run, what is followed, and can it be followed?"""

from __future__ import annotations

from reconciler.model.surroundings import ComplaintShown, DaemonShown, RepositoryShown, Surroundings
from reconciler.store.complaining import Broken
from reconciler.store.repository import Followed
from reconciler.telemetry.failing import Failing


def surroundings(
    place: Followed | None, broken: Broken | None, *, daemon: bool, failing: Failing | None, start: str
) -> Surroundings:
    """What is to be said beside every standing. `start` tells how a daemon is started."""
    helps = failing.next_step if failing else ""
    shown = DaemonShown(
        running=daemon,
        next_step=helps if daemon else start,
        error=failing.error if failing else None,
        error_since=failing.since if failing else None,
        again_at=failing.again_at if failing else None,
    )
    return Surroundings(daemon=shown, repository=None if place is None else _repository(place, broken, daemon))


def reading(place: Followed | None, daemon: bool) -> bool:
    """Whether the repository is being read for the very first time."""
    return daemon and (place is None or (place.head is None and place.trouble is None))


def _repository(place: Followed, broken: Broken | None, daemon: bool) -> RepositoryShown:
    trouble = place.trouble
    return RepositoryShown(
        url=place.url,
        branch=place.branch,
        path=place.root or ".",
        head=place.head,
        reading=reading(place, daemon),
        held_head=place.held_head,
        held_since=place.held_since,
        error=trouble.message if trouble else None,
        next_step=trouble.next_step if trouble else None,
        error_since=trouble.since if trouble else None,
        again_at=trouble.again_at if trouble else None,
        broken_files=broken.files if broken else 0,
        complaint=ComplaintShown(**broken.first) if broken else None,
    )
