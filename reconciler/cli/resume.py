"""`reconciler resume`: a pause ends before its time."""

from __future__ import annotations

import click

from reconciler.cli import asking, opened, printing, wishes


@asking.verb
@click.argument("app")
@click.argument("environment", required=False)
@asking.actor_option
def command(app: str, environment: str | None, actor: str) -> None:
    """End the pauses of APP: all of them, or the one of ENVIRONMENT."""
    from reconciler.engine import clock
    from reconciler.store import declared, interventions

    settings, now = opened.settings(), clock.system()
    where = f" in {environment}" if environment else ""
    with opened.store(settings) as store, store.write() as transaction:
        wishes.placed(transaction.connection, app, environment)
        ended = interventions.resume(transaction, app, environment, actor, now)
        wishes.refuse_unless(
            ended,
            f"nobody has paused {app}{where}",
            f"a pause of the whole app ends with `reconciler resume {app}`, one that is declared in git by a commit",
        )
        declared.mark_due(transaction, [app], now)
    settings.nudge()
    printing.echo(f"{app}{where} goes on")
