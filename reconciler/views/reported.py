"""What is known of a place where somebody wants to start a deployment that is made elsewhere?

Both sides read for `planner/preflight`: what git says of the environment, and what was deployed there and before it,
whoever did it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from reconciler import freezing
from reconciler.desired import Desired, Latest, Tracked, desired
from reconciler.model.deployment import EXTERNAL
from reconciler.model.environment import LATEST
from reconciler.model.output import Wait
from reconciler.model.plan import Waiting, short
from reconciler.model.reporting import Kind
from reconciler.model.traffic import versions_in
from reconciler.model.version import spoken
from reconciler.planner.preflight import Asked, Runs, approvals_missing, key_of
from reconciler.planner.recorded import Approval
from reconciler.store import deployments, gates, reporting, starts, versions
from reconciler.views.scene import declared_environments, declared_freezes, manifests

REFUSED = "report.refused"
"""The fact that somebody was not let start something, filed under the key of its approvals."""
_LOOKED_AT = 500
"""So many deployments of ours are looked through for a version that completed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants to start where."""

    app: str
    environment: str
    version: str
    kind: Kind = "release"
    people: frozenset[str] = frozenset()
    """Who deploys, and whose token it is."""


def look(connection: Connection, start: Wanted, now: datetime) -> Asked:
    """Everything that may speak against a start at `now` (UTC)."""
    wanted = _wanted(connection, start.app, start.environment, now)
    before = wanted.follows if wanted is not None else None
    key = key_of(start.app, start.environment, start.version)
    given = [row for row in gates.approvals(connection, [start.app]) if row.key == key]
    return Asked(
        app=start.app,
        environment=start.environment,
        version=start.version,
        kind=start.kind,
        people=start.people,
        wanted=wanted,
        runs=_runs(connection, start),
        completed_before=_completed(connection, start, before.environment) if isinstance(before, Tracked) else None,
        completed_here=start.kind == "rollback" and _completed(connection, start, start.environment) is not None,
        approvals=tuple(Approval(actor=row.actor, role=row.role, at=row.at) for row in given),
    )


def _wanted(connection: Connection, app: str, name: str, now: datetime) -> Desired | None:
    """What git says of an app in an environment, where it declares at least that."""
    environments = declared_environments(connection)
    environment = environments.get(name)
    if environment is None:
        return None
    freezes, manifest = declared_freezes(connection), manifests(connection, [app]).get(app)
    if manifest is not None and name in manifest.spec.environments:
        return desired(manifest, environment, environments, (), now, freezes)
    labels = manifest.metadata.labels if manifest is not None else {}
    track = environment.spec.track
    return Desired(
        app=app,
        environment=name,
        at=now,
        choice=Latest(),
        chosen_by="base",
        config={},
        base_choice=Latest(),
        base_config={},
        scheduled_at=None,
        seasons=(),
        pause=None,
        next_edge=None,
        gates=environment.spec.gates,
        follows=Latest() if track == LATEST else Tracked(track),
        freezes=freezing.active(freezing.concerning(freezes, app, labels, name), now),
    )


def _runs(connection: Connection, start: Wanted) -> Runs | None:
    """What is under way there: something else that was reported, or a deployment of ours."""
    reported = reporting.started(connection, start.app, start.environment, besides=start.version)
    ours = [
        one
        for status in ("started", "pending")
        for one in deployments.listed(
            connection,
            deployments.Filter(app=start.app, environment=start.environment, status=status, limit=1),
        )
    ]
    found = reported or next(iter(ours), None)
    if found is None:
        return None
    return Runs(
        id=found.id,
        number=found.number,
        version=spoken(found.traffic) if found.cause != EXTERNAL else found.traffic[0].version,
        since=found.started_at or found.created_at,
        external=found is reported,
    )


def _completed(connection: Connection, start: Wanted, environment: str) -> datetime | None:
    """When a version first completed in an environment, made here or elsewhere (UTC)."""
    found = [reporting.completed(connection, start.app, environment, start.version)]
    known = versions.find(connection, start.app, start.version)
    if known is None and start.version.isascii() and start.version.isdigit():
        known = versions.find(connection, start.app, f"v{start.version}")
    if known is not None:
        which = deployments.Filter(app=start.app, environment=environment, status="completed", limit=_LOOKED_AT)
        ran = [one.finished_at for one in deployments.listed(connection, which) if known.id in versions_in(one.traffic)]
        found += ran
    return min((moment for moment in found if moment is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A start that was refused since approvals are missing."""

    start: Wanted
    key: str
    since: datetime
    """When it was refused first (UTC)."""
    over: str
    """Why nobody waits for it any more; '' while somebody does."""
    missing: Sequence[Waiting]
    """The approvals that it waits for; none, once it may start."""
    approved_by: tuple[str, ...]


def refused(connection: Connection, key: str, now: datetime) -> Refused | None:
    """The start that was refused and is filed under this key; None where that stands for something of ours."""
    found = starts.find(connection, key, now)
    return _refused(connection, *found, now) if found is not None else None


def waiting(connection: Connection, apps: Sequence[str] | None, now: datetime) -> list[Refused]:
    """The starts of these apps (None: of all) that wait for approvals at `now` (UTC), oldest first."""
    return [one for one in _still_wanted(connection, apps, now) if one.missing]


def approved(connection: Connection, app: str, environment: str, now: datetime) -> list[Refused]:
    """The starts of an app in an environment that were refused, and miss no approval any more at `now` (UTC)."""
    wanted = _still_wanted(connection, [app], now)
    return [one for one in wanted if one.start.environment == environment and not one.missing]


def _still_wanted(connection: Connection, apps: Sequence[str] | None, now: datetime) -> list[Refused]:
    return [_refused(connection, row, "", now) for row in starts.waiting(connection, apps, now)]


def _refused(connection: Connection, row: Any, over: str, now: datetime) -> Refused:
    start = Wanted(
        app=row.app,
        environment=row.environment,
        version=row.version,
        kind=row.kind,
        people=frozenset(row.people),
    )
    asked = look(connection, start, now)
    missing = approvals_missing(asked) if not over else ()
    return Refused(
        start=start,
        key=row.key,
        since=row.since,
        over=over,
        missing=missing,
        approved_by=tuple(one.actor for one in asked.approvals),
    )


def waits(connection: Connection, apps: Sequence[str] | None, now: datetime) -> dict[tuple[str, str], tuple[Wait, ...]]:
    """What waits of deployments made elsewhere as it is shown, by app and environment."""
    found: dict[tuple[str, str], tuple[Wait, ...]] = {}
    for one in waiting(connection, apps, now):
        here = one.start.app, one.start.environment
        found[here] = (*found.get(here, ()), *(_wait(one, missing) for missing in one.missing))
    return found


def _wait(refused: Refused, missing: Waiting) -> Wait:
    return Wait(
        waits_for=missing.waits_for,
        until=missing.until,
        detail=f"reported from elsewhere: {missing.detail}",
        id=short(refused.key),
        what=missing.what,
        authors=tuple(sorted(missing.authors)),
        approved_by=refused.approved_by,
        elsewhere=True,
    )
