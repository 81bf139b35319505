"""How do six weeks look: seasons and freezes as bars over their days, trains and schedules as points in one?

Days are those of the page's clock. Bars of a week lie in lanes, so that each keeps its height over its days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from reconciler import freezing, schedule
from reconciler.api.dashboard.clocks import Clocks
from reconciler.model.season import Freeze, Season
from reconciler.model.shape import Labels
from reconciler.views.scene import Scene

WEEKS = 6
LANES, POINTS = 4, 3
MOST_BANDS = 200
"""Bars and points of a day that are drawn; the agenda has them all."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A season or freeze while it holds, from its first day to its last."""

    kind: Literal["season", "freeze"]
    name: str
    about: str
    """Whose, or where."""
    start: datetime
    until: datetime
    first: date
    last: date

    @property
    def label(self) -> str:
        """In a bar."""
        return f"{self.kind} {self.name} · {self.about}" if self.about else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A band on one day; `band` is None where another lane of the day is used and this one is not."""

    band: Band | None = None
    begins: bool = False
    ends: bool = False
    labelled: bool = False
    wide: bool = False
    """Whether the label may run on over the days that follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Something that happens at a moment."""

    at: datetime
    label: str
    state: str = ""
    frozen: bool = False
    """Whether a freeze stops it."""


@dataclass(slots=True)
class Day:
    """One day of the page's clock."""

    day: date
    bars: list[Bar] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    more: int = 0
    """What is not drawn of it."""


def beginning(asked: str, clocks: Clocks) -> date:
    """The Monday of the week that is asked for, as `YYYY-MM-DD`; of this week where that is no date nearby."""
    today = clocks.local(clocks.now).date()
    try:
        found = date.fromisoformat(asked) if asked else today
    except ValueError:
        found = today
    if abs((found - today).days) > 3650:
        found = today
    return found - timedelta(days=found.weekday())


def edges(first: date, clocks: Clocks) -> tuple[datetime, datetime]:
    """The moments between which the six weeks lie (UTC)."""
    days = (first, first + timedelta(weeks=WEEKS))
    start, end = (schedule.instant(f"{day}T00:00", clocks.zone.key) for day in days)
    return start, end


def bands(scene: Scene, app: str, labels: Labels, environment: str, first: date, clocks: Clocks) -> list[Band]:
    """Seasons and freezes that touch the six weeks, the longest-running first; '' for every app or environment."""
    after, before = edges(first, clocks)
    found = [
        _band("freeze", freeze.name, ", ".join(freeze.spec.environments), window, clocks)
        for freeze in scene.freezes
        if _wanted(freeze, app, labels, environment)
        for window in schedule.windows(freeze.spec.span, after, before)
    ]
    found += [
        _band("season", season.name, _about(season), window, clocks)
        for season in scene.seasons
        if _wanted(season, app, labels, environment)
        for window in freezing.season_windows(season, scene.freezes, after, before)
    ]
    return sorted(found, key=lambda band: (band.first, band.kind, band.name))[:MOST_BANDS]


def _wanted(one: Freeze | Season, app: str, labels: Labels, environment: str) -> bool:
    here = not environment or environment in one.spec.environments
    return here and (not app or one.covers(app, labels))


def _about(season: Season) -> str:
    apps = season.spec.apps
    if isinstance(apps, tuple):
        return ", ".join(apps[:2]) + (f" and {len(apps) - 2} more" if len(apps) > 2 else "")
    return ", ".join(f"{key} {value}" for key, value in apps.items())


def _band(kind: Literal["season", "freeze"], name: str, about: str, window: schedule.Window, clocks: Clocks) -> Band:
    start, until = window.start, window.until
    # What ends at midnight does not hold on the day that begins then.
    last = clocks.local(until - timedelta(microseconds=1)).date()
    first = clocks.local(start).date()
    return Band(kind=kind, name=name, about=about, start=start, until=until, first=first, last=max(first, last))


def weeks(first: date, found: Iterable[Band], points: Iterable[Point], clocks: Clocks) -> list[list[Day]]:
    """The six weeks."""
    by_day: dict[date, list[Point]] = {}
    for point in points:
        by_day.setdefault(clocks.local(point.at).date(), []).append(point)
    several = list(found)
    return [_week(first + timedelta(weeks=number), several, by_day) for number in range(WEEKS)]


def _week(monday: date, found: Sequence[Band], points: dict[date, list[Point]]) -> list[Day]:
    days = [monday + number * _DAY for number in range(7)]
    lanes: list[list[Band]] = []
    left: list[Band] = []
    for band in found:
        if band.last < days[0] or band.first > days[-1]:
            continue
        lane = next((lane for lane in lanes if lane[-1].last < band.first), None)
        if lane is not None:
            lane.append(band)
        elif len(lanes) < LANES:
            lanes.append([band])
        else:
            left.append(band)
    return [_day(day, monday, lanes, left, sorted(points.get(day, ()), key=lambda point: point.at)) for day in days]


def _day(day: date, monday: date, lanes: list[list[Band]], left: list[Band], points: list[Point]) -> Day:
    bars = list(_bars(day, monday, lanes))
    while bars and bars[-1].band is None:
        bars.pop()
    hidden = sum(band.first <= day <= band.last for band in left)
    return Day(day=day, bars=bars, points=points[:POINTS], more=max(0, len(points) - POINTS) + hidden)


def _bars(day: date, monday: date, lanes: list[list[Band]]) -> Iterator[Bar]:
    for lane in lanes:
        band = next((one for one in lane if one.first <= day <= one.last), None)
        if band is None:
            yield Bar()
            continue
        labelled = day == max(band.first, monday)
        room = (min(band.last, monday + 6 * _DAY) - day).days
        yield Bar(
            band=band, begins=day == band.first, ends=day == band.last, labelled=labelled, wide=labelled and room > 0
        )
