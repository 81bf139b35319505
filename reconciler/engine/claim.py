"""Which pending work gets its turn now, and what is handed to the target?

Runs inside a cycle's transaction: what has its turn is `started` in the store before its target hears of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, or_, select

from reconciler.desired import effective
from reconciler.engine.carry import TRIGGERS
from reconciler.engine.perform import Job, TriggersJob
from reconciler.engine.pool import Pool
from reconciler.model.environment import Environment
from reconciler.model.release import Release, ReleasedVersion
from reconciler.model.version import Version
from reconciler.schedule import rfc3339
from reconciler.store import deployments, tables, versions
from reconciler.store.database import Transaction
from reconciler.store.statements import Prepared

_T = tables.triggers.c
_TO_HAND_OVER = Prepared(
    select(tables.triggers)
    .where(_T.open, or_(_T.retry_at.is_(None), _T.retry_at <= bindparam("now", type_=_T.retry_at.type)))
    .limit(bindparam("most"))
)


def claim(
    transaction: Transaction,
    begun: Sequence[Row[Any]],
    environments: Mapping[str, Environment],
    pool: Pool,
    now: datetime,
) -> list[Job]:
    """Deployments whose turn it is: within each environment's concurrency and the pool's size, rollbacks first.

    `begun` are those that have begun and not ended.
    """
    free = pool.workers - len(pool.busy)
    if free <= 0:
        return []
    running = pool.by_environment()
    resumed = deployments.to_resume(begun, now, pool.busy)
    for row in resumed:
        if row.environment not in environments:
            deployments.move(transaction, row, "aborted", now, "its environment left git")
    rows = [row for row in resumed if row.environment in environments][:free]
    for row in rows:
        running[row.environment] += 1
    for name, waiting in _waiting(transaction.connection, free):
        if name not in environments:
            continue
        room = min(environments[name].spec.concurrency - running[name], free - len(rows))
        if room > 0:
            rows += waiting[:room]
    for row in rows:
        _begin(transaction, row, now)
    found = _versions(transaction.connection, rows)
    return [_job(row, found, environments) for row in rows]


def _waiting(connection: Connection, free: int) -> Iterator[tuple[str, list[Row[Any]]]]:
    """Deployments that wait, by environment, the one that waits longest first: enough of each to fill what is free.

    Mostly they are few, and read at once; a long queue in one environment must not hide the others.
    """
    few = deployments.first_pending(connection, free)
    if len(few) > free:
        for name in deployments.pending_environments(connection):
            yield name, deployments.pending(connection, name, free)
        return
    for name in dict.fromkeys(row.environment for row in sorted(few, key=lambda row: int(row.sequence))):
        yield name, [row for row in few if row.environment == name]


def _begin(transaction: Transaction, row: Row[Any], now: datetime) -> None:
    if row.status == "pending":
        deployments.move(transaction, row, "started", now, "")
    else:
        deployments.attempt(transaction, row, now)


def _versions(connection: Connection, rows: list[Row[Any]]) -> dict[str, Version]:
    return versions.by_id(connection, {part["version"] for row in rows for part in row.traffic})


def _job(row: Row[Any], found: Mapping[str, Version], environments: Mapping[str, Environment]) -> Job:
    parts = tuple(_part(found[part["version"]], part["percent"], row.config) for part in row.traffic)
    release = Release(
        deployment=row.id,
        number=row.number,
        app=row.app,
        environment=row.environment,
        cause=row.cause,
        commit=row.commit,
        traffic=parts,
    )
    return Job(release=release, target=environments[row.environment].spec.target)


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
    connection: Connection, environments: Mapping[str, Environment], pool: Pool, now: datetime
) -> list[TriggersJob]:
    """Trigger settings that are to be handed over now."""
    rows = [
        row
        for row in _TO_HAND_OVER.run(connection, now=now, most=pool.workers * 4)
        if (row.app, row.environment) not in pool.handing_over and row.environment in environments
    ]
    return [
        TriggersJob(
            app=row.app,
            environment=row.environment,
            digest=row.requested,
            triggers=TRIGGERS.validate_python(row.settings),
            target=environments[row.environment].spec.target,
        )
        for row in rows
    ]
