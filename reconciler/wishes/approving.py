"""May what waits at a gate enter, as a person says who did not write it? Are its checks run again?"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from reconciler.errors import UnknownReference, WrongUse
from reconciler.model.plan import Waiting
from reconciler.model.wish import Recorded
from reconciler.planner.preflight import approvals_missing
from reconciler.store import declared, gates
from reconciler.store.database import Transaction
from reconciler.views import reported, resolving
from reconciler.views.pictures import pictures
from reconciler.wishes import expecting, saying
from reconciler.wishes.recording import refuse_unless
from reconciler.words import address, counted


def approve(
    transaction: Transaction,
    identifier: str,
    *,
    actor: str,
    now: datetime,
    role: str | None = None,
    reason: str = "",
    expected: str | None = None,
) -> Recorded:
    """`actor` approves what waits at a gate, by the beginning of its id or as APP/ENVIRONMENT; now (UTC).

    It counts for exactly that plan: the same versions with the same settings. One person counts once, the author not.
    Raises WrongUse, UnknownReference; NotSo where nothing waits for it any more, or where it would not count.
    """
    actor, role, reason = saying.name(actor), saying.role(role), saying.reason(reason)
    app, environment, key = resolving.at_gate(transaction.connection, identifier)
    start = reported.refused(transaction.connection, key)
    if start is not None:
        waits = _waits_elsewhere(transaction.connection, start, now)
    else:
        expecting.require(transaction.connection, app, environment, expected)
        waits = _waits(transaction.connection, app, environment, key, now)
    _may(transaction.connection, waits, app, key, actor, role)
    gates.approve(transaction, app, environment, key, actor, role, reason, now)
    declared.mark_due(transaction, [app], now)
    return Recorded(
        kind="approve",
        detail=f"{actor} approved {waits[0].what} of {app} for {environment}",
        actor=actor,
        at=now,
        app=app,
        environment=environment,
        subject=key,
        reason=reason,
    )


def _waits(connection: Connection, app: str, environment: str, key: str, now: datetime) -> list[Waiting]:
    """What still waits for an approval there. Raises NotSo when nothing does any more."""
    plans = [picture.plan for picture in pictures(connection, [app], now)]
    found = [one for plan in plans for one in plan.waiting if one.key == key and one.waits_for == "approval"]
    refuse_unless(
        found,
        f"nothing of {app} waits for that approval in {environment} any more",
        f"`reconciler why {app} {environment}` tells how it stands",
    )
    return found


def _waits_elsewhere(connection: Connection, start: reported.Wanted, now: datetime) -> list[Waiting]:
    """Which approvals the start of a deployment made elsewhere waits for. Raises NotSo when it needs none any more."""
    found = approvals_missing(reported.look(connection, start, now))
    refuse_unless(
        found,
        f"{start.version} of {start.app} waits for no approval in {start.environment} any more",
        "whoever deploys it may start it again",
    )
    return found


def _may(connection: Connection, waits: list[Waiting], app: str, key: str, actor: str, role: str | None) -> None:
    """Whether this approval would count. Raises NotSo, WrongUse."""
    roles = sorted({one.role for one in waits if one.role})
    if roles and role not in roles:
        raise WrongUse(
            f"this gate asks for approvals by role: {', '.join(roles)}", f"add --role {roles[0]}, or `role` over HTTP"
        )
    writers = {writer for one in waits for writer in one.authors}
    refuse_unless(
        address(actor) not in writers,
        f"{actor} wrote it, and the author's approval does not count",
        "ask somebody else to approve it",
    )
    given = [row for row in gates.approvals(connection, [app]) if row.key == key]
    refuse_unless(
        address(actor) not in {address(row.actor) for row in given},
        f"{actor} has approved it already, and one person counts once",
        "ask somebody else to approve it too",
    )


def checks_again(
    transaction: Transaction,
    identifier: str,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
    expected: str | None = None,
) -> Recorded | None:
    """Checks that failed at a gate, or that could not tell, are run again; None when the id means none.

    Raises WrongUse, NotSo.
    """
    try:
        app, environment, key = resolving.at_gate(transaction.connection, identifier)
    except UnknownReference:
        return None
    expecting.require(transaction.connection, app, environment, expected)
    count = gates.forget_failures(transaction, app, environment, key, actor, now, reason)
    if not count:
        return None
    declared.mark_due(transaction, [app], now)
    return Recorded(
        kind="checks",
        detail=f"{counted(count, 'check')} of {app} for {environment} will be run again",
        actor=actor,
        at=now,
        app=app,
        environment=environment,
        subject=key,
        reason=reason,
    )
