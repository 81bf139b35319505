"""How does a forecast look as an iCalendar feed (RFC 5545)?

Seasons and freezes are events with a beginning and an end, everything else is a moment. Instants are in UTC, so that
the feed needs no rules of time zones. The same forecast always gives the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from reconciler.model.output import Edge
from reconciler.words import plain

_STARTS, _ENDS = {"season-start": "season", "freeze-start": "freeze"}, {"season-end": "season", "freeze-end": "freeze"}


def feed(edges: Sequence[Edge], stamp: datetime) -> bytes:
    """The feed of a forecast. `stamp` is told to be the moment at which its entries were written (UTC)."""
    from icalendar import Calendar, Event

    made = Calendar()
    made.add("prodid", "-//reconciler//calendar//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", "Reconciler")
    for edge in entries(edges):
        event = Event()
        event.add("uid", uid(edge))
        event.add("dtstamp", _second(stamp))
        event.add("dtstart", _second(edge.at))
        if edge.until is not None:
            event.add("dtend", _second(edge.until))
        event.add("summary", plain(_summary(edge)))
        event.add("description", plain(". ".join(part for part in (edge.detail, edge.cancel) if part)))
        event.add("categories", [edge.cause])
        event.add("transp", "TRANSPARENT")
        made.add_component(event)
    written: bytes = made.to_ical()
    return written


def entries(edges: Sequence[Edge]) -> Iterator[Edge]:
    """An event for each thing that lasts, told by its beginning, else by its end alone; a moment for the others."""
    begun = {(*_thing(edge), edge.until) for edge in edges if edge.cause in _STARTS}
    for edge in edges:
        if edge.cause in _STARTS:
            yield _lasting(edge, edge.at, edge.until)
        elif edge.cause not in _ENDS or edge.since is None:
            yield edge
        elif (*_thing(edge), edge.at) not in begun:
            yield _lasting(edge, edge.since, edge.at)


def _thing(edge: Edge) -> tuple[str, str, str]:
    return edge.app, edge.environment, edge.name


def _lasting(edge: Edge, start: datetime, until: datetime | None) -> Edge:
    return Edge(
        at=start,
        cause=_STARTS.get(edge.cause) or _ENDS[edge.cause],
        app=edge.app,
        environment=edge.environment,
        name=edge.name,
        detail=edge.detail,
        cancel=edge.cancel,
        place=edge.place,
        until=until,
    )


def uid(edge: Edge) -> str:
    """What names an entry for good: the same thing keeps it however often the feed is made."""
    parts = (edge.app, edge.environment, edge.cause, edge.name, edge.at.isoformat())
    return f"{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:32]}@reconciler"


def _second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _summary(edge: Edge) -> str:
    where = f"{edge.app} in {edge.environment}" if edge.app else edge.environment
    what = {
        "season": f"season {edge.name}",
        "freeze": f"freeze {edge.name}",
        "train": "a release train leaves",
        "schedule": "scheduled change",
        "experiment-end": "an experiment ends",
        "pause-end": "a pause ends",
    }.get(edge.cause, edge.cause)
    return f"{where}: {what}"
