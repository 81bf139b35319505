"""`reconciler calendar`: what will change, and when, without a new commit."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from reconciler.cli import asking, opened, printing

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reconciler.model.output import Edge

AHEAD = timedelta(days=90)


@asking.verb
@click.argument("app", required=False)
@click.option("--until", type=asking.MOMENT, help=f"How far to look, by default 90d: {asking.MOMENTS}.")
@asking.output_option("ics")
def command(app: str | None, until: datetime | None, form: str) -> None:
    """Show what will change (of APP alone) without a new commit: seasons, schedules, ends of pauses."""
    from reconciler.engine import clock
    from reconciler.model.output import edge_json
    from reconciler.store import declared
    from reconciler.views.forecast import forecast

    settings, now = opened.settings(), clock.system()
    with opened.store(settings) as store, store.read() as connection:
        names = declared.app_names(connection)
        wanted = names if app is None else [opened.known_app(names, app)]
        found = forecast(connection, wanted, now, until or now + AHEAD)
        stamp = _stamp(connection) or now
    if form == "json":
        printing.as_json([edge_json(edge) for edge in found])
    elif form == "ics":
        click.echo(_feed(found, stamp), nl=False)
    elif found:
        headings = ("WHEN", "CAUSE", "APP", "ENVIRONMENT", "NAME", "WHAT CHANGES")
        rows = [
            [printing.when(edge.at), edge.cause, edge.app, edge.environment, edge.name, edge.detail] for edge in found
        ]
        printing.table(headings, rows)
    else:
        printing.echo(f"nothing changes by itself until {printing.when(until or now + AHEAD)}")


def _stamp(connection: Connection) -> datetime | None:
    """When the commit in force was made: the same feed has the same stamps, whenever it is asked for."""
    from reconciler.store import commits, repository

    place = repository.followed(connection)
    row = commits.at_position(connection, place.position) if place else None
    return row.committed_at if row is not None else None


def _feed(found: list[Edge], stamp: datetime) -> bytes:
    """An iCalendar feed. Instants are in UTC, so that it needs no rules of time zones."""
    from icalendar import Calendar, Event

    feed = Calendar()
    feed.add("prodid", "-//reconciler//calendar//EN")
    feed.add("version", "2.0")
    feed.add("x-wr-calname", "Reconciler")
    for edge in found:
        event = Event()
        event.add("uid", uid(edge))
        event.add("dtstamp", stamp.astimezone(UTC).replace(microsecond=0))
        event.add("dtstart", edge.at.astimezone(UTC))
        event.add("summary", _summary(edge))
        event.add("description", edge.detail)
        event.add("categories", [edge.cause])
        event.add("transp", "TRANSPARENT")
        feed.add_component(event)
    written: bytes = feed.to_ical()
    return written


def uid(edge: Edge) -> str:
    """What names an entry for good: the same change keeps it however often the feed is made."""
    parts = (edge.app, edge.environment, edge.cause, edge.name, edge.at.isoformat())
    return f"{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:32]}@reconciler"


def _summary(edge: Edge) -> str:
    what = {
        "season-start": f"{edge.name} begins",
        "season-end": f"{edge.name} ends",
        "schedule": "scheduled change",
        "pause-end": "a pause ends",
    }.get(edge.cause, edge.cause)
    return f"{edge.app} in {edge.environment}: {what}"
