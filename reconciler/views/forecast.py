"""What will change, and when, without a new commit?

Nobody fires a season, a freeze, a train or a scheduled entry: what should run is a function of the moment, so the
future is computed by asking it at each of its edges. What then is deployed depends on what runs by then, and is asked
of a rehearsal (`plan --until`).
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection

from reconciler import freezing, schedule
from reconciler.desired import Desired, desired
from reconciler.git.objects import Objects
from reconciler.model.app import App
from reconciler.model.entry import EnvironmentEntry, Train
from reconciler.model.output import Edge
from reconciler.model.season import Freeze
from reconciler.store import interventions
from reconciler.views.cancelling import Ways
from reconciler.views.edges import Known, chosen, local
from reconciler.views.pictures import BATCH
from reconciler.views.scene import Scene, manifests, scene_of
from reconciler.views.sources import Sources

__all__ = ["DEPARTURES", "MOST", "Forecast", "chosen", "forecast"]

MOST = 10_000
"""Entries of one forecast besides the trains', and as many of those; what comes later is left out, and that is told."""
DEPARTURES = 31
"""Of each train in each place: one may leave every minute, and is not to crowd out what comes once."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will change, in order of time, and what of it is left out."""

    edges: list[Edge]
    ends_at: datetime | None = None
    """From when on seasons, freezes, schedules and pauses are left out, since there are too many (UTC)."""
    trains: bool = False
    """Whether departures of trains are left out."""

    @property
    def left_out(self) -> list[str]:
        """What is not in it, in words."""
        said = []
        if self.ends_at is not None:
            said.append(
                f"there is more than {MOST:,} entries: what changes after {self.ends_at:%Y-%m-%d %H:%M} UTC is left "
                "out, except trains; name an app, or an earlier --until"
            )
        if self.trains:
            said.append(
                f"release trains leave more often than is shown: at most the next {DEPARTURES} departures of each, "
                f"{MOST:,} of all"
            )
        return said


def forecast(
    connection: Connection, names: Sequence[str], now: datetime, until: datetime, objects: Objects | None = None
) -> Forecast:
    """What will change for these apps after `now`, up to and at `until` (UTC).

    `objects` tells the lines of what is declared.
    """
    scene, ways = scene_of(connection), Ways(Sources(connection, objects))
    apps: dict[str, App] = {}
    pauses: list[Edge] = []
    for start in range(0, len(names), BATCH):
        part = names[start : start + BATCH]
        apps |= {name: app for name, app in manifests(connection, part).items() if app is not None}
        pauses += _asked_pauses(connection, part, apps, ways, now, until)
    several = (
        _layers(connection, apps, scene, ways, now, until),
        _freezes(apps, scene, ways, now, until),
        iter(sorted(pauses, key=_order)),
    )
    found = list(islice(heapq.merge(*several, key=lambda edge: edge.at), MOST + 1))
    ends_at = found[MOST - 1].at if len(found) > MOST else None
    departures, more = _trains(apps, scene, ways, now, until)
    return Forecast(sorted([*found[:MOST], *departures], key=_order), ends_at, more)


def _order(edge: Edge) -> tuple[datetime, str, str, str, str]:
    return edge.at, edge.app, edge.environment, edge.cause, edge.name


def _layers(
    connection: Connection, apps: Mapping[str, App], scene: Scene, ways: Ways, now: datetime, until: datetime
) -> Iterator[Edge]:
    """Seasons, schedules, experiments and pauses, the earliest first: only as much is computed as is taken."""
    words = Known(connection, {season.name: season.spec.timezone for season in scene.seasons}, ways)
    ahead: list[tuple[datetime, str, str]] = []
    states: dict[tuple[str, str], Desired] = {}

    def look(app: App, environment: str, moment: datetime) -> Desired:
        there = scene.environments[environment]
        state = desired(app, there, scene.environments, scene.seasons, moment, scene.freezes)
        states[app.name, environment] = state
        if state.next_edge is not None and state.next_edge <= until:
            heapq.heappush(ahead, (state.next_edge, app.name, environment))
        return state

    for app, environment in _places(apps, scene):
        look(app, environment, now)
    while ahead:
        moment, name, environment = heapq.heappop(ahead)
        before = states[name, environment]
        yield from words.edges(apps[name], before, look(apps[name], environment, moment))


def _places(apps: Mapping[str, App], scene: Scene) -> Iterator[tuple[App, str]]:
    for app in apps.values():
        for environment in app.spec.environments:
            if environment in scene.environments:
                yield app, environment


def _trains(
    apps: Mapping[str, App], scene: Scene, ways: Ways, now: datetime, until: datetime
) -> tuple[list[Edge], bool]:
    """The next departures of every train, and whether there are more."""
    ahead: list[tuple[datetime, str, str]] = []
    trains: dict[tuple[str, str], Train] = {}
    taken: Counter[tuple[str, str]] = Counter()
    found: list[Edge] = []
    more = False

    def look(app: str, environment: str, moment: datetime) -> None:
        leaves = _departure(trains[app, environment], moment)
        if leaves is not None and leaves <= until:
            heapq.heappush(ahead, (leaves, app, environment))

    for app, environment in _places(apps, scene):
        entry = app.spec.environments[environment]
        train = entry.when or scene.environments[environment].spec.when
        if train is not None and not _stays_pinned(entry):
            trains[app.name, environment] = train
            look(app.name, environment, now)
    while ahead and len(found) < MOST:
        moment, name, environment = heapq.heappop(ahead)
        if taken[name, environment] == DEPARTURES:
            more = True
            continue
        taken[name, environment] += 1
        found.append(_leaving(apps[name], environment, trains[name, environment], moment, ways))
        look(name, environment, moment)
    return found, more or bool(ahead)


def _stays_pinned(entry: EnvironmentEntry) -> bool:
    """Whether an entry names its versions whenever it is: no train takes anything there."""
    named = entry.version or entry.traffic or entry.experiment
    return named is not None and not any(item.track for item in entry.schedule)


def _leaving(app: App, environment: str, train: Train, moment: datetime, ways: Ways) -> Edge:
    way = ways.train(app, environment)
    return Edge(
        at=moment,
        cause="train",
        app=app.name,
        environment=environment,
        name=train.cron or train.at or "",
        detail=f"leaves at {local(moment, train.timezone)} with what has passed every other gate of {environment}",
        cancel=way.said,
        place=way.place,
    )


def _departure(train: Train, moment: datetime) -> datetime | None:
    """The next departure after a moment."""
    if train.at is not None:
        at = schedule.instant(train.at, train.timezone)
        return at if at > moment else None
    return schedule.cron_next(train.cron or "", schedule.zone(train.timezone or "UTC"), moment)


def _freezes(apps: Mapping[str, App], scene: Scene, ways: Ways, now: datetime, until: datetime) -> Iterator[Edge]:
    """Both edges of the freezes that concern any of these apps, once for each environment."""
    several = [
        _of_freeze(freeze, environment, ways, now, until)
        for freeze in scene.freezes
        for environment in sorted(set(freeze.spec.environments) & scene.environments.keys())
        if any(_concerns(freeze, app, environment) for app in apps.values())
    ]
    return heapq.merge(*several, key=lambda edge: edge.at)


def _concerns(freeze: Freeze, app: App, environment: str) -> bool:
    labels = app.metadata.labels
    return environment in app.spec.environments and bool(freezing.concerning([freeze], app.name, labels, environment))


def _of_freeze(freeze: Freeze, environment: str, ways: Ways, now: datetime, until: datetime) -> Iterator[Edge]:
    passes = [f"a {kind}" for kind in dict.fromkeys(("rollback", *freeze.spec.allow))]
    for window in schedule.windows(freeze.spec.span, now, until):
        ends = local(window.until, freeze.spec.timezone)
        starts = f"until {ends} nothing starts but {', '.join(passes)}: {freeze.spec.reason}"
        for at, cause, detail in (
            (window.start, "freeze-start", starts),
            (window.until, "freeze-end", f"what waits for the end of {freeze.name} starts"),
        ):
            if now < at <= until:
                way = ways.freeze(freeze.name)
                yield Edge(
                    at=at,
                    cause=cause,
                    app="",
                    environment=environment,
                    name=freeze.name,
                    detail=detail,
                    cancel=way.said,
                    place=way.place,
                    since=window.start if cause == "freeze-end" else None,
                    until=window.until if cause == "freeze-start" else None,
                )


def _asked_pauses(
    connection: Connection, names: Sequence[str], apps: Mapping[str, App], ways: Ways, now: datetime, until: datetime
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
                cancel=ways.asked_pause(wish.app, environment).said,
            )
