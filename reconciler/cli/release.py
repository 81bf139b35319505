"""`reconciler release`: a hold ends, and what git says is carried out again."""

from __future__ import annotations

import click

from reconciler.cli import asking, opened, printing


@asking.verb
@click.argument("app", type=asking.APP)
@click.argument("environment", type=asking.ENVIRONMENT)
@click.option("--reason", default="", metavar="TEXT", help="Why; it is recorded.")
@asking.actor_option
def command(app: str, environment: str, reason: str, actor: str) -> None:
    """End the hold of APP in ENVIRONMENT: what went wrong there is forgotten, and git's word is carried out again."""
    from reconciler.engine import clock
    from reconciler.wishes.releasing import release

    settings = opened.settings()
    with opened.store(settings) as store, store.write() as transaction:
        done = release(transaction, app, environment, reason=reason, actor=actor, now=clock.system())
    settings.nudge()
    printing.echo(done.detail)
