"""At which times does a span hold, walked from some moment on?

Recurrences walk the calendar on wall times as though clocks never changed; then each start and end becomes
an instant by the rule of `zones`. That rule keeps order, so what is apart on the wall clock is apart in UTC,
and what a clock change leaves no length is dropped. Which window counts now is decided in `edges`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import TypeVar

from reconciler.errors import ScheduleError
from reconciler.schedule import crons, rrules
from reconciler.schedule.instants import instant, wall
from reconciler.schedule.public_holidays import dates
from reconciler.schedule.span import Span, Window
from reconciler.schedule.zones import LAST_YEAR, resolve, shown, zone
from reconciler.words import quoted

Said = TypeVar("Said")
Walls = tuple[datetime, datetime]
# A yearly span is a day longer in the years in which it covers 29 February.
_LEAP = timedelta(days=2)
_SUCH_AS = {
    "from": "2026-12-01T09:00",
    "until": "2027-01-02T06:00",
    "timezone": "Europe/Paris",
    "repeat": "yearly",
    "holiday": "DE/Easter Monday",
    "cron": "0 18 * * fri",
    "duration": "2h",
}


def occurrences(span: Span, after: datetime) -> Iterator[Window]:
    """The times that the span holds, ordered and apart; those that end before `after` (UTC) may be left out.

    Raises ScheduleError for a span that `check` refuses.
    """
    if span.shape == "once":
        start, until = once(span)
        if start < until:
            yield Window(start, until)
        return
    here = zone(said(span.timezone, "timezone"))
    reached = datetime.min.replace(tzinfo=UTC)
    for first, last in walls(span, shown(after, here) - length(span) - _LEAP):
        # `check` refuses what overlaps itself, but looks only so far: the windows stay apart in any case.
        window = Window(max(resolve(first, here), reached), resolve(last, here))
        if window.start < window.until:
            yield window
            reached = window.until


def once(span: Span) -> tuple[datetime, datetime]:
    """Start and end, in UTC, of a span that holds once. Raises ScheduleError when one cannot be read."""
    return instant(said(span.start, "from"), span.timezone), instant(said(span.until, "until"), span.timezone)


def walls(span: Span, begin: datetime) -> Iterator[Walls]:
    """Start and end of each time that a recurring span holds, on the wall clock, in order.

    Those that start before the wall time `begin` may be left out, and none starts after the year 2200.
    """
    if span.shape == "cron":
        starts = crons.walls(said(span.cron, "cron"), begin - timedelta(seconds=1))
    elif span.shape == "rule":
        here = zone(said(span.timezone, "timezone"))
        starts = rrules.starts(said(span.repeat, "repeat"), _wall(span.start, "from"), here, begin)
    else:
        yield from _around_holidays(span, begin) if span.shape == "holiday" else _each_year(span, begin)
        return
    long = length(span)
    for start in starts:
        yield start, start + long


def length(span: Span) -> timedelta:
    """How long a recurring span holds each time, on the wall clock; when yearly, the first time."""
    if span.shape == "cron":
        return said(span.duration, "duration")
    if span.shape == "holiday":
        return span.closes - span.opens
    return _wall(span.until, "until") - _wall(span.start, "from")


def said(value: Said | None, name: str) -> Said:
    """`value`, unless it was left out. Raises ScheduleError with the name that a manifest gives it."""
    if value is None:
        raise ScheduleError(f"'{name}' is missing", f"add it, such as {name}: {_SUCH_AS[name]}")
    return value


def _wall(text: str | None, name: str) -> datetime:
    value = wall(said(text, name))
    if value.tzinfo is not None:
        raise ScheduleError(
            f"'{name}' has an offset, {quoted(text or '')}, but what repeats follows the clocks of a place",
            "write it without offset, and add a timezone (UTC is one)",
        )
    return value


def _around_holidays(span: Span, begin: datetime) -> Iterator[Walls]:
    """Each holiday with its offsets; times that meet, as of feasts of several days, become one."""
    open_one: Walls | None = None
    for day in dates(said(span.holiday, "holiday"), (begin - span.opens).year - 1):
        midnight = datetime.combine(day, time())
        start, until = midnight + span.opens, midnight + span.closes
        if open_one and start <= open_one[1]:
            open_one = open_one[0], until
            continue
        if open_one:
            yield open_one
        open_one = start, until
    if open_one:
        yield open_one


def _each_year(span: Span, begin: datetime) -> Iterator[Walls]:
    first, last = _wall(span.start, "from"), _wall(span.until, "until")
    for year in range(max(first.year, begin.year), LAST_YEAR + 1):
        start, until = _in_year(first, year), _in_year(last, year + last.year - first.year)
        if start < until:
            yield start, until


def _in_year(moment: datetime, year: int) -> datetime:
    """The same date and time in another year; for 29 February, where there is none, 1 March at midnight."""
    try:
        return moment.replace(year=year)
    except ValueError:
        return datetime(year, 3, 1)
