"""When is nothing started, and where do the edges of a season then fall?

Freezes as values: which of them concern an app in an environment, which hold at a moment, when they end, and what a
season's `on_freeze` makes of an edge that falls into one. Whether one deployment passes is the planner's question
(`planner.freezes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler import schedule
from reconciler.model.season import Freeze, Season
from reconciler.model.shape import Labels

_TICK = timedelta(microseconds=1)
_MOST = 100
"""Freezes that follow each other without a gap are walked so far and no further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveFreeze:
    """A freeze that holds at this moment."""

    name: str
    until: datetime
    """When it ends (UTC)."""
    allow: tuple[str, ...]
    reason: str


def concerning(freezes: Sequence[Freeze], app: str, labels: Labels, environment: str) -> tuple[Freeze, ...]:
    """The freezes that are declared for an app in an environment."""
    return tuple(f for f in freezes if environment in f.spec.environments and f.covers(app, labels))


def active(freezes: Sequence[Freeze], now: datetime) -> tuple[ActiveFreeze, ...]:
    """Those of the freezes that hold at `now` (UTC), in the order of their names."""
    found = [(freeze, window) for freeze in freezes if (window := schedule.active(freeze.spec.span, now))]
    return tuple(
        ActiveFreeze(name=freeze.name, until=window.until, allow=freeze.spec.allow, reason=freeze.spec.reason)
        for freeze, window in sorted(found, key=lambda pair: pair[0].name)
    )


def thaw(freezes: Sequence[Freeze], moment: datetime) -> datetime:
    """The first moment from `moment` on at which none of the freezes holds."""
    for _ in range(_MOST):
        ends = [window.until for freeze in freezes if (window := schedule.active(freeze.spec.span, moment))]
        if not ends:
            break
        moment = max(ends)
    return moment


def season_active(season: Season, freezes: Sequence[Freeze], now: datetime) -> schedule.Window | None:
    """The time that a season holds for at `now`, its edges moved as `on_freeze` says."""
    stoppers = _stoppers(season, freezes)
    if not stoppers:
        return schedule.active(season.spec.span, now)
    found = None
    for window in season_windows(season, freezes, now, now + _TICK):
        if window.start <= now < window.until:
            found = window
    return found


def season_next_edge(season: Season, freezes: Sequence[Freeze], now: datetime) -> datetime | None:
    """A moment after `now` before which the season's answer does not change; it may be asked again there."""
    edge = schedule.next_edge(season.spec.span, now)
    open_again = thaw(_stoppers(season, freezes), now)
    moments = [moment for moment in (edge, open_again) if moment is not None and moment > now]
    return min(moments, default=None)


def season_windows(
    season: Season, freezes: Sequence[Freeze], after: datetime, before: datetime
) -> Iterator[schedule.Window]:
    """The times that a season holds and that touch [after, before), its edges moved as `on_freeze` says.

    `apply`: as declared. `wait`: an edge in a freeze comes when the freeze is over. `skip`: a time whose start falls
    into a freeze does not take place at all; an end is carried out in any case, since it belongs to the season.
    """
    stoppers = _stoppers(season, freezes)
    # An end at the very moment at which a freeze begins waits for it too.
    since = _frozen_since(stoppers, after) - _TICK if season.spec.on_freeze == "wait" else after
    for window in schedule.windows(season.spec.span, since, before):
        moved = _moved(season, stoppers, window)
        if moved is not None and moved.start < before and moved.until > after:
            yield moved


def _stoppers(season: Season, freezes: Sequence[Freeze]) -> tuple[Freeze, ...]:
    if season.spec.on_freeze == "apply":
        return ()
    return tuple(freeze for freeze in freezes if "season" not in freeze.spec.allow)


def _moved(season: Season, stoppers: Sequence[Freeze], window: schedule.Window) -> schedule.Window | None:
    if not stoppers:
        return window
    start = thaw(stoppers, window.start)
    if season.spec.on_freeze == "skip":
        return window if start == window.start else None
    until = thaw(stoppers, window.until)
    return schedule.Window(start, until) if start < until else None


def _frozen_since(freezes: Sequence[Freeze], moment: datetime) -> datetime:
    """The start of the freezes that hold one after another up to `moment`; `moment` itself when none does."""
    asked = moment
    for _ in range(_MOST):
        starts = [window.start for freeze in freezes if (window := schedule.active(freeze.spec.span, asked))]
        if not starts:
            break
        moment = min(starts)
        asked = moment - _TICK
    return moment
