"""`reconciler accept`: a branch that somebody rewrote is followed to where it is now."""

from __future__ import annotations

import click

from reconciler.cli import asking, opened, printing


@asking.verb
@click.argument("sha")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is recorded.")
@asking.actor_option
def command(sha: str, reason: str, actor: str) -> None:
    """Accept the rewritten branch at the commit SHA (seven digits or more)."""
    from reconciler.engine import clock
    from reconciler.wishes.accepting import accept

    settings = opened.settings()
    with opened.store(settings) as store, store.write() as transaction:
        done = accept(transaction, sha, reason=reason, actor=actor, now=clock.system())
    settings.nudge()
    printing.echo(done.detail)
