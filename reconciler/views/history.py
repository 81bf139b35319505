"""What was deployed, whoever did it: by the reconciler, or elsewhere and reported?

Both histories as one, the newest first. The planner knows the first alone.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection

from reconciler.errors import AmbiguousReference, UnknownReference
from reconciler.model.deployment import EXTERNAL, Deployment, Event
from reconciler.schedule import utc
from reconciler.store import deployments, figures, ledger, reports
from reconciler.store.deployments import Filter
from reconciler.views import resolving


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """How far both histories have been read: the last deployment of each by its id, None before the first."""

    own: str | None = None
    reported: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Deployments, newest first, and where the next ones begin; None: there are no more."""

    found: list[Deployment]
    next: After | None


def known(connection: Connection, app: str | None, environment: str | None) -> None:
    """Check that such a history can be asked for. Raises UnknownReference."""
    if app is not None and not resolving.reported(connection, app):
        resolving.declared_app(connection, app)
    if environment is not None and not figures.reported(connection, environment=environment):
        resolving.known_environment(connection, environment)


def page(connection: Connection, which: Filter, after: After | None = None) -> Page:
    """So many deployments as the filter says, newest first; those that follow `after`."""
    after = after or After()
    more = replace(which, limit=which.limit + 1)
    own = [] if which.cause == EXTERNAL else deployments.listed(connection, more, after.own)
    merged = _merged(own, reports.listed(connection, more, after.reported))
    found = list(islice(merged, which.limit))
    if next(merged, None) is None:
        return Page(found, None)
    ends = {one.cause == EXTERNAL: one.id for one in found}
    return Page(found, After(own=ends.get(False, after.own), reported=ends.get(True, after.reported)))


def _merged(own: Iterable[Deployment], reported: Iterable[Deployment]) -> Iterator[Deployment]:
    def age(one: Deployment) -> datetime:
        return one.created_at

    return iter(heapq.merge(own, reported, key=age, reverse=True))


def shown(connection: Connection, identifier: str) -> tuple[Deployment, tuple[Event, ...]]:
    """A deployment, by the beginning of its id, with what happened to it. Raises WrongUse, UnknownReference."""
    reported = _reported(connection, identifier)
    try:
        found = resolving.deployment(connection, identifier)
    except AmbiguousReference:
        raise
    except UnknownReference:
        if not reported:
            raise
        if len(reported) > 1:
            raise _several(identifier) from None
        return reported[0], _told(connection, reported[0])
    if reported:
        raise _several(identifier)
    return found, deployments.events(connection, found.id)


def _several(identifier: str) -> AmbiguousReference:
    return AmbiguousReference(
        f"several deployments have an id that begins with {identifier[:64]}", "give more digits of the one meant"
    )


def is_reported(found: Deployment) -> bool:
    """Whether a deployment was made elsewhere and reported: its version is none of ours, and has no number."""
    return found.cause == EXTERNAL and any(part.number == 0 for part in found.traffic)


def reported(connection: Connection, identifier: str) -> Deployment | None:
    """A deployment that was reported from elsewhere, by the beginning of its id; None where no or several begin so."""
    found = _reported(connection, identifier)
    return found[0] if len(found) == 1 else None


def _reported(connection: Connection, identifier: str) -> list[Deployment]:
    plain = identifier.isascii() and identifier.isalnum() and len(identifier) <= 64
    return reports.beginning(connection, identifier.lower()) if plain else []


def _told(connection: Connection, deployment: Deployment) -> tuple[Event, ...]:
    """What was reported of it, oldest first: the ledger's facts."""
    return tuple(
        Event(
            at=utc(entry["at"]),
            status=entry["kind"].rpartition(".")[2],
            message=entry["body"].get("message") or "",
            actor=entry["actor"],
        )
        for entry in ledger.of_subject(connection, deployment.id)
    )
