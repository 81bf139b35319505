"""Does a span hold now, and when does that change next?

Time is an argument. Answers are remembered by span and day, because one season is asked about for many apps
at one moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice

from reconciler.schedule.occurrences import occurrences
from reconciler.schedule.span import Span, Window
from reconciler.schedule.zones import DUSK, within

MOST_WINDOWS = 10_000


def windows(span: Span, after: datetime, before: datetime) -> Iterator[Window]:
    """The windows of `span` that intersect [after, before), ordered and apart, the first 10,000 at most.

    Windows are whole: one that is open at `after` keeps its own start. Raises ScheduleError for a span that
    `check` refuses, and for moments without offset.
    """
    return islice(_windows(span, within(after), within(before)), MOST_WINDOWS)


def active(span: Span, now: datetime) -> Window | None:
    """The window that holds at `now`, if one does."""
    now = within(now)
    return next((window for window in _around(span, now.date()) if window.start <= now < window.until), None)


def next_edge(span: Span, now: datetime) -> datetime | None:
    """The earliest start or end of a window strictly after `now`, in UTC; None when none is left."""
    now = within(now)
    for window in _around(span, now.date()):
        if now < window.start:
            return window.start
        if now < window.until:
            return window.until
    return None


@lru_cache(maxsize=4096)
def _around(span: Span, day: date) -> tuple[Window, ...]:
    """The windows from this day of UTC on, up to the first that lasts to the end of it or longer."""
    begin = datetime.combine(day, time(), UTC)
    end = begin + timedelta(days=1)
    found = []
    for window in _windows(span, begin, DUSK):
        found.append(window)
        if window.until >= end:
            break
    return tuple(found)


def _windows(span: Span, after: datetime, before: datetime) -> Iterator[Window]:
    for window in occurrences(span, after):
        if window.start >= before:
            return
        if window.until > after:
            yield window
