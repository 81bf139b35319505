"""Can nothing new start for an app until a moment? Can it go on before that? Rollbacks pass all the same."""

from __future__ import annotations

from datetime import datetime

from reconciler.errors import WrongUse
from reconciler.model.shape import LAST_YEAR
from reconciler.model.wish import Recorded
from reconciler.schedule import rfc3339
from reconciler.store import due, interventions
from reconciler.store.database import Transaction
from reconciler.store.interventions import Wish
from reconciler.views import resolving
from reconciler.wishes import expecting, saying
from reconciler.wishes.recording import record, refuse_unless


def pause(
    transaction: Transaction,
    app: str,
    environment: str | None,
    *,
    reason: str,
    until: datetime,
    actor: str,
    now: datetime,
    expected: str | None = None,
) -> Recorded:
    """Start nothing new for an app (None: in every environment) until a moment; both moments in UTC.

    Raises WrongUse where that is over, UnknownReference.
    """
    actor, reason = saying.name(actor), saying.reason(reason, required=True)
    require_to_come(until, now)
    resolving.placed(transaction.connection, app, environment)
    expecting.require(transaction.connection, app, environment, expected)
    wish = Wish(kind="pause", app=app, environment=environment, actor=actor, reason=reason, until=until)
    return record(transaction, wish, f"{_place(app, environment)} is paused until {rfc3339(until)}", now)


def require_to_come(until: datetime, now: datetime) -> None:
    """Raises WrongUse where a pause cannot end then."""
    if until <= now:
        raise WrongUse(f"{rfc3339(until)} is over", "name a moment to come")
    if until.year > LAST_YEAR:
        raise WrongUse(f"{rfc3339(until)} is too far away", f"name a year up to {LAST_YEAR}")


def resume(
    transaction: Transaction,
    app: str,
    environment: str | None,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
    expected: str | None = None,
) -> Recorded:
    """End the pauses of an app: all of them, or the one of an environment; now (UTC).

    Raises UnknownReference; NotSo where nobody has paused it.
    """
    actor, reason = saying.name(actor), saying.reason(reason)
    resolving.placed(transaction.connection, app, environment)
    expecting.require(transaction.connection, app, environment, expected)
    refuse_unless(
        interventions.resume(transaction, app, environment, actor, now, reason),
        f"nobody has paused {_place(app, environment)}",
        f"a pause of the whole app ends where no environment is named (`reconciler resume {app}`), one that is "
        f"declared in git by a commit (`reconciler resume {app} --git` writes it)",
    )
    due.mark(transaction, [app], now)
    return Recorded(
        kind="resume",
        detail=f"{_place(app, environment)} goes on",
        actor=actor,
        at=now,
        app=app,
        environment=environment,
        reason=reason,
    )


def _place(app: str, environment: str | None) -> str:
    return f"{app} in {environment}" if environment else app
