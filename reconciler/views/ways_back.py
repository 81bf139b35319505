"""Which way back does an app have in an environment, if a person wants to go back now?

Asked by whoever wants to know beforehand, and by the daemon when it acts on the wish.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from reconciler.desired import Desired
from reconciler.errors import GitError
from reconciler.model.deployment import Allotment
from reconciler.model.environment import EnvironmentSpec
from reconciler.model.traffic import versions_in
from reconciler.model.version import Version
from reconciler.planner.going_back import NoWay, WayBack, way_back
from reconciler.planner.recorded import EnvironmentRecord, FurtherBack, Newest, RecordedApp
from reconciler.store import deployments, interventions, repository
from reconciler.views.planning import both_sides
from reconciler.views.scene import Scene

NEAR, FURTHEST = 20, 2_000
"""So many deployments are looked back at; further than the near ones only where the way is not found among them."""


@dataclass(frozen=True, slots=True)
class _Here:
    """An app where it is to go back, with its newest deployments."""

    wanted: Desired
    recorded: RecordedApp
    record: EnvironmentRecord
    spec: EnvironmentSpec

    def way(self, version: Version | None) -> WayBack | NoWay:
        """Raises FurtherBack."""
        known = {version.id: version} if version else {}
        recorded = replace(self.recorded, versions={**self.recorded.versions, **known})
        return way_back(self.wanted, recorded, self.record, self.spec, version)


def find_way(
    connection: Connection, scene: Scene, app: str, environment: str, version: Version | None, now: datetime
) -> WayBack | NoWay:
    """The way back to `version`, None for what ran well before."""
    here = _here(connection, scene, app, environment, now)
    if isinstance(here, NoWay):
        return here
    try:
        return here.way(version)
    except FurtherBack:
        every = deployments.Filter(app=app, environment=environment, limit=FURTHEST)
        recent = tuple(deployments.listed(connection, every))
        return replace(here, record=replace(here.record, recent=recent)).way(version)


def open_ways(
    connection: Connection, scene: Scene, app: str, environment: str, several: Sequence[Version], now: datetime
) -> list[Version]:
    """Those of these versions to which a way back is open, as far as the near deployments tell."""
    here = _here(connection, scene, app, environment, now)
    return [] if isinstance(here, NoWay) else [one for one in several if _is_open(here, one)]


def _is_open(here: _Here, version: Version) -> bool:
    try:
        return isinstance(here.way(version), WayBack)
    except FurtherBack:
        return False


def _here(connection: Connection, scene: Scene, app: str, environment: str, now: datetime) -> _Here | NoWay:
    side = both_sides(connection, [app], scene, now, versions=True).get(app)
    wanted = side.wanted.get(environment) if side else None
    spec = scene.environments[environment].spec if environment in scene.environments else None
    if side is None or side.app is None or wanted is None or spec is None:
        return NoWay(f"git does not ask for {app} in {environment}", f"declare it there, or name another than {app}")
    if side.recorded.complaints:
        return NoWay(f"the manifest of {app} is broken: {side.recorded.complaints[0]}", "mend it first")
    record = side.recorded.environments.get(environment)
    if record is None:
        return NoWay(f"nothing of {app} has run in {environment} yet", "there is nothing to go back from")
    near = deployments.listed(connection, deployments.Filter(app=app, environment=environment, limit=NEAR))
    recent = Newest(near) if len(near) == NEAR else tuple(near)
    return _Here(wanted, side.recorded, replace(record, recent=recent), spec)


def are_in_force(connection: Connection, mirror: Path, several: Sequence[str]) -> bool:
    """Whether the followed branch holds these commits: one that was written anew may have left some behind."""
    if not interventions.accepted(connection):
        return True
    # Mostly no branch ever was.
    from reconciler.git.history import holds

    place = repository.followed(connection)
    try:
        return place is not None and place.head is not None and holds(mirror, place.head, several)
    except GitError:
        return False


def steps_back(connection: Connection, app: str, environment: str, traffic: tuple[Allotment, ...]) -> int:
    """How many completed deployments ago these versions ran; 0 where they did not."""
    there = versions_in(traffic)
    for most in (NEAR, FURTHEST):
        which = deployments.Filter(app=app, environment=environment, status="completed", limit=most)
        ran = [versions_in(one.traffic) for one in deployments.listed(connection, which)]
        if there in ran:
            return ran.index(there)
        if len(ran) < most:
            break
    return 0
