"""`reconciler resume`: a pause ends before its time."""

from __future__ import annotations

import click

from reconciler.cli import asking, committing, opened, printing, wishes
from reconciler.cli.committing import How


@asking.verb
@click.argument("app")
@click.argument("environment", required=False)
@click.option("--git", is_flag=True, help="Take it out of the manifest, as a commit on a branch.")
@committing.options
def command(app: str, environment: str | None, git: bool, how: How) -> None:
    """End the pauses of APP: all of them, or the one of ENVIRONMENT."""
    from reconciler.cli import pausing
    from reconciler.engine import clock
    from reconciler.store import declared, interventions

    pausing.only_with_git(how, git=git)
    now = clock.system()
    if git:
        pausing.resume(app, environment, how, now)
        return
    settings = opened.settings()
    where = f" in {environment}" if environment else ""
    with opened.store(settings) as store, store.write() as transaction:
        wishes.placed(transaction.connection, app, environment)
        ended = interventions.resume(transaction, app, environment, how.actor, now)
        wishes.refuse_unless(
            ended,
            f"nobody has paused {app}{where}",
            f"a pause of the whole app ends with `reconciler resume {app}`, one that is declared in git with --git",
        )
        declared.mark_due(transaction, [app], now)
    settings.nudge()
    printing.echo(f"{app}{where} goes on")
