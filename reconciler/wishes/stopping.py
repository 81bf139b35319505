"""Can a deployment be stopped? Can one that failed, was stopped or waits for its next attempt be tried again?"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from reconciler.errors import AmbiguousReference, NotSo, UnknownReference
from reconciler.model.deployment import Deployment, Subject
from reconciler.model.wish import Recorded
from reconciler.store import deployments, interventions
from reconciler.store.database import Transaction
from reconciler.store.interventions import Wish
from reconciler.views import history, resolving
from reconciler.views.standings import standing_in
from reconciler.wishes import expecting, saying
from reconciler.wishes.approving import checks_again
from reconciler.wishes.recording import record, refuse_unless


def abort(
    transaction: Transaction,
    identifier: str,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
    expected: str | None = None,
) -> Recorded:
    """A deployment that is still to end, by the beginning of its id, is to be stopped; now (UTC).

    Raises WrongUse, UnknownReference; NotSo where it has ended.
    """
    actor, reason = saying.name(actor), saying.reason(reason)
    found = _ours(transaction.connection, identifier)
    expecting.require(transaction.connection, found.app, found.environment, expected)
    refuse_unless(
        found.active,
        f"deployment {found.id} is {found.status}: there is nothing to stop",
        f"`reconciler deployments show {found.id}` shows what happened to it",
    )
    wish = Wish(
        kind="abort", app=found.app, environment=found.environment, subject=found.id, actor=actor, reason=reason
    )
    return record(transaction, wish, f"{_named(found)} is to be stopped", now)


def retry(
    transaction: Transaction,
    identifier: str,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
    expected: str | None = None,
) -> Recorded:
    """What failed or was aborted is to be tried again, as a new deployment; now (UTC).

    Of a deployment that waits for its next attempt, that one is made at once. The id may also be that of a gate whose
    checks failed: then those are run again, and `kind` says `checks`.
    Raises WrongUse, UnknownReference; NotSo where there is nothing to try again, or something else is wanted by now.
    """
    actor, reason = saying.name(actor), saying.reason(reason)
    connection = transaction.connection
    if again := checks_again(transaction, identifier, actor=actor, now=now, reason=reason, expected=expected):
        return again
    found = _ours(connection, identifier)
    expecting.require(connection, found.app, found.environment, expected)
    wish = Wish(
        kind="retry", app=found.app, environment=found.environment, subject=found.id, actor=actor, reason=reason
    )
    if deployments.hurry(transaction, found.id, now):
        recorded = record(transaction, wish, f"the next attempt at {_named(found)} is made now", now)
        interventions.finish(transaction, "retry", found.id, now, "the next attempt was made at once")
        return recorded
    refuse_unless(
        found.status in ("failed", "aborted"),
        f"deployment {found.id} is {found.status}: only what failed, was aborted or waits for its next attempt is "
        "tried again",
        f"`reconciler deployments show {found.id}` shows what happened to it",
    )
    _still_wanted(connection, found, now)
    return record(transaction, wish, f"{_named(found)} is to be tried again", now)


def _ours(connection: Connection, identifier: str) -> Deployment:
    """The deployment that is meant. Raises WrongUse, UnknownReference; NotSo where it was made elsewhere."""
    try:
        return resolving.deployment(connection, identifier)
    except AmbiguousReference:
        raise
    except UnknownReference:
        reported = history.reported(connection, identifier)
        if reported is None:
            raise
        raise NotSo(
            f"{_named(reported)} was made elsewhere and reported: nothing can be done about it here",
            "act where it was made; what becomes of it is reported again",
        ) from None


def _named(found: Deployment) -> str:
    return f"deployment {found.number} of {found.app} in {found.environment}"


def _still_wanted(connection: Connection, found: Deployment, now: datetime) -> None:
    """A new deployment comes of it only where git still asks for the same."""
    standing = standing_in(connection, found.app, found.environment, now)
    desired = standing.desired if standing else None
    held = standing.held if standing else None
    if held is not None and held.deployment is not None and held.deployment == found.rolled_back_from:
        return  # what a person went back to is still to run
    if desired is not None and desired.traffic is None:
        return
    wanted = Subject(traffic=desired.traffic or (), config=desired.config) if desired else None
    refuse_unless(
        wanted is not None and wanted.fingerprint == found.subject.fingerprint,
        f"{found.app} is to run something else in {found.environment} by now",
        f"`reconciler why {found.app} {found.environment}` tells what; a commit brings the old content back",
    )
