"""`reconciler promote`: a commit on a branch that makes an environment run a version, now or at a moment."""

from __future__ import annotations

from datetime import datetime

import click

from reconciler.cli import asking, committing, printing
from reconciler.cli.committing import How
from reconciler.errors import ScheduleError

DEFAULT = ""
"""`--track` without a value: what the environment follows by default."""


@asking.verb
@click.argument("app", type=asking.APP)
@click.option(
    "--to",
    "environment",
    type=asking.ENVIRONMENT,
    required=True,
    metavar="ENV",
    help="The environment that is to run it.",
)
@click.option("--version", metavar="REF", help="By default what completed in the environment that ENV follows.")
@click.option("--traffic", metavar="SPLIT", help="A split by hand in place of one version: v1=90,v2=10.")
@click.option(
    "--track",
    metavar="[ENV|latest]",
    is_flag=False,
    flag_value=DEFAULT,
    help="Take a pin or a split away: follow another environment again, by default the one that is declared.",
)
@click.option("--at", metavar="TIME", help=f"From a moment on, as an entry of `schedule`: {asking.MOMENTS}.")
@click.option("--timezone", metavar="ZONE", help="The zone of --at, such as Europe/Paris, which is kept in the entry.")
@click.option("--allow-suspect", is_flag=True, help="Even a version that went wrong there: with the trailer.")
@click.option(
    "--allow-rollback", is_flag=True, help="Even past a guard that speaks against going back: with the trailer."
)
@committing.options
@asking.output_option()
def command(
    app: str,
    environment: str,
    version: str | None,
    traffic: str | None,
    track: str | None,
    at: str | None,
    timezone: str | None,
    allow_suspect: bool,
    allow_rollback: bool,
    how: How,
    form: str,
) -> None:
    """Write a commit onto a branch that makes ENV run a version of APP, ready for a pull request.

    The commit changes the environment's entry in the manifest and nothing else of the file. It builds on the newest
    commit of the followed branch, which itself is not moved. In a clone of the desired repository the branch is made
    there; else in the followed repository, when it is on this machine.
    """
    from reconciler.cli import written
    from reconciler.drafting.promoting import Asked, at_odds, report
    from reconciler.engine import clock

    said = {"version": version, "traffic": traffic, "track": track, "at": at, "timezone": timezone}
    if wrong := at_odds([name for name, one in said.items() if one is not None], lambda name: f"--{name}"):
        raise click.UsageError(f"{wrong}.")
    now = clock.system()
    moment, wall = _moment(at, timezone, now) if at is not None else (None, None)
    asked = Asked(
        app=app,
        environment=environment,
        version=version,
        traffic=traffic,
        track=track,
        at=moment,
        wall=wall,
        allow_suspect=allow_suspect,
        allow_rollback=allow_rollback,
    )
    written.carry_out(lambda desk: report(desk, asked, how), how, form, now)


def _moment(at: str, timezone: str | None, now: datetime) -> tuple[datetime, tuple[str, str | None]]:
    """The instant, and how it is written: a wall time stays one where its zone is told."""
    from reconciler import schedule

    if timezone is None:
        moment = asking.MOMENT.convert(at, None, click.get_current_context())
        whole = moment.replace(microsecond=0)
        written: tuple[str, str | None] = (schedule.rfc3339(whole), None)
        moment = whole
    else:
        try:
            moment, written = schedule.kept(at, timezone)
        except ScheduleError as error:
            raise click.BadParameter(f"{error.message}. {error.next_step}.", param_hint="--at") from None
    if moment <= now:
        raise click.BadParameter(f"{printing.when(moment)} is over.", param_hint="--at")
    return moment, written
