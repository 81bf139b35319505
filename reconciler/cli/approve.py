"""`reconciler approve`: what waits at a gate may enter, says a person who did not write it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from reconciler.cli import asking, opened, printing, wishes

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reconciler.model.plan import Waiting


@asking.verb
@click.argument("id_", metavar="ID")
@click.option("--role", metavar="NAME", help="The role that you approve in, such as qa, where the gate asks for roles.")
@click.option("--reason", default="", metavar="TEXT", help="What you looked at; it is recorded.")
@asking.actor_option
def command(id_: str, role: str | None, reason: str, actor: str) -> None:
    """Approve what waits at a gate: ID as `status` shows it (its beginning is enough), or APP/ENVIRONMENT.

    It counts for exactly that plan: the same versions with the same settings. One person counts once, the author not.
    """
    from reconciler.engine import clock
    from reconciler.store import declared, gates

    settings, now = opened.settings(), clock.system()
    with opened.store(settings) as store, store.write() as transaction:
        app, environment, key = wishes.at_gate(transaction.connection, id_)
        waits = _waits(transaction.connection, app, environment, key, now)
        _may(transaction.connection, waits, app, key, actor, role)
        gates.approve(transaction, app, environment, key, actor, role, reason, now)
        declared.mark_due(transaction, [app], now)
    settings.nudge()
    printing.echo(f"{actor} approved {waits[0].detail.split(' has ')[0]} of {app} for {environment}")


def _waits(connection: Connection, app: str, environment: str, key: str, now: datetime) -> list[Waiting]:
    """What still waits for an approval there. Raises NotSo when nothing does any more."""
    from reconciler.views.pictures import pictures

    plans = [picture.plan for picture in pictures(connection, [app], now)]
    found = [one for plan in plans for one in plan.waiting if one.key == key and one.waits_for == "approval"]
    wishes.refuse_unless(
        found,
        f"nothing of {app} waits for that approval in {environment} any more",
        f"`reconciler why {app} {environment}` tells how it stands",
    )
    return found


def _may(connection: Connection, waits: list[Waiting], app: str, key: str, actor: str, role: str | None) -> None:
    """Whether this approval would count. Raises NotSo, WrongUse."""
    from reconciler.errors import WrongUse
    from reconciler.store import gates
    from reconciler.words import address

    roles = sorted({one.role for one in waits if one.role})
    if roles and role not in roles:
        raise WrongUse(f"this gate asks for approvals by role: {', '.join(roles)}", f"add --role {roles[0]}")
    writers = {writer for one in waits for writer in one.authors}
    wishes.refuse_unless(
        address(actor) not in writers,
        f"{actor} wrote it, and the author's approval does not count",
        "ask somebody else to approve it",
    )
    given = [row for row in gates.approvals(connection, [app]) if row.key == key]
    wishes.refuse_unless(
        address(actor) not in {address(row.actor) for row in given},
        f"{actor} has approved it already, and one person counts once",
        "ask somebody else to approve it too",
    )
