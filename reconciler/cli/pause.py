"""`reconciler pause`: nothing new is started for an app until a moment; rollbacks pass all the same."""

from __future__ import annotations

from datetime import datetime

import click

from reconciler.cli import asking, committing, printing, wished
from reconciler.cli.committing import How


@asking.verb
@click.argument("app", type=asking.APP)
@click.argument("environment", type=asking.ENVIRONMENT, required=False)
@asking.reason_option(required=True)
@click.option("--until", required=True, type=asking.MOMENT, help=f"When it ends: {asking.MOMENTS}.")
@click.option("--git", is_flag=True, help="Write it into the manifest, as a commit on a branch; it holds when merged.")
@committing.options
@asking.output_option()
def command(app: str, environment: str | None, reason: str, until: datetime, git: bool, how: How, form: str) -> None:
    """Start nothing new for APP (in ENVIRONMENT, or everywhere) until a moment. Rollbacks still pass."""
    from reconciler.cli import pausing
    from reconciler.drafting.pausing import Asked
    from reconciler.engine import clock
    from reconciler.wishes import pausing as wishes

    pausing.only_with_git(how, git=git)
    now = clock.system()
    if until <= now:
        raise click.BadParameter(f"{printing.when(until)} is over.", param_hint="--until")
    if git:
        pausing.write(Asked(app=app, environment=environment, until=until, reason=reason), how, form, now)
        return
    wished.record(
        lambda transaction, now: wishes.pause(
            transaction, app, environment, reason=reason, until=until, actor=how.actor, now=now
        ),
        form,
    )
