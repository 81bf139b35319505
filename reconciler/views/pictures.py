"""What is declared, recorded and planned of an app, all in one value?

Reads the store with the very code that the daemon plans with, so that what is shown is what it will do.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from reconciler.desired import Desired
from reconciler.model.app import App
from reconciler.model.deployment import Deployment
from reconciler.model.output import Wait
from reconciler.model.plan import Plan
from reconciler.planner.recorded import EnvironmentRecord, RecordedApp
from reconciler.store import elsewhere
from reconciler.views import reported
from reconciler.views.planning import sides_planned
from reconciler.views.scene import Scene, scene_of

BATCH = 500
_Told = TypeVar("_Told")


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
    elsewhere: Mapping[str, Deployment] = field(default_factory=dict)
    """What was reported to have started, made elsewhere, and has not ended; by environment."""
    starts: Mapping[str, Sequence[Wait]] = field(default_factory=dict)
    """What starts that were reported from elsewhere wait for; by environment."""

    def record(self, environment: str) -> EnvironmentRecord:
        """What is recorded of an environment, which may be nothing yet."""
        return self.recorded.record(environment)

    @property
    def environments(self) -> list[str]:
        """Where it should run or runs, along the chain."""
        left = (name for name, record in self.recorded.environments.items() if record.active or _runs_something(record))
        return sorted({*self.wanted, *left}, key=lambda name: (self.scene.depth(name), name))


def _runs_something(record: EnvironmentRecord) -> bool:
    return record.running is not None and bool(record.running.traffic)


def pictures(connection: Connection, names: Sequence[str], now: datetime, *, near: bool = False) -> Iterator[Picture]:
    """These apps as they stand, and as they are to be at `now` (UTC); those that nobody knows are left out.

    `near`: what is recorded need not reach back further than the plans need it to: who looks at it then has to expect
    FurtherBack.
    """
    common = scene_of(connection)
    for start in range(0, len(names), BATCH):
        yield from _several(connection, names[start : start + BATCH], common, now, near)


def _several(
    connection: Connection, names: Sequence[str], common: Scene, now: datetime, near: bool
) -> Iterator[Picture]:
    sides = sides_planned(connection, names, common, now, near=near)
    started, waits = _by_app(elsewhere.started(connection, names)), _by_app(reported.waits(connection, names, now))
    for name in names:
        if name not in sides:
            continue
        side, planned = sides[name]
        yield Picture(
            name=name,
            app=side.app,
            row=side.row,
            recorded=side.recorded,
            wanted=side.wanted,
            plan=planned,
            scene=common,
            elsewhere=started.get(name, {}),
            starts=waits.get(name, {}),
        )


def _by_app(found: Mapping[tuple[str, str], _Told]) -> dict[str, dict[str, _Told]]:
    """What is known by app and environment, app by app."""
    by: dict[str, dict[str, _Told]] = {}
    for (app, environment), one in found.items():
        by.setdefault(app, {})[environment] = one
    return by
