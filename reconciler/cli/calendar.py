"""`reconciler calendar`: what will change, and when, without a new commit."""

from __future__ import annotations

from datetime import datetime

import click

from reconciler.cli import asking, opened, printing


@asking.verb
@click.argument("app", type=asking.APP, required=False)
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
    from reconciler.views.calendar import AHEAD, calendar, stamp
    from reconciler.views.feed import feed

    settings, now = opened.settings(), clock.system()
    until = until or now + AHEAD
    with opened.store(settings) as store, store.read() as connection:
        found = calendar(connection, app, now, until, settings.mirror)
        stamped = stamp(connection) or now
    for said in found.left_out:
        printing.note(f"not everything is shown: {said}")
    if form == "json":
        printing.as_json([edge_json(edge) for edge in found.edges])
    elif form == "ics":
        click.echo(feed(found.edges, stamped), nl=False)
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
                edge.place or edge.cancel,
            ]
            for edge in found.edges
        ]
        printing.table(headings, rows)
        for said in found.left_out:
            printing.echo(f"… {said}", "quiet")
        printing.echo("to call a change off, remove or change the line that declares it, by a commit", "quiet")
    else:
        printing.echo(f"nothing changes by itself until {printing.when(until)}")
