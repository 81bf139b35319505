"""What went wrong where, so that no automation releases it there again?

What follows from a suspicion is the planner's question; what happened is in the ledger in full.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select

from reconciler.model.deployment import Deployment, Subject
from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.statements import Among, Prepared

S = tables.suspicions.c
_HERE = delete(tables.suspicions).where(S.app == bindparam("in_app"), S.environment == bindparam("in_environment"))
_APPS = Among(select(S.app), S.app)
_ADD = Prepared(tables.suspicions.insert())
_CLEAR = Among(_HERE, S.what)
_CLEAR_ALL = Prepared(_HERE)


def note(
    transaction: Transaction,
    deployment: Deployment,
    subject: Subject,
    versions: Sequence[str],
    now: datetime,
    why: str,
) -> None:
    """Remember that a subject, and the versions that are new in it, went wrong where this was deployed."""
    suspected = [subject.fingerprint, *versions]
    clear(transaction, deployment.app, deployment.environment, suspected)
    here = {"app": deployment.app, "environment": deployment.environment}
    what_of = {"deployment": deployment.id, "number": deployment.number, "at": now, "why": why}
    _ADD.each(transaction.connection, [{**here, "what": what, **what_of} for what in suspected])


def apps(connection: Connection, among: Sequence[str]) -> set[str]:
    """Those of the apps of which something is suspect anywhere."""
    return set(_APPS.run(connection, among).scalars())


def clear(transaction: Transaction, app: str, environment: str, suspected: Sequence[str] | None = None) -> None:
    """Forget suspicions: after a success, or because a commit says so (`suspected` None: all of them here)."""
    if suspected is None:
        _CLEAR_ALL.change(transaction.connection, in_app=app, in_environment=environment)
    else:
        _CLEAR.change(transaction.connection, suspected, in_app=app, in_environment=environment)
