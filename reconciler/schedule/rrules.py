"""On which wall times does a recurrence rule of RFC 5545 fall?

dateutil walks the calendar; what would make it walk for ever, or for longer than anyone waits, is refused
before it starts. Zones play no part, except that an UNTIL in UTC is put on the wall clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import lcm
from types import MappingProxyType
from typing import NoReturn
from zoneinfo import ZoneInfo

from reconciler.errors import ScheduleError
from reconciler.schedule.zones import FIRST_YEAR, LAST_YEAR
from reconciler.words import nearest, quoted

_LONGEST_TEXT = 500
_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")
_DAY = "(MO|TU|WE|TH|FR|SA|SU)"
_NUMBERS = {
    "INTERVAL": 10_000,
    "COUNT": 1_000,
    "BYMONTH": 12,
    "BYMONTHDAY": 31,
    "BYYEARDAY": 366,
    "BYWEEKNO": 53,
    "BYSETPOS": 366,
}
_SIGNED = ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS")
_TEXTS = {
    "FREQ": "|".join(_FREQUENCIES),
    "WKST": _DAY,
    "BYDAY": rf"([+-]?[1-9][0-9]?)?{_DAY}(,([+-]?[1-9][0-9]?)?{_DAY})*",
    "UNTIL": "[0-9]{8}(T[0-9]{6}Z?)?",
}
_LAST = datetime(LAST_YEAR, 12, 31, 23, 59, 59)
# dateutil gives up a rule that never matches only in the year 9999. The calendar repeats every 400 years,
# weekdays included, so the walk is done 7,600 years later, where that end is near, and the result moved back.
_LATER = 7_600


def starts(text: str, start: datetime, zone: ZoneInfo, begin: datetime) -> Iterator[datetime]:
    """The wall times from `start` on that the rule matches, in order, up to the year 2200.

    Those well before `begin` may be left out. Raises ScheduleError for a wrong rule.
    """
    from dateutil.rrule import rrulestr

    parts = dict(rule(text))
    end = _until(parts.pop("UNTIL", None), zone)
    anchor = _later(start if "COUNT" in parts else _near(parts, start, begin))
    if "COUNT" not in parts:
        parts["UNTIL"] = f"{_later(end):%Y%m%dT%H%M%S}"
    walk = iter(rrulestr(";".join(f"{key}={value}" for key, value in parts.items()), dtstart=anchor))
    while True:
        try:
            wall = next(walk)
        except (StopIteration, ValueError, OverflowError):  # the two others at the end of dateutil's calendar
            return
        if wall > _later(_LAST):
            return
        yield wall.replace(year=wall.year - _LATER, microsecond=start.microsecond)


@lru_cache(maxsize=1024)
def rule(text: str) -> MappingProxyType[str, str]:
    """The parts of a rule by name. Raises ScheduleError for what is unknown, wrong or without end."""
    body = text.strip().upper().removeprefix("RRULE:").removesuffix(";")
    if len(text) > _LONGEST_TEXT or "=" not in body:
        raise ScheduleError(
            f"{quoted(text)} is not a repetition", "write yearly, or a rule such as FREQ=WEEKLY;BYDAY=FR"
        )
    parts: dict[str, str] = {}
    for part in body.split(";"):
        key, _, value = part.partition("=")
        if key in parts:
            raise ScheduleError(f"the rule {quoted(text)} says {key} twice", "say it once")
        _check_part(key, value)
        parts[key] = value
    _check_whole(text, parts)
    return MappingProxyType(parts)


def _check_part(key: str, value: str) -> None:
    if key in _TEXTS:
        right = re.fullmatch(_TEXTS[key], value, re.ASCII) is not None
    elif key in _NUMBERS:
        sign = "[+-]?" if key in _SIGNED else ""
        items = value.split(",") if key.startswith("BY") else [value]
        right = all(re.fullmatch(rf"{sign}[0-9]{{1,5}}", item, re.ASCII) for item in items) and all(
            1 <= abs(int(item)) <= _NUMBERS[key] for item in items
        )
    else:
        _refuse_key(key)
    if not right:
        raise ScheduleError(f"{key}={quoted(value)} is wrong in a recurrence rule", _remedy(key))


def _refuse_key(key: str) -> NoReturn:
    if key in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        raise ScheduleError(f"a recurrence rule may not say {key}", "the time of day is that of 'from'")
    meant = nearest(key, (*_TEXTS, *_NUMBERS))
    known = ", ".join((*_TEXTS, *_NUMBERS))
    raise ScheduleError(
        f"a recurrence rule has no {quoted(key)}", f"did you mean {meant}?" if meant else f"use only {known}"
    )


def _remedy(key: str) -> str:
    if key in _NUMBERS:
        return f"write a whole number from 1 to {_NUMBERS[key]}" + (", or minus that" if key in _SIGNED else "")
    return {
        "FREQ": f"write one of {', '.join(_FREQUENCIES)}",
        "UNTIL": "write 20271231, 20271231T180000 or 20271231T170000Z",
    }.get(key, "write days as MO,TU,WE,TH,FR,SA,SU")


def _check_whole(text: str, parts: dict[str, str]) -> None:
    if "FREQ" not in parts:
        raise ScheduleError(f"the rule {quoted(text)} says no FREQ", _remedy("FREQ"))
    if "COUNT" in parts and "UNTIL" in parts:
        raise ScheduleError(f"the rule {quoted(text)} says COUNT and UNTIL", "say one of the two")
    if parts["FREQ"] in ("WEEKLY", "DAILY") and re.search("[0-9]", parts.get("BYDAY", "")):
        raise ScheduleError(f"the rule {quoted(text)} counts weekdays", "that needs FREQ=MONTHLY or FREQ=YEARLY")
    _until(parts.get("UNTIL"), None)


def _until(text: str | None, zone: ZoneInfo | None) -> datetime:
    """The last wall time on which the rule may match; a date alone includes the whole day."""
    if text is None:
        return _LAST
    try:
        end = datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d")
    except ValueError:
        raise ScheduleError(f"UNTIL={quoted(text)} is no date", _remedy("UNTIL")) from None
    if "T" not in text:
        end = end.replace(hour=23, minute=59, second=59)
    if end.year < FIRST_YEAR:
        raise ScheduleError(f"UNTIL={quoted(text)} is too far away", f"write a year from {FIRST_YEAR}")
    if end > _LAST:
        return _LAST
    if text.endswith("Z") and zone is not None:
        end = end.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    return min(end, _LAST)


def _near(parts: dict[str, str], start: datetime, begin: datetime) -> datetime:
    """A date before `begin` from which the rule goes on just as it does from `start`.

    Whole steps of days or weeks keep weekday and rhythm, whole years keep month, day and rhythm.
    """
    begin = min(begin, _LAST)
    interval = int(parts.get("INTERVAL", "1"))
    if parts["FREQ"] in ("DAILY", "WEEKLY"):
        step = timedelta(days=interval * (7 if parts["FREQ"] == "WEEKLY" else 1))
        return start + max((begin - start) // step - 1, 0) * step
    if (start.month, start.day) == (2, 29):
        return start
    years = interval if parts["FREQ"] == "YEARLY" else lcm(interval, 12) // 12
    return start.replace(year=start.year + max((begin.year - 1 - start.year) // years, 0) * years)


def _later(wall: datetime) -> datetime:
    return wall.replace(year=wall.year + _LATER)
