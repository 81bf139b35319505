"""What is the plan of these apps, with everything read fresh from the store?

Reads the declared and the recorded side and asks the planner. Used by the daemon's turn and, in a transaction
that is rolled back, by the dry run: the plan that is shown is made by the code that carries it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from reconciler.desired import Desired, Tracked, desired
from reconciler.model.app import App
from reconciler.model.entry import EnvironmentEntry, ScheduleEntry
from reconciler.model.environment import Environment
from reconciler.model.plan import Plan
from reconciler.model.season import Season
from reconciler.planner.plan import plan
from reconciler.planner.recorded import RecordedApp
from reconciler.store import declared
from reconciler.store.passing import Line, Needs
from reconciler.store.recorded import load
from reconciler.views.scene import Scene, declared_freezes, declared_seasons, manifests_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What is declared of one app and what is recorded of it. `app` is None once it has left git."""

    app: App | None
    row: Any
    wanted: Mapping[str, Desired]
    recorded: RecordedApp


def plan_apps(
    connection: Connection, names: Sequence[str], environments: Mapping[str, Environment], now: datetime
) -> Iterator[dict[str, Plan]]:
    """The plans of these apps at `now` (UTC) by name, in groups: what others depend on comes in an earlier one.

    Read lazily: the caller writes a group's intents down before it asks for the next.
    """
    scene = Scene(environments, declared_seasons(connection), declared_freezes(connection))
    for group in _in_order(connection, names):
        yield _group(connection, group, scene, now)


def _group(
    connection: Connection,
    names: Sequence[str],
    scene: Scene,
    now: datetime,
) -> dict[str, Plan]:
    sides = both_sides(connection, names, scene, now)
    return {name: side_plan(sides.get(name), name, scene, now) for name in names}


def side_plan(side: Side | None, name: str, scene: Scene, now: datetime) -> Plan:
    """The plan of an app at `now` (UTC); of one that nobody knows it is empty."""
    if side is None:
        return plan(None, {}, scene.environments, RecordedApp(app=name, content=None, content_touch=None), now)
    return plan(side.app, side.wanted, scene.environments, side.recorded, now)


def both_sides(connection: Connection, names: Sequence[str], scene: Scene, now: datetime) -> dict[str, Side]:
    """What is declared and what is recorded of these apps at `now` (UTC); those that nobody knows are left out."""
    rows = declared.apps(connection, names)
    apps = manifests_of(rows)
    wanted = {name: wanted_of(app, scene, now) for name, app in apps.items()}
    references = {name: references_of(app, scene.seasons) for name, app in apps.items() if app}
    recorded = load(connection, list(apps), references, rows, needs_of(wanted))
    return {
        name: Side(app=app, row=rows[name], wanted=wanted[name], recorded=recorded[name])
        for name, app in apps.items()
        if name in recorded
    }


def needs_of(wanted: Mapping[str, Mapping[str, Desired]]) -> Needs:
    """What gates, freezes and holds ask to be known of these apps besides."""
    every = [one for by_environment in wanted.values() for one in by_environment.values()]
    gated = [one for one in every if one.gates is not None or one.train is not None]
    return Needs(
        lines=tuple(_line(one, one.base_choice) for one in gated if isinstance(one.base_choice, Tracked)),
        versions=bool(gated) or any(one.freezes for one in every),
        signed=any(one.gates is not None and one.gates.signed for one in gated),
    )


def _line(wanted: Desired, choice: Tracked) -> Line:
    leaves = wanted.train.last if wanted.train and wanted.train.last else wanted.at
    soak = wanted.gates.soak if wanted.gates and wanted.gates.soak else timedelta()
    return Line(app=wanted.app, environment=choice.environment, moment=leaves - soak)


def wanted_of(app: App | None, scene: Scene, now: datetime) -> dict[str, Desired]:
    """What should run of an app in each of its environments."""
    if app is None:
        return {}
    known = [scene.environments[name] for name in app.spec.environments if name in scene.environments]
    return {one.name: desired(app, one, scene.environments, scene.seasons, now, scene.freezes) for one in known}


def references_of(app: App, seasons: Sequence[Season]) -> set[str]:
    """Every version reference that can concern an app."""
    found: set[str | None] = set()
    for entry in app.spec.environments.values():
        if entry.experiment:
            found |= {entry.experiment.control, entry.experiment.variant}
        parts: list[EnvironmentEntry | ScheduleEntry] = [entry, *entry.schedule]
        for part in parts:
            found.add(part.version)
            found.update(share.version for share in part.traffic or ())
    for season in seasons:
        if season.covers(app.name, app.metadata.labels):
            found.add(season.spec.version)
            found.update(share.version for share in season.spec.traffic or ())
    return {reference for reference in found if reference}


def _in_order(connection: Connection, names: Sequence[str]) -> Iterator[list[str]]:
    """The names in groups, so that an app stands in a later group than what it depends on."""
    needs = declared.depends_on(connection, names) if len(names) > 1 else {}
    left = set(names)
    while left:
        ready = [
            name for name in names if name in left and not any(on in left and on != name for on in needs.get(name, []))
        ]
        group = ready or sorted(left)  # a cycle has been complained about: any order will do
        yield group
        left -= set(group)
