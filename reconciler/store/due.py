"""When does something follow without a new commit?

Asked by every command that looks for what there is to do, and mostly answered with: not now.
"""

from datetime import datetime

from sqlalchemy import Connection, select

from reconciler.store import tables
from reconciler.store.declared import NEXT_DUE
from reconciler.store.statements import Prepared

_D = tables.deployments.c
NEXT_ATTEMPT = select(_D.next_attempt_at).where(_D.status == "started", _D.next_attempt_at.is_not(None))
NEXT_ATTEMPT = NEXT_ATTEMPT.order_by(_D.next_attempt_at).limit(1)
_NEXT_WORK = Prepared(select(NEXT_DUE.scalar_subquery(), NEXT_ATTEMPT.scalar_subquery()))


def next_work(connection: Connection, *, attempts: bool = True) -> datetime | None:
    """The earliest moment at which an app is due or, with `attempts`, a started deployment is tried again."""
    due_at, attempt_at = _NEXT_WORK.run(connection)[0]
    return min((moment for moment in (due_at, attempt_at if attempts else None) if moment is not None), default=None)
