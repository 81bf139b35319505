"""When does a cron expression fire?

Five fields, walked over the wall times of a zone as though its clocks never changed; each wall time then
becomes an instant by the rule of `zones`. So '30 2 * * *' fires every day, at 03:00 when the clocks skip
02:30 and once when they show it twice, and '*/15 * * * *' pauses while an hour is shown again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from reconciler.errors import ScheduleError
from reconciler.schedule.zones import FIRST_YEAR, LAST_YEAR, latest_shown, resolve, shown, within
from reconciler.words import quoted

_ALLOWED = re.compile(r"[0-9a-z*,/# -]{1,200}", re.IGNORECASE | re.ASCII)
_FIELDS = "minute, hour, day of month, month, day of week, such as '0 9 * * mon-thu'"
_SECOND = timedelta(seconds=1)
# Walking forward the calendar begins after the first of these, walking back after the second.
_FIRST, _LAST = datetime(FIRST_YEAR, 1, 1) - _SECOND, datetime(LAST_YEAR + 1, 1, 1)


def cron_next(expression: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    """The first instant strictly after `after` at which `expression` fires in `zone`, in UTC.

    None when that would be beyond the year 2200. Raises ScheduleError for a wrong expression.
    """
    after = within(after)
    start = shown(after, zone).replace(microsecond=0)
    found = (resolve(wall, zone) for wall in walls(expression, start))
    return next((moment for moment in found if moment > after), None)


def cron_previous(expression: str, zone: ZoneInfo, at_or_before: datetime) -> datetime | None:
    """The last instant up to and including `at_or_before` at which `expression` fires in `zone`, in UTC.

    None when that would be before the year 1970. Raises ScheduleError for a wrong expression.
    """
    at_or_before = within(at_or_before)
    end = latest_shown(at_or_before, zone).replace(microsecond=0) + _SECOND
    found = (resolve(wall, zone) for wall in walls(expression, end, back=True))
    return next((moment for moment in found if moment <= at_or_before), None)


def walls(expression: str, beyond: datetime, back: bool = False) -> Iterator[datetime]:
    """The wall times that match, in order from `beyond` (not included) up to 2200, or back to 1970."""
    from cronsim import CronSim

    check_cron(expression)
    inside = min(beyond, _LAST) if back else max(beyond, _FIRST)
    for wall in CronSim(expression, inside, reverse=back):
        if not FIRST_YEAR <= wall.year <= LAST_YEAR:
            return
        yield wall


@lru_cache(maxsize=1024)
def check_cron(expression: str) -> None:
    """Raises ScheduleError, saying which field is wrong, unless `expression` has five sound fields."""
    from cronsim import CronSim, CronSimError

    if not _ALLOWED.fullmatch(expression):
        raise ScheduleError(f"{quoted(expression)} is not a cron expression", f"write five fields: {_FIELDS}")
    if (count := len(expression.split())) != 5:
        raise ScheduleError(f"the cron expression {quoted(expression)} has {count} fields", f"write five: {_FIELDS}")
    try:
        CronSim(expression, datetime(FIRST_YEAR, 1, 1))
    except (CronSimError, ValueError, AssertionError) as error:
        raise ScheduleError(
            f"the cron expression {quoted(expression)} is wrong: {error}", f"the fields are {_FIELDS}"
        ) from None
