"""What was told of deployments made elsewhere, and how is more of it written down?

What an event means is decided before it comes here. Lists for readers are in `reports`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from reconciler.model.deployment import LEGAL, Deployment, Status
from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.reports import deployment_of

R = tables.reports.c


def newest(connection: Connection, app: str, environment: str, version: str) -> Deployment | None:
    """The newest reported deployment of a version; the only one of it that may still be to end."""
    here = (R.app == app, R.environment == environment, R.version == version)
    row = connection.execute(select(tables.reports).where(*here).order_by(R.sequence.desc()).limit(1)).one_or_none()
    return deployment_of(row) if row is not None else None


def started(connection: Connection, app: str, environment: str, besides: str) -> Deployment | None:
    """The newest reported deployment of another version than `besides` that has started there and not ended."""
    here = (R.app == app, R.environment == environment, R.version != besides, R.status == "started")
    row = connection.execute(select(tables.reports).where(*here).order_by(R.sequence.desc()).limit(1)).one_or_none()
    return deployment_of(row) if row is not None else None


def completed(connection: Connection, app: str, environment: str, version: str) -> datetime | None:
    """When a version was first reported to have completed there (UTC)."""
    here = (R.app == app, R.environment == environment, R.version == version, R.status == "completed")
    found: datetime | None = connection.scalar(select(func.min(R.finished_at)).where(*here))
    return found


def identifier(app: str, environment: str, number: int, version: str) -> str:
    """The id of a reported deployment, made of what it is: no randomness, no repetition."""
    parts = f"reported\n{app}\n{environment}\n{number}\n{version}"
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def begin(
    transaction: Transaction,
    app: str,
    environment: str,
    version: str,
    said: Mapping[str, Any],
    at: datetime,
) -> Deployment:
    """Write a deployment down that nobody has told of before, as pending; `said` are its other columns."""
    here = (R.app == app, R.environment == environment)
    number = (transaction.connection.scalar(select(func.max(R.number)).where(*here)) or 0) + 1
    values = {
        "id": identifier(app, environment, number, version),
        "app": app,
        "environment": environment,
        "number": number,
        "version": version,
        "status": "pending",
        "created_at": at,
        **said,
    }
    transaction.connection.execute(tables.reports.insert().values(**values))
    return found(transaction.connection, values["id"])


def found(connection: Connection, identifier: str) -> Deployment:
    """The reported deployment with this id, which there is."""
    return deployment_of(connection.execute(select(tables.reports).where(R.id == identifier)).one())


def add(transaction: Transaction, deployment: Deployment, said: Mapping[str, Any]) -> None:
    """Write down what else was told of a deployment."""
    if said:
        transaction.connection.execute(update(tables.reports).where(R.id == deployment.id).values(**said))


def move(
    transaction: Transaction,
    deployment: Deployment,
    status: Status,
    at: datetime,
    fact: Mapping[str, Any],
    *,
    actor: str,
    now: datetime,
) -> Deployment:
    """Write down the next state, which came at `at` and was told at `now` (UTC). `fact` goes into the ledger."""
    assert status == deployment.status == "pending" or status in LEGAL[deployment.status]
    values: dict[str, Any] = {"status": status}
    at = max(at, deployment.started_at or deployment.created_at)  # clocks elsewhere are not ours
    if status == "started":
        values["started_at"] = at
    if status in ("completed", "failed", "aborted"):
        values["finished_at"] = at
    if status == "failed":
        values["error"] = fact.get("message") or None
    here = R.id == deployment.id
    transaction.connection.execute(update(tables.reports).where(here).values(**values))
    transaction.note(
        f"report.{status}",
        now,
        dict(fact),
        app=deployment.app,
        environment=deployment.environment,
        subject=deployment.id,
        actor=actor,
    )
    return found(transaction.connection, deployment.id)
