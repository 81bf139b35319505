"""Which seasons get in each other's way, or in the way of a freeze, in the years to come?

Two seasons of one priority that hold at once and set the same key leave it to the order of their names what runs:
that is no decision anybody took. Time is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from reconciler import schedule
from reconciler.manifest.problems import Problem
from reconciler.manifest.walk import Field
from reconciler.model.season import Freeze, Season
from reconciler.model.shape import Labels
from reconciler.schedule import Window
from reconciler.words import listed

AHEAD = timedelta(days=3 * 366)

_POLICIES = {
    ("apply", "starts"): "it begins all the same",
    ("apply", "ends"): "it ends all the same",
    ("wait", "starts"): "it begins when the freeze is over, at {over}",
    ("wait", "ends"): "it goes on until the freeze is over, at {over}",
    ("skip", "starts"): "this time it does not take place",
    ("skip", "ends"): "it ends all the same",
}


def check_seasons(seasons: Iterable[Season], apps: Mapping[str, Labels], now: datetime) -> list[Problem]:
    """Pairs of seasons that set the same thing of one app at one time and one priority, from `now` on.

    `apps` has the labels of every App. Each pair is told once, at the season that starts later.
    """
    by_priority: dict[int, list[Season]] = {}
    for season in seasons:
        by_priority.setdefault(season.spec.priority, []).append(season)
    return [problem for several in by_priority.values() for problem in _pairs(several, apps, now)]


def check_freezes(
    seasons: Iterable[Season], freezes: Sequence[Freeze], apps: Mapping[str, Labels], now: datetime
) -> list[Problem]:
    """Seasons that start or end inside a freeze of the same place, from `now` on: a warning for each pair.

    `apps` has the labels of every App. A freeze that lets seasons pass is none to them.
    """
    stopping = [freeze for freeze in freezes if "season" not in freeze.spec.allow]
    found = []
    for season in seasons if stopping else ():
        for freeze in stopping:
            if _meet(season, freeze, apps):
                found += list(_edges_inside(season, freeze, now))
    return found


def _meet(season: Season, freeze: Freeze, apps: Mapping[str, Labels]) -> bool:
    """Whether a season and a freeze concern one app in one environment."""
    if set(freeze.spec.environments).isdisjoint(season.spec.environments):
        return False
    return any(_covers(season, app, apps) and freeze.covers(app, labels) for app, labels in apps.items())


def _pairs(seasons: Sequence[Season], apps: Mapping[str, Labels], now: datetime) -> Iterator[Problem]:
    """One walk over all windows in order of time, each compared with those that are still open."""
    if len(seasons) < 2:
        return
    several = [(window, season) for season in seasons for window in _windows(season, now)]
    several.sort(key=lambda pair: (pair[0].start, pair[1].name))
    still_open: list[tuple[Window, Season]] = []
    compared: set[tuple[str, str]] = set()
    for window, season in several:
        still_open = [pair for pair in still_open if pair[0].until > window.start]
        for _, other in still_open:
            names = (min(season.name, other.name), max(season.name, other.name))
            if other is not season and names not in compared:
                compared.add(names)
                yield from _conflict(season, other, apps, window)
        still_open.append((window, season))


def _conflict(season: Season, other: Season, apps: Mapping[str, Labels], window: Window) -> Iterator[Problem]:
    environments = [name for name in season.spec.environments if name in other.spec.environments]
    same = _same(season, other)
    if not environments or not same or not _same_app(season, other, apps):
        return
    what = listed(str(field[-1]) for field in same[:5])
    message = (
        f"{season.name} and {other.name} have one priority and both set {what} in {listed(environments)}"
        f" from {schedule.to_the_second(window.start)} on"
    )
    remedy = "give one of them a higher priority, or another time"
    yield Problem("Season", season.name, same[0], message, remedy)


def _same(season: Season, other: Season) -> list[Field]:
    """The fields of `season` that `other` sets too."""
    same: list[Field] = [("spec", "config", key) for key in season.spec.config if key in other.spec.config]
    if other.spec.version is not None or other.spec.traffic is not None:
        same += [("spec", "version")] if season.spec.version is not None else []
        same += [("spec", "traffic")] if season.spec.traffic is not None else []
    return same


def _same_app(season: Season, other: Season, apps: Mapping[str, Labels]) -> bool:
    names = [spec.apps for spec in (season.spec, other.spec) if isinstance(spec.apps, tuple)]
    candidates = names[0] if names else apps
    return any(_covers(season, app, apps) and _covers(other, app, apps) for app in candidates)


def _covers(season: Season, app: str, apps: Mapping[str, Labels]) -> bool:
    return season.covers(app, apps.get(app, {}))


def _edges_inside(season: Season, freeze: Freeze, now: datetime) -> Iterator[Problem]:
    """The first edge that falls into the freeze, and what `on_freeze` makes of it."""
    for window in _windows(season, now):
        for edge, moment in (("starts", window.start), ("ends", window.until)):
            frozen = schedule.active(freeze.spec.span, moment) if moment >= now else None
            if frozen is not None:
                policy = _POLICIES[season.spec.on_freeze, edge].format(over=schedule.to_the_second(frozen.until))
                at = schedule.to_the_second(moment)
                message = f"{season.name} {edge} at {at}, in the freeze {freeze.name}: on_freeze is"
                message = f"{message} {season.spec.on_freeze}, so {policy}"
                yield Problem("Season", season.name, _place(season, edge), message, _REMEDY, "warning")
                return


_REMEDY = "move one of the two, or choose another on_freeze"


def _place(season: Season, edge: str) -> Field:
    if season.spec.start is None:
        return ("spec", "repeat", "from" if edge == "starts" else "until")
    return ("spec", "from" if edge == "starts" else "until")


def _windows(season: Season, now: datetime) -> Iterator[Window]:
    return schedule.windows(season.spec.span, now, now + AHEAD)
