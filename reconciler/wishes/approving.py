"""May what waits at a gate enter, as a person says who did not write it? Are its checks run again?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from reconciler.errors import UnknownReference, WrongUse
from reconciler.model.plan import Waiting
from reconciler.model.wish import Recorded
from reconciler.store import due, gates
from reconciler.store.database import Transaction
from reconciler.views import resolving
from reconciler.wishes import choosing, expecting, saying
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
    Raises WrongUse, UnknownReference; NotSo where several wait, nothing waits for it any more, or it would not count.
    """
    actor, role, reason = saying.name(actor), saying.role(role), saying.reason(reason)
    meant = choosing.to_approve(transaction.connection, identifier, now)
    app, environment, key, waits = meant.app, meant.environment, meant.key, meant.waits
    require = expecting.require_of_any if meant.elsewhere else expecting.require
    require(transaction.connection, app, environment, expected)
    _waits(meant)
    _may(transaction.connection, waits, app, key, actor, role)
    gates.approve(transaction, app, environment, key, actor, role, reason, now)
    due.mark(transaction, [app], now)
    return Recorded(
        kind="approve",
        detail=f"{actor} approved {waits[0].what} of {app} for {environment}{meant.whose}",
        actor=actor,
        at=now,
        app=app,
        environment=environment,
        subject=key,
        reason=reason,
        warnings=tuple(dict.fromkeys(doubt for one in waits for doubt in one.doubts)),
    )


def _waits(meant: choosing.Meant) -> None:
    """Raises NotSo where nothing of it waits for an approval any more."""
    app, environment = meant.app, meant.environment
    if meant.elsewhere:
        refuse_unless(
            meant.waits,
            f"{meant.elsewhere} of {app} waits for no approval in {environment} any more"
            f"{f': {meant.over}' if meant.over else ''}",
            "whoever deploys it may start it again",
        )
    refuse_unless(
        meant.waits,
        f"nothing of {app} waits for that approval in {environment} any more",
        f"`reconciler why {app} {environment}` tells how it stands",
    )


def _may(connection: Connection, waits: Sequence[Waiting], app: str, key: str, actor: str, role: str | None) -> None:
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
    if "/" not in identifier and len(identifier) < resolving.SHORTEST:
        return None  # so little may still name a deployment
    try:
        app, environment, key = choosing.to_check_again(transaction.connection, identifier)
    except UnknownReference:
        return None
    expecting.require(transaction.connection, app, environment, expected)
    count = gates.forget_failures(transaction, app, environment, key, actor, now, reason)
    if not count:
        return None
    due.mark(transaction, [app], now)
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
