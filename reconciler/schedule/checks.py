"""What is wrong with a span, and what should be written instead?

Everything that would surprise later is found here: the other modules of this room may rely on it, and raise
the same errors for a span that was never checked.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import chain, islice, pairwise, takewhile

from reconciler.errors import ScheduleError
from reconciler.schedule.crons import check_cron
from reconciler.schedule.durations import LONGEST, spell
from reconciler.schedule.occurrences import length, once, said, walls
from reconciler.schedule.public_holidays import check_holiday
from reconciler.schedule.rrules import rule
from reconciler.schedule.span import Shape, Span
from reconciler.schedule.zones import FIRST_YEAR, zone

_FITS: dict[Shape, frozenset[str]] = {
    "once": frozenset({"from", "until"}),
    "yearly": frozenset({"from", "until", "repeat"}),
    "rule": frozenset({"from", "until", "repeat"}),
    "holiday": frozenset({"holiday", "the holiday's from and until"}),
    "cron": frozenset({"cron", "duration"}),
}
# What surely has ended when the next starts, and over how many years longer ones are compared:
# a leap year and the next show what a cron does, which may fire each minute; the others need more leap years.
_SHORT: dict[Shape, tuple[timedelta, int]] = {
    "cron": (timedelta(minutes=1), 2),
    "rule": (timedelta(days=1), 9),
    "yearly": (timedelta(days=1), 9),
    "holiday": (timedelta(days=1), 9),
}
_COMPARED = 2_500
_LONGEST_AROUND_HOLIDAY = timedelta(days=300)
# A leap year, in which holidays are known and crons show all that they do.
_SAMPLE = datetime(2020, 1, 1)


def check(span: Span) -> None:
    """Raises ScheduleError, with what to write instead, unless the span is sound.

    Sound means: one of the five shapes, wholly and only; every text readable and every name known; it ends
    after it starts, happens at least once, and has ended before it starts again.
    """
    _check_shape(span)
    if span.shape == "once":
        start, until = once(span)
        if until <= start:
            raise _ends_too_early(span)
        return
    zone(said(span.timezone, "timezone"))
    if span.shape == "cron":
        check_cron(said(span.cron, "cron"))
    elif span.shape == "holiday":
        check_holiday(said(span.holiday, "holiday"))
    elif span.shape == "rule":
        rule(said(span.repeat, "repeat"))
    _check_length(span)
    _check_apart(span)


def _check_shape(span: Span) -> None:
    around = (span.opens, span.closes) != (timedelta(), timedelta(days=1))
    given = {
        "from": span.start,
        "until": span.until,
        "repeat": span.repeat,
        "holiday": span.holiday,
        "the holiday's from and until": around or None,
        "cron": span.cron,
        "duration": span.duration,
    }
    for name, value in given.items():
        if value is not None and name not in _FITS[span.shape]:
            shape = {"once": "'from' and 'until'", "rule": "'repeat'", "yearly": "'repeat'"}.get(span.shape)
            raise ScheduleError(
                f"'{name}' does not go together with {shape or repr(span.shape)}",
                "write 'from' and 'until', perhaps with 'repeat'; or a holiday; or 'cron' and 'duration'",
            )


def _check_length(span: Span) -> None:
    long = length(span)
    if long <= timedelta():
        if span.shape == "cron":
            raise ScheduleError("'duration' is nothing", "write how long it lasts each time, such as 2h")
        raise _ends_too_early(span)
    if span.shape == "holiday" and (long > _LONGEST_AROUND_HOLIDAY or abs(span.opens) > _LONGEST_AROUND_HOLIDAY):
        raise ScheduleError(
            f"it reaches from {spell(span.opens)} to {spell(span.closes)} around the holiday",
            f"stay within {spell(_LONGEST_AROUND_HOLIDAY)}",
        )
    if long > LONGEST:
        raise ScheduleError(f"it lasts {spell(long)} each time", f"stay within {spell(LONGEST)}")


def _check_apart(span: Span) -> None:
    begin = datetime(FIRST_YEAR, 1, 1) if span.shape in ("yearly", "rule") else _SAMPLE
    short, years = _SHORT[span.shape]
    found = walls(span, begin)
    first = next(found, None)
    if first is None:
        raise ScheduleError("it never happens", "correct the rule, or remove it")
    if length(span) <= short:
        return
    end = first[0] + timedelta(days=366 * years)
    compared = takewhile(lambda pair: pair[0] < end, islice(found, _COMPARED))
    for (start, until), (again, _) in pairwise(chain([first], compared)):
        if until > again:
            raise ScheduleError(
                f"it starts again at {again.isoformat(' ', 'minutes')}, before the time from"
                f" {start.isoformat(' ', 'minutes')} until {until.isoformat(' ', 'minutes')} has ended",
                "make it shorter, or let it repeat less often",
            )


def _ends_too_early(span: Span) -> ScheduleError:
    if span.shape == "holiday":
        start, until = spell(span.opens), spell(span.closes)
    else:
        start, until = span.start or "", span.until or ""
    return ScheduleError(
        f"it ends ({until}) before it starts ({start}), or at once",
        "'until' must be later than 'from'; over New Year it has the year after",
    )
