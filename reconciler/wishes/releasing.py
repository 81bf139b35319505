"""Can a hold end, so that what git says is carried out again?"""

from __future__ import annotations

from datetime import datetime

from reconciler.model.wish import Recorded
from reconciler.store.database import Transaction
from reconciler.store.interventions import Wish
from reconciler.views import resolving
from reconciler.views.standings import standing_in
from reconciler.wishes import expecting, saying
from reconciler.wishes.recording import record, refuse_unless


def release(
    transaction: Transaction,
    app: str,
    environment: str,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
    expected: str | None = None,
) -> Recorded:
    """The hold of an app in an environment is to end: what went wrong there is forgotten; now (UTC).

    Raises WrongUse, UnknownReference; NotSo where it is not held.
    """
    actor, reason = saying.name(actor), saying.reason(reason)
    resolving.placed(transaction.connection, app, environment)
    expecting.require(transaction.connection, app, environment, expected)
    standing = standing_in(transaction.connection, app, environment, now)
    refuse_unless(
        standing is not None and standing.held is not None,
        f"{app} is not held in {environment}",
        f"`reconciler why {app} {environment}` tells how it stands",
    )
    wish = Wish(kind="release", app=app, environment=environment, actor=actor, reason=reason)
    return record(transaction, wish, f"{app} follows git again in {environment}", now)
