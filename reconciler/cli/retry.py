"""`reconciler retry`: what failed or was stopped is tried again, as a new deployment."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from reconciler.cli import asking, opened, printing, wishes

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reconciler.model.deployment import Deployment
    from reconciler.store.database import Transaction


@asking.verb
@click.argument("id_", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is recorded.")
@asking.actor_option
def command(id_: str, reason: str, actor: str) -> None:
    """Try the failed or aborted deployment ID again (the beginning of an id is enough).

    ID may also be what `status` shows for a check that failed at a gate: then the check is run again.
    """
    from reconciler.engine import clock

    settings, now = opened.settings(), clock.system()
    with opened.store(settings) as store, store.write() as transaction:
        if said := _checks_again(transaction, id_, actor, now):
            settings.nudge()
            printing.echo(said)
            return
        found = wishes.deployment(transaction.connection, id_)
        wishes.refuse_unless(
            found.status in ("failed", "aborted"),
            f"deployment {found.id} is {found.status}: only what failed or was aborted is tried again",
            f"`reconciler deployments show {found.id}` shows what happened to it",
        )
        _still_wanted(transaction.connection, found, now)
        wishes.about(transaction, now, "retry", found, actor, reason)
    settings.nudge()
    printing.echo(f"deployment {found.number} of {found.app} in {found.environment} is to be tried again")


def _checks_again(transaction: Transaction, identifier: str, actor: str, now: datetime) -> str:
    """Checks that failed at a gate are to be run again: what was done, '' when the id means none."""
    from reconciler.errors import UnknownReference
    from reconciler.store import declared, gates

    try:
        app, environment, key = wishes.at_gate(transaction.connection, identifier)
    except UnknownReference:
        return ""
    count = gates.forget_failures(transaction, app, environment, key, actor, now)
    if not count:
        return ""
    declared.mark_due(transaction, [app], now)
    return f"{count} check{'s' if count > 1 else ''} of {app} for {environment} will be run again"


def _still_wanted(connection: Connection, found: Deployment, now: datetime) -> None:
    """A new deployment comes of it only where git still asks for the same."""
    from reconciler.model.deployment import Subject
    from reconciler.views.pictures import pictures
    from reconciler.views.standings import standings

    here = (s for p in pictures(connection, [found.app], now) for s in standings(p, now))
    standing = next((s for s in here if s.environment == found.environment), None)
    desired = standing.desired if standing else None
    held = standing.held if standing else None
    if held is not None and held.deployment is not None and held.deployment == found.rolled_back_from:
        return  # what a person went back to is still to run
    if desired is not None and desired.traffic is None:
        return
    wanted = Subject(traffic=desired.traffic or (), config=desired.config) if desired else None
    wishes.refuse_unless(
        wanted is not None and wanted.fingerprint == found.subject.fingerprint,
        f"{found.app} is to run something else in {found.environment} by now",
        f"`reconciler why {found.app} {found.environment}` tells what; a commit brings the old content back",
    )
