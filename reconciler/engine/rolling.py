"""How does a gradual rollout go from one step to the next?

Writes down where it is before anything is done about it, so that a process that is killed takes it up where it was.
What comes next is `planner/rollouts`' answer. Runs inside a cycle's transaction.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from reconciler.model.deployment import Deployment
from reconciler.model.plan import Advance
from reconciler.model.rollout import Progress, progress_of
from reconciler.model.version import spoken
from reconciler.planner import rollouts
from reconciler.schedule import to_the_second
from reconciler.store import deployments
from reconciler.store.database import Transaction
from reconciler.store.rows import deployment_of


def begin(transaction: Transaction, row: Row[Any], now: datetime) -> None:
    """A deployment has its turn: if it goes by steps, the first one begins."""
    progress = progress_of(row.rollout)
    if progress is not None:
        _note(transaction, row, rollouts.begin(progress, now), now)


def advance(transaction: Transaction, action: Advance, now: datetime) -> None:
    """A rollout that rested goes on; one that has ended or gone on meanwhile stays as it is."""
    row = deployments.by_ids(transaction.connection, [action.deployment]).get(action.deployment)
    if row is None:
        return
    found = deployment_of(row)
    following = rollouts.follows(found.rollout, now) if found.rollout and found.resting else None
    if following is not None:
        _note(transaction, row, following, now)


def go_on(transaction: Transaction, row: Row[Any], stage: str | None, now: datetime) -> bool:
    """A phase ended well: what follows is written down. False when nothing does, so that it is complete."""
    progress = progress_of(row.rollout)
    if progress is None or (stage is not None and stage != progress.stage):
        return False
    following = rollouts.follows(progress, now)
    if following is None:
        return False
    _note(transaction, row, following, now)
    return True


def is_old(row: Row[Any], stage: str | None) -> bool:
    """Whether an answer is about a stage that is over, or about none while the rollout rests."""
    progress = progress_of(row.rollout)
    return progress is not None and (progress.resting or (stage is not None and stage != progress.stage))


def since(row: Row[Any]) -> datetime:
    """When what is being tried was begun."""
    progress = progress_of(row.rollout)
    began: datetime = row.started_at
    return progress.since if progress is not None and progress.since is not None else began


def _note(transaction: Transaction, row: Row[Any], progress: Progress, now: datetime) -> None:
    what, message = _told(deployment_of(row), progress)
    deployments.go_on(transaction, row, progress, now, what, message)


def _told(deployment: Deployment, progress: Progress) -> tuple[str, str]:
    """The event of coming to a phase; that checks begin is not one, since their ends are."""
    place = rollouts.place(progress)
    match progress.phase:
        case "releasing":
            return "step", f"{place}: {spoken(rollouts.split_at(deployment, progress))}"
        case "holding" if progress.until and progress.since and progress.until > progress.since:
            return "held", f"{place} until {to_the_second(progress.until)}"
        case "baking" if progress.bake_until and not _watched_before(deployment):
            return "watched", f"{place} until {to_the_second(progress.bake_until)}"
        case _:
            return "", ""


def _watched_before(deployment: Deployment) -> bool:
    return deployment.rollout is not None and deployment.rollout.bake_until is not None
