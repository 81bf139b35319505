"""`reconciler calendar`: what will change, and when, without a new commit."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from reconciler.cli import asking, opened, printing

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reconciler.config import Settings
    from reconciler.git.objects import Objects

AHEAD = timedelta(days=90)


@asking.verb
@click.argument("app", required=False)
@click.option("--until", type=asking.MOMENT, help=f"How far to look, by default 90d: {asking.MOMENTS}.")
@asking.output_option("ics")
def command(app: str | None, until: datetime | None, form: str) -> None:
    """Show what will change (of APP alone) without a new commit.

    Seasons, freezes, release trains, schedules, and the ends of experiments and pauses, each with what exactly changes
    and the line in git that calls it off; of each release train the next 31 departures. What is then deployed is shown
    by `plan --until`.
    """
    from reconciler.engine import clock
    from reconciler.model.output import edge_json
    from reconciler.store import declared
    from reconciler.views.feed import feed
    from reconciler.views.forecast import forecast

    settings, now = opened.settings(), clock.system()
    with ExitStack() as stack:
        connection = stack.enter_context(stack.enter_context(opened.store(settings)).read())
        names = declared.app_names(connection)
        wanted = names if app is None else [opened.known_app(names, app)]
        found = forecast(connection, wanted, now, until or now + AHEAD, _objects(settings, stack))
        stamp = _stamp(connection) or now
    for said in found.left_out:
        printing.note(f"not everything is shown: {said}")
    if form == "json":
        printing.as_json([edge_json(edge) for edge in found.edges])
    elif form == "ics":
        click.echo(feed(found.edges, stamp), nl=False)
    elif found.edges:
        headings = ("WHEN", "CAUSE", "APP", "ENVIRONMENT", "NAME", "WHAT CHANGES", "DECLARED AT")
        rows = [
            [
                printing.when(edge.at),
                edge.cause,
                edge.app,
                edge.environment,
                edge.name,
                edge.detail,
                _place(edge.cancel),
            ]
            for edge in found.edges
        ]
        printing.table(headings, rows)
        for said in found.left_out:
            printing.echo(f"… {said}", "quiet")
        printing.echo("to call a change off, remove or change the line that declares it, by a commit", "quiet")
    else:
        printing.echo(f"nothing changes by itself until {printing.when(until or now + AHEAD)}")


def _place(cancel: str) -> str:
    """The file and line, or the command, at the end of how a change is called off."""
    return cancel.rpartition(" at ")[2]


def _objects(settings: Settings, stack: ExitStack) -> Objects | None:
    """The mirror, which knows the lines of what is declared; None where there is none."""
    from reconciler.git.objects import Objects

    return stack.enter_context(Objects(settings.mirror)) if (settings.mirror / "objects").is_dir() else None


def _stamp(connection: Connection) -> datetime | None:
    """When the commit in force was made: the same feed has the same stamps, whenever it is asked for."""
    from reconciler.store import commits, repository

    place = repository.followed(connection)
    row = commits.at_position(connection, place.position) if place else None
    return row.committed_at if row is not None else None
