"""Which instant does this text mean, and how is an instant written?

Instants are UTC everywhere inside; a wall time becomes one with a time zone (see `zones`). Durations and
recurrences are not read here.
"""

from __future__ import annotations

import re
from datetime import datetime

from reconciler.errors import ScheduleError
from reconciler.schedule.zones import FIRST_YEAR, LAST_YEAR, aware, resolve, zone
from reconciler.words import quoted

_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?",
    re.IGNORECASE | re.ASCII,
)
_DATE = len("2026-12-01")
_EXAMPLES = "write 2026-12-01T09:00 with a timezone, or with an offset 2026-12-01T09:00+01:00"
WITH_OFFSET = "write it with an offset, 2026-12-01T09:00:00+01:00, or Z for UTC"
"""How an instant is written where no zone is known."""


def wall(text: str, examples: str = _EXAMPLES) -> datetime:
    """The date and time written in ISO 8601: with its offset if it has one, else a wall time.

    A date alone means its midnight. Raises ScheduleError for other text, with `examples` of what can be written there,
    and for years outside 1970..2200.
    """
    value = _read(text, examples)
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ScheduleError(f"{quoted(text)} is too far away", f"write a year from {FIRST_YEAR} to {LAST_YEAR}")
    return value


def instant(text: str, timezone: str | None) -> datetime:
    """The instant, in UTC, that `text` means: by its own offset, else as a wall time in `timezone`.

    Raises ScheduleError when neither says where the clock hangs, and for text that `wall` refuses.
    """
    value = wall(text)
    if value.tzinfo is not None:
        return aware(value)
    if timezone is None:
        with_time = text if len(text) > _DATE else f"{text}T00:00"
        raise ScheduleError(
            f"{quoted(text)} does not say where the clock hangs",
            f"add a timezone such as Europe/Paris, or an offset: {with_time}Z",
        )
    return resolve(value, zone(timezone))


def kept(text: str, timezone: str) -> tuple[datetime, tuple[str, str | None]]:
    """The instant, in UTC, and how it is written in a manifest: a wall time with its zone, or an instant without one.

    Raises ScheduleError as `instant` does.
    """
    moment = instant(text, timezone)
    return moment, ((text, timezone) if wall(text).tzinfo is None else (rfc3339(moment), None))


def rfc3339(moment: datetime) -> str:
    """`moment` in UTC as text, '2026-12-01T08:00:00Z'; microseconds only when there are any."""
    return aware(moment).isoformat().removesuffix("+00:00") + "Z"


def to_the_second(moment: datetime) -> str:
    """`moment` in UTC as a sentence tells it, '2026-12-01T08:00:00Z': the second that it lies in."""
    return rfc3339(moment.replace(microsecond=0))


def utc(text: str) -> datetime:
    """The instant, in UTC, of a text with an offset, of any year: the inverse of `rfc3339`.

    Raises ScheduleError for other text.
    """
    return aware(_read(text, WITH_OFFSET))


def _read(text: str, examples: str) -> datetime:
    if not _ISO.fullmatch(text):
        raise ScheduleError(f"{quoted(text)} is not a date and time", examples)
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise ScheduleError(f"{quoted(text)} is not a date and time: {error}", examples) from None
