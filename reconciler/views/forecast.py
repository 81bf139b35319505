"""What will change, and when, without a new commit?

Nobody fires a season or a scheduled entry: what should run is a function of the moment, so the future is computed by
asking it at each of its edges.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
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
from reconciler.views.pictures import BATCH, Scene, scene
from reconciler.views.planning import manifests

MOST = 10_000
"""Entries of one forecast; what comes later is left out."""


def forecast(connection: Connection, names: Sequence[str], now: datetime, until: datetime) -> list[Edge]:
    """What will change for these apps after `now`, up to and at `until` (UTC), in order of time."""
    common = scene(connection)
    found: list[Edge] = []
    for start in range(0, len(names), BATCH):
        part = names[start : start + BATCH]
        for app in manifests(connection, part).values():
            if app is not None:
                found += islice(_of_app(app, common, now, until), MOST)
        found += _asked_pauses(connection, part, now, until)
    return sorted(found, key=lambda edge: (edge.at, edge.app, edge.environment, edge.cause))[:MOST]


def _of_app(app: App, common: Scene, now: datetime, until: datetime) -> Iterator[Edge]:
    for name in app.spec.environments:
        environment = common.environments.get(name)
        if environment is None:
            continue
        before = desired(app, environment, common.environments, common.seasons, now)
        while before.next_edge is not None and before.next_edge <= until:
            moment = before.next_edge
            after = desired(app, environment, common.environments, common.seasons, moment)
            yield from _edges(app, before, after, moment, common.seasons)
            before = after


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
    """A moment as the season's own clocks show it."""
    zone = schedule.zone(timezone or "UTC")
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


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


def _asked_pauses(connection: Connection, names: Sequence[str], now: datetime, until: datetime) -> Iterator[Edge]:
    """Ends of the pauses that people asked for besides git."""
    apps = manifests(connection, names)
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
