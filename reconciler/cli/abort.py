"""`reconciler abort`: a deployment that is still to end is stopped, and not begun again by automation."""

from __future__ import annotations

import click

from reconciler.cli import asking, opened, printing, wishes


@asking.verb
@click.argument("id_", metavar="ID")
@asking.reason_option
@asking.actor_option
def command(id_: str, reason: str, actor: str) -> None:
    """Stop the deployment ID (the beginning of an id is enough)."""
    from reconciler.engine import clock

    settings = opened.settings()
    with opened.store(settings) as store, store.write() as transaction:
        found = wishes.deployment(transaction.connection, id_)
        wishes.refuse_unless(
            found.active,
            f"deployment {found.id} is {found.status}: there is nothing to stop",
            f"`reconciler deployments show {found.id}` shows what happened to it",
        )
        wishes.about(transaction, clock.system(), "abort", found, actor, reason)
    settings.nudge()
    printing.echo(f"deployment {found.number} of {found.app} in {found.environment} is to be stopped")
