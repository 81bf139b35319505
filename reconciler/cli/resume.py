"""`reconciler resume`: a pause ends before its time."""

from __future__ import annotations

import click

from reconciler.cli import asking, committing, wished
from reconciler.cli.committing import How


@asking.verb
@click.argument("app", type=asking.APP)
@click.argument("environment", type=asking.ENVIRONMENT, required=False)
@click.option("--git", is_flag=True, help="Take it out of the manifest, as a commit on a branch.")
@committing.options
@asking.output_option()
def command(app: str, environment: str | None, git: bool, how: How, form: str) -> None:
    """End the pauses of APP: all of them, or the one of ENVIRONMENT."""
    from reconciler.cli import pausing
    from reconciler.drafting.pausing import Asked
    from reconciler.engine import clock
    from reconciler.wishes import pausing as wishes

    pausing.only_with_git(how, git=git)
    if git:
        pausing.write(Asked(app=app, environment=environment, until=None), how, form, clock.system())
        return
    wished.record(lambda transaction, now: wishes.resume(transaction, app, environment, actor=how.actor, now=now), form)
