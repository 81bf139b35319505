"""How did a deployment fare, and what is recorded of it?

A target's answer becomes exactly one of: completed, another attempt at a moment, failed, aborted. Runs inside a
cycle's transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, update

from reconciler.engine.carry import backoff, by_person
from reconciler.model.deployment import ROLLBACKS
from reconciler.model.environment import Environment, EnvironmentSpec
from reconciler.store import declared, deployments, interventions, tables
from reconciler.store.database import Transaction
from reconciler.store.rows import deployment_of

PATIENCE = timedelta(days=1)
"""How long a target may go on saying `try again later` before that counts as a failure."""
TRIGGER_PAUSE = timedelta(seconds=10)

Kind = Literal["completed", "later", "failed", "person", "aborted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a target answered about one attempt."""

    deployment: str
    kind: Kind
    message: str = ""
    output: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggersOutcome:
    """What a target answered about trigger settings; `error` None means that it has them."""

    app: str
    environment: str
    digest: str | None
    error: str | None = None


def note_outcome(
    transaction: Transaction, outcome: Outcome, environments: dict[str, Environment], now: datetime
) -> None:
    """Record how an attempt ended, and mark for planning whatever that can concern."""
    row = deployments.by_ids(transaction.connection, [outcome.deployment]).get(outcome.deployment)
    if row is None or row.status != "started" or row.next_attempt_at is not None:
        return  # this answer has been recorded before
    _keep_output(transaction, row, outcome, now)
    spec = environments[row.environment].spec if row.environment in environments else EnvironmentSpec()
    _settle(transaction, row, outcome, spec, now)
    waiting = declared.dependents(transaction.connection, [row.app])
    declared.mark_due(transaction, {row.app, *waiting}, now)


def _settle(transaction: Transaction, row: Row[Any], outcome: Outcome, spec: EnvironmentSpec, now: datetime) -> None:
    if outcome.kind == "completed":
        deployments.move(transaction, row, "completed", now, outcome.message)
        subject = deployment_of(row).subject
        suspected = [subject.fingerprint, *(part.version for part in subject.traffic)]
        deployments.clear(transaction, row.app, row.environment, suspected)
        interventions.finish(transaction, "abort", row.id, now, "it had completed by then")
    elif row.abort_reason is not None or outcome.kind == "aborted":
        deployments.move(transaction, row, "aborted", now, row.abort_reason or outcome.message)
        by_person(transaction, row, now, row.abort_reason or outcome.message)
    elif outcome.kind == "later" and now - row.started_at < PATIENCE:
        again = now + backoff(spec.retry.backoff, row.attempts + 1)
        deployments.put_off(transaction, row, now, again, outcome.message, counted=False)
    elif outcome.kind != "person" and row.attempts < spec.retry.limit:
        again = now + backoff(spec.retry.backoff, row.attempts + 1)
        deployments.put_off(transaction, row, now, again, outcome.message, counted=True)
    else:
        _fail(transaction, row, outcome, now)


def _fail(transaction: Transaction, row: Row[Any], outcome: Outcome, now: datetime) -> None:
    deployments.move(transaction, row, "failed", now, outcome.message)
    failed = deployment_of(row)
    before = [d for d in deployments.recent(transaction.connection, [row.app], 1) if d.environment == row.environment]
    good = {part.version for d in before if d.status == "completed" for part in d.traffic}
    fresh = [part.version for part in failed.traffic if part.version not in good]
    # Going back to a version that worked says nothing against that version: only this very step is not repeated.
    blamed = [] if row.cause in ROLLBACKS else fresh
    deployments.suspect(transaction, failed, failed.subject, blamed, now, "failed")


def _keep_output(transaction: Transaction, row: Row[Any], outcome: Outcome, now: datetime) -> None:
    for text in outcome.output:
        transaction.note(
            "deployment.output",
            now,
            {"number": row.number, "message": text},
            app=row.app,
            environment=row.environment,
            subject=row.id,
        )


def note_triggers(transaction: Transaction, outcome: TriggersOutcome, now: datetime) -> None:
    """Record whether a target took its trigger settings; settings that changed meanwhile are handed over next."""
    t = tables.triggers
    here = (t.c.app == outcome.app) & (t.c.environment == outcome.environment)
    row = transaction.connection.execute(t.select().where(here)).one_or_none()
    if row is None:
        return
    if outcome.error is None:
        same = row.requested == outcome.digest
        transaction.connection.execute(
            update(t).where(here).values(applied=outcome.digest, open=not same, retry_at=None, attempts=0, error=None)
        )
    else:
        retry_at = now + backoff(TRIGGER_PAUSE, row.attempts + 1)
        transaction.connection.execute(
            update(t).where(here).values(attempts=row.attempts + 1, retry_at=retry_at, error=outcome.error)
        )
    transaction.note(
        "triggers.applied" if outcome.error is None else "triggers.failed",
        now,
        {"digest": outcome.digest, "error": outcome.error},
        app=outcome.app,
        environment=outcome.environment,
    )
    declared.mark_due(transaction, [outcome.app], now)
