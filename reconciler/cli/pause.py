"""`reconciler pause`: nothing new is started for an app until a moment; rollbacks pass all the same."""

from __future__ import annotations

from datetime import datetime

import click

from reconciler.cli import asking, opened, printing, wishes


@asking.verb
@click.argument("app")
@click.argument("environment", required=False)
@asking.reason_option
@click.option("--until", required=True, type=asking.MOMENT, help=f"When it ends: {asking.MOMENTS}.")
@asking.actor_option
def command(app: str, environment: str | None, reason: str, until: datetime, actor: str) -> None:
    """Start nothing new for APP (in ENVIRONMENT, or everywhere) until a moment. Rollbacks still pass."""
    from reconciler.engine import clock

    settings, now = opened.settings(), clock.system()
    if until <= now:
        raise click.BadParameter(f"{printing.when(until)} is over.", param_hint="--until")
    with opened.store(settings) as store, store.write() as transaction:
        wishes.placed(transaction.connection, app, environment)
        wishes.record(
            transaction, now, kind="pause", app=app, environment=environment, actor=actor, reason=reason, until=until
        )
    settings.nudge()
    where = f" in {environment}" if environment else ""
    printing.echo(f"{app}{where} is paused until {printing.when(until)}")
