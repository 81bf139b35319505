"""How is something held that went wrong where nothing goes back by itself?

Git asks for it, and it does not run as git says: that is a hold like any other, so that it is told and git is given the
commit that takes it back. Runs inside a cycle's transaction.
"""

from collections.abc import Sequence
from datetime import datetime

from reconciler.model.deployment import Deployment
from reconciler.model.traffic import largest
from reconciler.model.version import spoken
from reconciler.planner.causes import RECONCILER
from reconciler.planner.rollbacks import goes_nowhere
from reconciler.store import holds
from reconciler.store.database import Transaction


def hold_failed(
    transaction: Transaction, failed: Deployment, fresh: Sequence[str], now: datetime, *, ran_before: bool
) -> None:
    """Hold what failed at `now` (UTC), where on_failure says so; `fresh` are its versions that did not run before.

    Where nothing `ran_before` there is nothing that git could say in place of it; and what itself went back, or put
    something right, asked for nothing new.
    """
    if not ran_before or goes_nowhere(failed):
        return
    bad = largest(part for part in failed.traffic if part.version in fresh)
    what = spoken(failed.traffic) if failed.traffic else "retiring it"
    holds.hold(
        transaction,
        failed.app,
        failed.environment,
        RECONCILER,
        f"{what} failed (deployment {failed.number}), and what it left stays until a person decides",
        now,
        deployment=failed.id,
        version=bad.version if bad else None,
    )
