"""What will change, and when, without a new commit?

Nobody fires a season or a scheduled entry: what should run is a function of the moment, so the future is computed by
asking it at each of its edges.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from reconciler import schedule
from reconciler.desired import Choice, Desired, Latest, Pinned, Tracked, desired, effective
from reconciler.model.app import App
from reconciler.model.output import Edge
from reconciler.model.season import Season
from reconciler.model.version import canonical
from reconciler.store import interventions
from reconciler.views.pictures import BATCH
from reconciler.views.scene import Scene, manifests, scene_of

MOST = 10_000
"""Entries of one forecast; what comes later is left out."""


def forecast(connection: Connection, names: Sequence[str], now: datetime, until: datetime) -> list[Edge]:
    """What will change for these apps after `now`, up to and at `until` (UTC), in order of time."""
    common = scene_of(connection)
    apps: dict[str, App] = {}
    pauses: list[Edge] = []
    for start in range(0, len(names), BATCH):
        part = names[start : start + BATCH]
        apps |= {name: app for name, app in manifests(connection, part).items() if app is not None}
        pauses += _asked_pauses(connection, part, apps, now, until)
    found = [*islice(_in_order(apps, common, now, until), MOST), *pauses]
    return sorted(found, key=lambda edge: (edge.at, edge.app, edge.environment, edge.cause))[:MOST]


def _in_order(apps: Mapping[str, App], common: Scene, now: datetime, until: datetime) -> Iterator[Edge]:
    """Every edge, the earliest first: however far somebody looks ahead, only as much is computed as is taken."""
    ahead: list[tuple[datetime, str, str]] = []
    states: dict[tuple[str, str], Desired] = {}

    def look(app: App, environment: str, moment: datetime) -> Desired:
        state = desired(app, common.environments[environment], common.environments, common.seasons, moment)
        states[app.name, environment] = state
        if state.next_edge is not None and state.next_edge <= until:
            heapq.heappush(ahead, (state.next_edge, app.name, environment))
        return state

    for app in apps.values():
        for environment in app.spec.environments:
            if environment in common.environments:
                look(app, environment, now)
    while ahead:
        moment, name, environment = heapq.heappop(ahead)
        before = states[name, environment]
        after = look(apps[name], environment, moment)
        yield from _edges(apps[name], before, after, moment, common.seasons)


def _edges(app: App, before: Desired, after: Desired, moment: datetime, seasons: Sequence[Season]) -> Iterator[Edge]:
    def edge(cause: str, name: str, detail: str) -> Edge:
        return Edge(at=moment, cause=cause, app=app.name, environment=after.environment, name=name, detail=detail)

    difference = _difference(app, before, after)
    was = {(season.name, season.window.start): season for season in before.seasons}
    holds = {(season.name, season.window.start): season for season in after.seasons}
    zones = {season.name: season.spec.timezone for season in seasons}
    for key, season in was.items():
        if key not in holds:
            yield edge("season-end", season.name, difference)
    for key, season in holds.items():
        if key not in was:
            ends = _local(season.window.until, zones.get(season.name))
            yield edge("season-start", season.name, f"until {ends}: {difference}")
    if after.scheduled_at != before.scheduled_at:
        yield edge("schedule", "", difference)
    if before.pause is not None and after.pause is None:
        yield edge("pause-end", "", f"the pause of {before.pause.by} ends: {before.pause.reason}")


def _local(moment: datetime, timezone: str | None) -> str:
    """A moment as the season's own clocks show it, and in UTC."""
    here = moment.astimezone(schedule.zone(timezone or "UTC"))
    if not here.utcoffset():
        return f"{here:%Y-%m-%d %H:%M} UTC"
    return f"{here:%Y-%m-%d %H:%M %Z} ({moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC)"


def _difference(app: App, before: Desired, after: Desired) -> str:
    parts = []
    if before.choice != after.choice:
        parts.append(f"{chosen(before.choice)} → {chosen(after.choice)}")
    own = app.spec.config
    parts += _changes(effective(own, before.config), effective(own, after.config))
    return "; ".join(parts) or "nothing changes, since another layer covers it"


def chosen(choice: Choice) -> str:
    """What a choice says, in words."""
    match choice:
        case Latest():
            return "the newest content"
        case Tracked():
            return f"what completed in {choice.environment}"
        case Pinned():
            if len(choice.shares) == 1 and choice.shares[0].percent == 100:
                return choice.shares[0].version
            return ", ".join(f"{share.version} {share.percent:g} %" for share in choice.shares)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[str]:
    for key in sorted({*before, *after}):
        if key not in before:
            yield f"{key} = {_brief(after[key])}"
        elif key not in after:
            yield f"{key} goes"
        elif before[key] != after[key]:
            yield f"{key}: {_brief(before[key])} → {_brief(after[key])}"


def _brief(value: Any) -> str:
    text = canonical(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _asked_pauses(
    connection: Connection, names: Sequence[str], apps: Mapping[str, App], now: datetime, until: datetime
) -> Iterator[Edge]:
    """Ends of the pauses that people asked for besides git."""
    for wish in interventions.open_for(connection, list(names)):
        if wish.kind != "pause" or wish.until is None or not now < wish.until <= until:
            continue
        app = apps.get(wish.app)
        everywhere = list(app.spec.environments) if app else []
        for environment in [wish.environment] if wish.environment else everywhere:
            yield Edge(
                at=wish.until,
                cause="pause-end",
                app=wish.app,
                environment=environment,
                name="",
                detail=f"the pause of {wish.actor} ends: {wish.reason}",
            )
