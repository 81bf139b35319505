"""`reconciler retry`: what failed or was stopped is tried again, as a new deployment; what waits, at once."""

from __future__ import annotations

import click

from reconciler.cli import asking, opened, printing


@asking.verb
@click.argument("id_", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is recorded.")
@asking.actor_option
def command(id_: str, reason: str, actor: str) -> None:
    """Try the failed or aborted deployment ID again (the beginning of an id is enough).

    Where it waits for its next attempt, that one is made at once. ID may also be what `status` shows for a check that
    failed at a gate: then the check is run again.
    """
    from reconciler.engine import clock
    from reconciler.wishes.stopping import retry

    settings = opened.settings()
    with opened.store(settings) as store, store.write() as transaction:
        done = retry(transaction, id_, reason=reason, actor=actor, now=clock.system())
    settings.nudge()
    printing.echo(done.detail)
