"""How does a plan become recorded intents?

Everything here happens inside the transaction of a cycle; nothing touches a target.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from reconciler.engine import rolling
from reconciler.engine.holding import hold_left
from reconciler.model.deployment import Subject
from reconciler.model.plan import Abort, Advance, ApplyTriggers, Deploy, Lift, Plan, RunChecks
from reconciler.store import deployments, gates, holds, interventions, occurrences, suspicions, triggers
from reconciler.store.database import Transaction
from reconciler.store.rows import deployment_of

EDGES = frozenset({"season-start", "season-end", "schedule"})


def identifier(app: str, environment: str, number: int, subject: Subject, now: datetime) -> str:
    """The id of a deployment, made of what it is and when it was decided: no randomness, no repetition."""
    parts = f"{app}\n{environment}\n{number}\n{subject.fingerprint}\n{now.isoformat()}"
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def carry(transaction: Transaction, plan: Plan, now: datetime) -> list[tuple[str, int]]:
    """Write a plan's intents; the environment and the number of each deployment that begins."""
    deploys = [action for action in plan.actions if isinstance(action, Deploy)]
    aborts = [action for action in plan.actions if isinstance(action, Abort)]
    _stop(transaction, aborts, now)
    begun = _create(transaction, deploys, now) if deploys else []
    standing = [(one.key, one.app, one.environment) for one in plan.waiting if one.key]
    standing += [(one.key, one.app, one.environment) for one in plan.refused if one.key]
    if standing:
        gates.ask(transaction, standing, now)
    for action in plan.actions:
        match action:
            case ApplyTriggers():
                triggers.request(
                    transaction,
                    action.app,
                    action.environment,
                    action.triggers,
                    digest=action.digest,
                    target=action.target,
                )
            case RunChecks():
                gates.begin_checks(transaction, action, now)
            case Advance():
                rolling.advance(transaction, action, now)
            case Lift():
                holds.lift(transaction, action.app, action.environment, action.reason, now)
            case _:
                pass
    return begun


def _stop(transaction: Transaction, aborts: list[Abort], now: datetime) -> None:
    if not aborts:
        return
    rows = deployments.by_ids(transaction.connection, [abort.deployment for abort in aborts])
    for abort in aborts:
        row = rows[abort.deployment]
        if not abort.running:
            deployments.move(transaction, row, "aborted", now, abort.reason, abort.actor)
            by_person(transaction, row, now, abort.reason)
        elif row.abort_reason is None:
            deployments.ask_to_stop(transaction, row, now, abort.reason, abort.actor)


def by_person(transaction: Transaction, row: Row[Any], now: datetime, reason: str) -> None:
    """What a person stopped is not started again by automation."""
    asked = {wish.subject for wish in interventions.open_of(transaction.connection, "abort")}
    if row.id in asked:
        deployment = deployment_of(row)
        suspicions.note(transaction, deployment, deployment.subject, [], now, f"was stopped ({reason})")
        interventions.finish(transaction, "abort", row.id, now, "stopped")


def _create(transaction: Transaction, deploys: list[Deploy], now: datetime) -> list[tuple[str, int]]:
    apps = sorted({wish.app for wish in deploys})
    numbers, retries = deployments.numbers_and_retries(transaction.connection, apps)
    wishes: list[tuple[str, int, Deploy]] = []
    edges: list[Mapping[str, Any]] = []
    for wish in deploys:
        number = numbers.get((wish.app, wish.environment), 0) + 1
        made = identifier(wish.app, wish.environment, number, wish.subject, now)
        wishes.append((made, number, wish))
        if wish.cause in EDGES and wish.due_at:
            edges.append(_edge(wish, made, now))
    deployments.create(transaction, wishes, now)
    for made, number, wish in wishes:
        _remember(transaction, made, number, wish, now)
    occurrences.note(transaction, edges)
    asked = interventions.open_of(transaction.connection, "retry") if retries else []
    for wish in deploys:
        here = [one.subject for one in asked if (one.app, one.environment) == (wish.app, wish.environment)]
        _answer_retries(transaction, wish, here, now)
    return [(wish.environment, number) for _, number, wish in wishes]


def _remember(transaction: Transaction, made: str, number: int, wish: Deploy, now: datetime) -> None:
    """How a deployment passed its gates; and where the reconciler itself goes back, that git and reality differ."""
    where = {"app": wish.app, "environment": wish.environment}
    for remark in wish.remarks:
        body = {"number": number, "message": remark}
        transaction.note("deployment.remark", now, body, subject=made, **where)
    if wish.cause == "auto-rollback":
        hold_left(transaction, wish, now)


def _edge(wish: Deploy, made: str, now: datetime) -> dict[str, Any]:
    return {
        "kind": wish.cause,
        "app": wish.app,
        "environment": wish.environment,
        "due_at": wish.due_at,
        "noticed_at": now,
        "deployment": made,
    }


def _answer_retries(transaction: Transaction, wish: Deploy, asked: list[str], now: datetime) -> None:
    """Wishes to try again are done with, or overtaken: they must not come back to life weeks later."""
    retried = wish.cause == "retry"
    for deployment in asked:
        outcome = "a new deployment was made" if retried else f"overtaken: {wish.reason}"
        interventions.finish(transaction, "retry", deployment, now, outcome)
    if retried:
        # All its attempts are a person's word, not the first alone; what fails again is suspect again.
        versions = [part.version for part in wish.subject.traffic]
        suspicions.clear(transaction, wish.app, wish.environment, [wish.subject.fingerprint, *versions])
