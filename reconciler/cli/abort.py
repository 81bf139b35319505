"""`reconciler abort`: a deployment that is still to end is stopped, and not begun again by automation."""

from __future__ import annotations

import click

from reconciler.cli import asking, opened, printing


@asking.verb
@click.argument("id_", metavar="ID")
@asking.reason_option
@asking.actor_option
def command(id_: str, reason: str, actor: str) -> None:
    """Stop the deployment ID (the beginning of an id is enough)."""
    from reconciler.engine import clock
    from reconciler.wishes.stopping import abort

    settings = opened.settings()
    with opened.store(settings) as store, store.write() as transaction:
        done = abort(transaction, id_, reason=reason, actor=actor, now=clock.system())
    settings.nudge()
    printing.echo(done.detail)
