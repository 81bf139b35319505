"""Which way back does an app have in an environment, if a person wants to go back now?

Asked by whoever wants to know beforehand, and by the daemon when it acts on the wish.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from reconciler.model.deployment import Allotment
from reconciler.model.version import Version
from reconciler.planner.going_back import NoWay, WayBack, way_back
from reconciler.planner.recorded import FurtherBack, Newest
from reconciler.store import deployments
from reconciler.views.planning import both_sides
from reconciler.views.scene import Scene

NEAR, FURTHEST = 20, 2_000
"""So many deployments are looked back at; further than the near ones only where the way is not found among them."""


def find_way(
    connection: Connection, scene: Scene, app: str, environment: str, version: Version | None, now: datetime
) -> WayBack | NoWay:
    """The way back to `version`, None for what ran well before."""
    side = both_sides(connection, [app], scene, now, versions=True).get(app)
    wanted = side.wanted.get(environment) if side else None
    spec = scene.environments[environment].spec if environment in scene.environments else None
    if side is None or side.app is None or wanted is None or spec is None:
        return NoWay(f"git does not ask for {app} in {environment}", f"declare it there, or name another than {app}")
    if side.recorded.complaints:
        return NoWay(f"the manifest of {app} is broken: {side.recorded.complaints[0]}", "mend it first")
    recorded = side.recorded
    record = recorded.environments.get(environment)
    if record is None:
        return NoWay(f"nothing of {app} has run in {environment} yet", "there is nothing to go back from")
    known = {version.id: version} if version else {}
    recorded = replace(recorded, versions={**recorded.versions, **known})
    near = deployments.listed(connection, deployments.Filter(app=app, environment=environment, limit=NEAR))
    recent = Newest(near) if len(near) == NEAR else tuple(near)
    try:
        return way_back(wanted, recorded, replace(record, recent=recent), spec, version)
    except FurtherBack:
        every = deployments.Filter(app=app, environment=environment, limit=FURTHEST)
        recent = tuple(deployments.listed(connection, every))
        return way_back(wanted, recorded, replace(record, recent=recent), spec, version)


def steps_back(connection: Connection, app: str, environment: str, traffic: tuple[Allotment, ...]) -> int:
    """How many completed deployments ago these versions ran; 0 where they did not."""
    there = {part.version for part in traffic}
    for most in (NEAR, FURTHEST):
        which = deployments.Filter(app=app, environment=environment, status="completed", limit=most)
        ran = [{part.version for part in one.traffic} for one in deployments.listed(connection, which)]
        if there in ran:
            return ran.index(there)
        if len(ran) < most:
            break
    return 0
