"""Which UTC instant does a wall clock in a time zone mean?

One rule for every place and every clock change: a wall time means the first instant at which the clocks
there show it or have gone past it. So a time that a change skips is the first instant after the gap, and
one that occurs twice is the first of the two. It follows that a later wall time is never an earlier instant.

The zones come from the `tzdata` package alone, never from the machine, so that a laptop and a server with
the same lock file agree about every instant. Text is not read here.
"""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from functools import lru_cache
from io import BytesIO
from zoneinfo import ZoneInfo

from reconciler.errors import ScheduleError
from reconciler.words import nearest, quoted

FIRST_YEAR, LAST_YEAR = 1970, 2200
# Further out than any window: spans start from 1970 to 2200, and none is longer than that.
DAWN, DUSK = datetime(FIRST_YEAR - 1, 1, 1, tzinfo=UTC), datetime(LAST_YEAR + 300, 1, 1, tzinfo=UTC)
_LONGEST_NAME = 64
_SECOND = timedelta(seconds=1)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The time zone with this name of the tz database.

    Raises ScheduleError for any other name, with the nearest one that exists.
    """
    if len(name) > _LONGEST_NAME or name not in _names():
        meant = _meant(name)
        remedy = f"did you mean {meant}?" if meant else "use a name such as Europe/Paris or UTC"
        raise ScheduleError(f"there is no time zone {quoted(name)}", remedy)
    return ZoneInfo.from_file(BytesIO(_packaged(f"zoneinfo/{name}")), key=name)


def resolve(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, that the wall time `wall` (without offset) means in `zone`.

    A wall time that a clock change skips means the first instant after the gap, one that occurs twice the
    first of the two. Raises ScheduleError when `wall` has an offset or lies at an end of the calendar.
    """
    if wall.tzinfo is not None:
        raise ScheduleError(f"{wall.isoformat()} has an offset", "pass a wall time without one")
    if not MINYEAR < wall.year < MAXYEAR:
        raise ScheduleError(f"{wall.isoformat()} is too far away", f"years go up to {LAST_YEAR}")
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if shown(moment, zone) == wall:
        return moment
    return _after_gap(wall, zone)


def shown(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks in `zone` show at `moment`: a wall time, with `fold` 1 while it is shown again."""
    return moment.astimezone(zone).replace(tzinfo=None)


def latest_shown(moment: datetime, zone: ZoneInfo) -> datetime:
    """The wall time that the clocks in `zone` had not gone past by `moment`: the end of a repeated hour."""
    here = shown(moment, zone)
    if not here.fold:
        return here
    first, second = (here.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    return here.replace(fold=0) + max(first - second, timedelta())


def aware(moment: datetime) -> datetime:
    """`moment` in UTC. Raises ScheduleError when it has no offset: it would mean the zone of this machine."""
    if moment.tzinfo is None:
        raise ScheduleError(f"{moment.isoformat()} has no offset", "give one, such as Z for UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ScheduleError(f"{moment.isoformat()} is no date in UTC", "give a moment of our time") from None


def within(moment: datetime) -> datetime:
    """`moment` in UTC, moved to `DAWN` or `DUSK` when beyond them. Raises ScheduleError without offset."""
    return min(max(aware(moment), DAWN), DUSK)


def _after_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which the clocks have gone past `wall`, which they never show.

    Reading the wall time by the offset after the change and by the one before gives an instant on either
    side of the change; changes happen at whole seconds, so halving the seconds between them finds it.
    """
    whole = wall.replace(microsecond=0)
    low, high = sorted(whole.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    low, high = low - _SECOND, high + _SECOND
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        if shown(middle, zone) >= wall:
            high = middle
        else:
            low = middle
    return high


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(_packaged("zones").decode().split())


def _packaged(path: str) -> bytes:
    import pkgutil

    data = pkgutil.get_data("tzdata", path)
    if data is None:
        raise ScheduleError("the time zone data is missing", "install the package tzdata")
    return data


def _meant(name: str) -> str | None:
    """The zone that a wrong name probably means; 'paris' is the last part of one."""
    # Left out: Etc/GMT+1 and its like, which lie on the other side of Greenwich than their names say.
    places = [known for known in sorted(_names()) if "/" in known and not known.startswith("Etc/")]
    cities = {known.rpartition("/")[2].casefold(): known for known in reversed(places)}
    return cities.get(name.replace(" ", "_").casefold()) or nearest(name, ["UTC", *places])
