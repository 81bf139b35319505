"""How is something held that went wrong, whether it is gone back from or stays as it is?

Git asks for it, and it does not run as git says: so that it is told, and git is given the commit that takes it back.
Runs inside a cycle's transaction.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from reconciler.model.deployment import Allotment, Deployment
from reconciler.model.plan import Deploy
from reconciler.model.traffic import largest, versions_in
from reconciler.model.version import spoken
from reconciler.planner.causes import RECONCILER
from reconciler.planner.rollbacks import goes_nowhere
from reconciler.store import deployments, holds
from reconciler.store.database import Transaction
from reconciler.store.rows import deployment_of


def hold_failed(
    transaction: Transaction, failed: Deployment, fresh: Sequence[str], now: datetime, *, ran_before: bool
) -> None:
    """Hold what failed at `now` (UTC), where on_failure says so; `fresh` are its versions that did not run before.

    Where nothing `ran_before` there is nothing that git could say in place of it; and what itself went back, or put
    something right, asked for nothing new.
    """
    if not ran_before or goes_nowhere(failed):
        return
    what = spoken(failed.traffic) if failed.traffic else "retiring it"
    holds.hold(
        transaction,
        failed.app,
        failed.environment,
        RECONCILER,
        f"{what} failed (deployment {failed.number}), and what it left stays until a person decides",
        now,
        deployment=failed.id,
        version=_worst(part for part in failed.traffic if part.version in fresh),
    )


def hold_left(transaction: Transaction, wish: Deploy, now: datetime) -> None:
    """Hold what the reconciler itself goes back from at `now` (UTC)."""
    stays = versions_in(wish.subject.traffic)
    left = deployments.by_ids(transaction.connection, [wish.rolled_back_from or ""])
    parts = (part for row in left.values() for part in deployment_of(row).traffic)
    holds.hold(
        transaction,
        wish.app,
        wish.environment,
        wish.deployed_by,
        wish.reason,
        now,
        deployment=wish.rolled_back_from,
        version=_worst(part for part in parts if part.version not in stays),
    )


def _worst(several: Iterable[Allotment]) -> str | None:
    """Which of the versions the commit is asked of that takes it back: the one with the most traffic."""
    bad = largest(several)
    return bad.version if bad else None
