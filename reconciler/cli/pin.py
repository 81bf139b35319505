"""`reconciler pin`: a commit on a branch that keeps an environment at a version, whatever comes."""

from __future__ import annotations

import click

from reconciler.cli import asking, committing
from reconciler.cli.committing import How


@asking.verb
@click.argument("app", type=asking.APP)
@click.argument("environment", type=asking.ENVIRONMENT)
@click.option("--version", metavar="REF", help="By default what runs there now.")
@click.option("--allow-suspect", is_flag=True, help="Even a version that went wrong there: with the trailer.")
@committing.options
@asking.output_option()
def command(app: str, environment: str, version: str | None, allow_suspect: bool, how: How, form: str) -> None:
    """Write a commit onto a branch that keeps APP in ENVIRONMENT at a version, ready for a pull request.

    Nothing newer comes there then, until `promote --track` takes the pin away.
    """
    from reconciler.cli import written
    from reconciler.drafting.promoting import Asked, report
    from reconciler.engine import clock

    asked = Asked(app=app, environment=environment, version=version, allow_suspect=allow_suspect, verb="pin")
    written.carry_out(lambda desk: report(desk, asked, how), how, form, clock.system())
