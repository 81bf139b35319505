"""What is declared, recorded and planned of an app, all in one value?

Reads the store with the very code that the daemon plans with, so that what is shown is what it will do.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from reconciler.desired import Desired
from reconciler.model.app import App
from reconciler.model.environment import LATEST, Environment
from reconciler.model.plan import Plan
from reconciler.model.season import Season
from reconciler.planner.plan import plan
from reconciler.planner.recorded import EnvironmentRecord, RecordedApp
from reconciler.store import declared
from reconciler.store.recorded import load
from reconciler.views.planning import (
    declared_environments,
    declared_seasons,
    manifests,
    references_of,
    wanted_of,
)

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What all apps share: the environments and seasons in force."""

    environments: Mapping[str, Environment]
    seasons: Sequence[Season]

    def depth(self, environment: str) -> int:
        """How far along the chain an environment is: what tracks the branch comes first."""
        seen: list[str] = []
        while environment in self.environments and environment not in seen:
            seen.append(environment)
            environment = self.environments[environment].spec.track
        return len(seen) if environment == LATEST else len(seen) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One app. `app` is None once it has left git; `row` is its row of the store."""

    name: str
    app: App | None
    row: Any
    recorded: RecordedApp
    wanted: Mapping[str, Desired]
    plan: Plan
    scene: Scene

    def record(self, environment: str) -> EnvironmentRecord:
        """What is recorded of an environment, which may be nothing yet."""
        found = self.recorded.environments.get(environment)
        return found or EnvironmentRecord(environment=environment, declared=True, touch=None)

    @property
    def environments(self) -> list[str]:
        """Where it should run or runs, along the chain."""
        left = (name for name, record in self.recorded.environments.items() if record.active or _runs_something(record))
        return sorted({*self.wanted, *left}, key=lambda name: (self.scene.depth(name), name))


def _runs_something(record: EnvironmentRecord) -> bool:
    return record.running is not None and bool(record.running.traffic)


def scene(connection: Connection) -> Scene:
    """What is in force for all apps."""
    return Scene(environments=declared_environments(connection), seasons=declared_seasons(connection))


def pictures(connection: Connection, names: Sequence[str], now: datetime) -> Iterator[Picture]:
    """These apps as they stand, and as they are to be at `now` (UTC); those that nobody knows are left out."""
    common = scene(connection)
    for start in range(0, len(names), BATCH):
        yield from _several(connection, names[start : start + BATCH], common, now)


def _several(connection: Connection, names: Sequence[str], common: Scene, now: datetime) -> Iterator[Picture]:
    rows = declared.apps(connection, names)
    apps = manifests(connection, [name for name in names if name in rows])
    references = {name: references_of(app, common.seasons) for name, app in apps.items() if app}
    recorded = load(connection, list(apps), references)
    for name in names:
        if name not in recorded:
            continue
        wanted = wanted_of(apps[name], common.environments, common.seasons, now)
        yield Picture(
            name=name,
            app=apps[name],
            row=rows[name],
            recorded=recorded[name],
            wanted=wanted,
            plan=plan(apps[name], wanted, common.environments, recorded[name], now),
            scene=common,
        )
