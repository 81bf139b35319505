"""Which pending work gets its turn now, and what is handed to the target?

Runs inside a cycle's transaction: what has its turn is `started` in the store before its target hears of it.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row

from reconciler.desired import effective, place
from reconciler.engine import rolling
from reconciler.engine.checking import CheckJob
from reconciler.engine.membership import Membership
from reconciler.engine.outcomes import Gate
from reconciler.engine.perform import Job, TriggersJob
from reconciler.engine.pool import Pool
from reconciler.model.deployment import Allotment, Deployment
from reconciler.model.environment import Environment
from reconciler.model.release import Release, ReleasedVersion
from reconciler.model.version import Version
from reconciler.planner import rollouts
from reconciler.schedule import rfc3339
from reconciler.store import deployments, due, gates, leases, triggers, versions, waiting
from reconciler.store.database import Transaction
from reconciler.store.rows import deployment_of
from reconciler.views.scene import in_order, manifests


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The deployments that have begun and not ended, as a turn finds them."""

    rows: Sequence[Row[Any]]
    attended: frozenset[str]
    """Ids of those that this process or another daemon carries out."""
    answered: frozenset[str] = frozenset()
    """Ids of those whose answer this very turn has recorded: a rollout may go on from there at once."""


def claim(
    transaction: Transaction,
    begun: Begun,
    environments: Mapping[str, Environment],
    pool: Pool,
    now: datetime,
    member: Membership,
    most: int | None = None,
) -> list[Job]:
    """Deployments whose turn it is: within each environment's concurrency and the pool's size, rollbacks first; no more
    than `most`.

    The daemon that is a `member` takes them; how many run in an environment counts for all daemons together.
    """
    # As many more as have just been answered: where deployments are quick, none of the threads waits for a turn. But
    # no more than the threads take next: what is handed over stands in a line that no rollback passes.
    ahead = min(len(begun.answered), pool.workers)
    free = pool.workers + ahead - len(pool.busy - begun.answered)
    free = free if most is None else min(free, most - len(pool.busy - begun.answered))
    if free <= 0:
        return []
    running = Counter(row.environment for row in begun.rows if row.id in begun.attended)
    rows = _to_resume(transaction, begun, environments, now)[:free]
    for row in rows:
        running[row.environment] += 1
    rows += _turns(transaction.connection, environments, running, free - len(rows)) if free > len(rows) else []
    newest, lineage = leases.hand_out(transaction, len(rows), now)
    fences = dict(zip((row.id for row in rows), newest, strict=True))
    for row in rows:
        again = row.id not in begun.answered
        deployments.claim(transaction, row, member.me, fences[row.id], now, again=again, told=member.told)
        if row.status == "pending":
            rolling.begin(transaction, row, now)
    if any(row.rollout for row in rows):  # where each of them is, is another place now
        fresh = deployments.by_ids(transaction.connection, [row.id for row in rows])
        rows = [fresh[row.id] for row in rows]
    return _jobs(transaction.connection, [deployment_of(row) for row in rows], fences, lineage, environments)


def _to_resume(
    transaction: Transaction, begun: Begun, environments: Mapping[str, Environment], now: datetime
) -> list[Row[Any]]:
    found = deployments.to_resume(begun.rows, now, begun.attended)
    for row in found:
        if row.environment not in environments:
            deployments.move(transaction, row, "aborted", now, "its environment left git")
    return [row for row in found if row.environment in environments]


def _turns(
    connection: Connection, environments: Mapping[str, Environment], running: Mapping[str, int], free: int
) -> list[Row[Any]]:
    """Deployments whose turn it is, of those that wait: rollbacks wherever they are, then one of each environment in
    turn, so that a long queue in one keeps none of the others waiting."""
    room = {name: one.spec.concurrency - running[name] for name, one in environments.items()}
    open_ones = [name for name in environments if room[name] > 0]
    if not open_ones:
        return []
    found = waiting.next_ones(connection, open_ones, free)
    ordered = [
        ((not waiting.goes_back(row), rank, int(row.sequence)), row)
        for name in open_ones
        for rank, row in enumerate(found.get(name, ())[: room[name]])
    ]
    chosen = [row.id for _, row in sorted(ordered, key=itemgetter(0))][:free]
    rows = deployments.by_ids(connection, chosen) if chosen else {}
    return [rows[one] for one in chosen]


def _jobs(
    connection: Connection,
    several: Sequence[Deployment],
    fences: Mapping[str, int],
    lineage: str,
    environments: Mapping[str, Environment],
) -> list[Job]:
    splits = {one.id: rollouts.split(one) for one in several}
    found = versions.by_id(connection, {part.version for split in splits.values() for part in split})
    hindered = _hindered(connection, {(one.app, one.environment) for one in several}, environments)
    return [
        _job(
            one,
            fences[one.id],
            lineage,
            splits[one.id],
            found,
            environments,
            hindered.get((one.app, one.environment), ""),
        )
        for one in several
    ]


def _hindered(
    connection: Connection, places: Collection[tuple[str, str]], environments: Mapping[str, Environment]
) -> dict[tuple[str, str], str]:
    """Apps and environments where nothing may be put, since it would lie where another environment's apps run.

    No plan asks for that, but what was begun before the target moved there, or waits to be tried again, would do it.
    """
    if not places:
        return {}
    # Imported with the first thing that is claimed: it brings along what reads manifests.
    from reconciler.manifest import shared

    sharing = shared(in_order(environments))
    if not sharing:
        return {}
    apps = manifests(connection, sorted({app for app, _ in places}))
    return {
        (name, here): one.problem.message
        for one in sharing
        for name, here in places
        if here in (one.first, one.second) and ((app := apps.get(name)) is None or one.concerns(app))
    }


def _job(
    one: Deployment,
    fence: int,
    lineage: str,
    split: Sequence[Allotment],
    found: Mapping[str, Version],
    environments: Mapping[str, Environment],
    hindered: str,
) -> Job:
    progress = one.rollout
    checking = progress is not None and progress.phase == "checking"
    release = Release(
        deployment=one.id,
        number=one.number,
        fence=fence,
        lineage=lineage,
        app=one.app,
        environment=one.environment,
        cause=one.cause,
        commit=one.commit,
        traffic=tuple(_part(found[part.version], part.percent, _layers(one, part)) for part in split),
        entering=rollouts.under_test(one) if progress is not None else None,
    )
    return Job(
        release=release,
        target=environments[one.environment].spec.target,
        hindered=hindered,
        stage=progress.stage if progress is not None else None,
        checks=progress.course.checks if checking and progress is not None else None,
        under_test=rollouts.under_test(one) if checking else None,
    )


def _layers(one: Deployment, part: Allotment) -> Mapping[str, Any]:
    """The environment's settings for a version: what only ran before keeps those that it had."""
    if one.rollout is None or any(part.version == new.version for new in one.traffic):
        return one.config
    return one.rollout.course.before_config


def _part(version: Version, percent: float, layers: Mapping[str, Any]) -> ReleasedVersion:
    return ReleasedVersion(
        version=version.id,
        number=version.number,
        name=version.name,
        percent=percent,
        message=version.message,
        tags=version.tags,
        created_at=rfc3339(version.created_at),
        bundle=version.bundle,
        image=version.image,
        config=effective(version.config, layers),
        bindings=version.bindings,
        secrets=version.secrets,
        migrations=version.migrations,
    )


def claim_triggers(
    transaction: Transaction,
    environments: Mapping[str, Environment],
    pool: Pool,
    now: datetime,
    begun: Begun,
    jobs: Sequence[Job],
) -> list[TriggersJob]:
    """Trigger settings that are to be handed over now: none where a deployment is carried out, whose `jobs` this turn
    has just given. They change the same place, so they follow it; its answer is a turn."""
    deployed = {(row.app, row.environment) for row in begun.rows if row.id in begun.attended}
    deployed.update((job.release.app, job.release.environment) for job in jobs)
    busy = deployed | pool.handing_over
    targets = {name: place(one) for name, one in environments.items()}
    found, pointless = triggers.to_hand_over(transaction, targets, now, pool.workers * 4 + len(busy))
    due.mark(transaction, pointless, now)
    rows = [row for row in found if (row.app, row.environment) not in busy]
    hindered = _hindered(transaction.connection, {(row.app, row.environment) for row in rows}, environments)
    fences, lineage = leases.hand_out(transaction, len(rows), now)
    for row, fence in zip(rows, fences, strict=True):
        triggers.handed_over(transaction, row.app, row.environment, fence)
    return [
        TriggersJob(
            fence=fence,
            lineage=lineage,
            app=row.app,
            environment=row.environment,
            digest=row.requested,
            triggers=triggers.TRIGGERS.validate_python(row.settings),
            target=environments[row.environment].spec.target,
            hindered=hindered.get((row.app, row.environment), ""),
        )
        for row, fence in zip(rows, fences, strict=True)
    ]


def claim_checks(
    transaction: Transaction,
    environments: Mapping[str, Environment],
    pool: Pool,
    now: datetime,
    answered: frozenset[Gate] = frozenset(),
) -> list[CheckJob]:
    """Checks of gates that are to be run now: one of each gate, and no more at once than deployments.

    `answered` are the gates of which this very turn has recorded an answer.
    """
    rows: dict[Gate, Row[Any]] = {}
    busy = pool.checking - answered
    free = pool.workers - len(busy)
    for row in gates.to_run(transaction.connection, now) if free > 0 else ():
        if row.environment not in environments:
            gates.leave_out(transaction, row)
        elif (row.app, row.environment, row.key) not in busy and len(rows) < free:
            rows.setdefault((row.app, row.environment, row.key), row)
    found = versions.by_id(transaction.connection, {part["version"] for row in rows.values() for part in row.traffic})
    return [_check_job(row, found) for row in rows.values()]


def _check_job(row: Row[Any], found: Mapping[str, Version]) -> CheckJob:
    """What enters is no deployment yet: it goes by the beginning of the key that it is filed under."""
    split = gates.TRAFFIC.validate_python(row.traffic)
    release = Release(
        deployment=row.key[:16],
        number=0,
        app=row.app,
        environment=row.environment,
        cause="promotion",
        commit=row.commit,
        traffic=tuple(_part(found[part.version], part.percent, row.config) for part in split),
    )
    return CheckJob(key=row.key, check=gates.CHECK.validate_python(row.definition), release=release)
