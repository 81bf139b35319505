"""Which deployments are recorded, and how do they move?

Every move is checked against the table of legal ones and noted in the ledger.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, case, or_, select, update

from reconciler.errors import StoreError
from reconciler.model.deployment import LEGAL, ROLLBACKS, Deployment, Event, Status
from reconciler.model.plan import Deploy
from reconciler.model.rollout import Progress, progress_row
from reconciler.schedule import utc
from reconciler.store import ledger, tables
from reconciler.store.database import Transaction
from reconciler.store.history import Filter as Filter
from reconciler.store.history import ended_after as ended_after
from reconciler.store.history import listed as listed
from reconciler.store.history import numbers as numbers
from reconciler.store.history import numbers_and_retries as numbers_and_retries
from reconciler.store.history import ran_at as ran_at
from reconciler.store.history import recent as recent
from reconciler.store.rows import deployment_of, grounds_row, traffic_row
from reconciler.store.statements import Among, Prepared

D = tables.deployments.c
MOMENT = D.created_at.type
RESTING = ("holding", "baking")
_BACK_AGAIN = (D.cause == "retry") & D.rolled_back_from.is_not(None)
ROLLBACK_FIRST = case((D.cause.in_(sorted(ROLLBACKS)) | _BACK_AGAIN, 0), else_=1)

# Statements of every turn are made once: making one costs more than carrying it out.
_ALL = select(tables.deployments)
_ADD = Prepared(tables.deployments.insert())
_ONE = update(tables.deployments).where(D.id == bindparam("which"))
_CLAIMED = {"next_attempt_at": None, "claimed_by": bindparam("by"), "fence": bindparam("by_fence", type_=D.fence.type)}
_STARTED = Prepared(_ONE.values(status="started", started_at=bindparam("at", type_=MOMENT), **_CLAIMED))
_TAKEN_UP = Prepared(_ONE.values(**_CLAIMED))
_ENDED = {"finished_at": bindparam("at", type_=MOMENT), "next_attempt_at": None, "claimed_by": None}
_COMPLETED = Prepared(_ONE.values(status="completed", **_ENDED))
_STARTED_ONES = Prepared(_ALL.where(D.status == "started").order_by(ROLLBACK_FIRST, D.sequence))
_BY_ID = Among(_ALL, D.id)


def create(transaction: Transaction, wishes: Sequence[tuple[str, int, Deploy]], now: datetime) -> None:
    """Write the intents: (id, number, what to deploy), all pending."""
    rows = [_row(identifier, number, wish, now) for identifier, number, wish in wishes]
    _ADD.each(transaction.connection, rows)
    for row, (_, _, wish) in zip(rows, wishes, strict=True):
        transaction.note(
            "deployment.pending",
            now,
            {key: row[key] for key in ("number", "cause", "traffic", "config", "commit", "reason", "rolled_back_from")},
            app=wish.app,
            environment=wish.environment,
            subject=row["id"],
            actor=wish.deployed_by or "reconciler",
        )


def _row(identifier: str, number: int, wish: Deploy, now: datetime) -> dict[str, Any]:
    late = None if wish.due_at is None else max((now - wish.due_at).total_seconds(), 0.0)
    return {
        "id": identifier,
        "app": wish.app,
        "environment": wish.environment,
        "number": number,
        "status": "pending",
        "cause": wish.cause,
        "traffic": traffic_row(wish.subject),
        "config": dict(wish.subject.config),
        "commit": wish.commit,
        "deployed_by": wish.deployed_by,
        "reason": wish.reason,
        "rolled_back_from": wish.rolled_back_from,
        "reverts": list(wish.reverts),
        "created_at": now,
        "late_by_seconds": late,
        "extra_metadata": {},
        "grounds": grounds_row(wish.grounds),
        "attempts": 0,
        "rollout": progress_row(Progress(course=wish.rollout)) if wish.rollout else None,
    }


def move(
    transaction: Transaction,
    row: Row[Any],
    status: Status,
    now: datetime,
    message: str,
    actor: str = "reconciler",
) -> None:
    """Bring a deployment to its next status; an illegal move is refused, whoever asks."""
    if status not in LEGAL[row.status]:
        raise StoreError(f"deployment {row.id} is {row.status}: it cannot become {status}", "nothing was changed")
    if status == "completed":
        _COMPLETED.change(transaction.connection, which=row.id, at=now)
    else:
        error = message if status == "failed" else row.error
        values = {"status": status, "next_attempt_at": None, "finished_at": now, "error": error, "claimed_by": None}
        transaction.connection.execute(_ONE.values(**values), {"which": row.id})
    _say(transaction, row, status, now, message, actor)


def _say(transaction: Transaction, row: Row[Any], what: str, now: datetime, message: str, actor: str) -> None:
    transaction.note(
        f"deployment.{what}",
        now,
        {"number": row.number, "message": message},
        app=row.app,
        environment=row.environment,
        subject=row.id,
        actor=actor,
    )


def claim(
    transaction: Transaction, row: Row[Any], by: str, fence: int, now: datetime, *, again: bool, told: str = ""
) -> None:
    """A daemon takes a deployment to carry it out: one that is pending, or that has begun and nobody carries out.

    `again`: the same is tried once more, which is told; else it is the next step of a rollout. `told` says who it is,
    where there are several.
    """
    if row.status == "pending":
        _STARTED.change(transaction.connection, which=row.id, at=now, by=by, by_fence=fence)
        _say(transaction, row, "started", now, told, "reconciler")
        return
    _TAKEN_UP.change(transaction.connection, which=row.id, by=by, by_fence=fence)
    if again:
        _say(transaction, row, "attempt", now, f"attempt {row.attempts + 1}{f', {told}' if told else ''}", "reconciler")


def put_off(
    transaction: Transaction, row: Row[Any], now: datetime, again_at: datetime, message: str, *, counted: bool
) -> None:
    """An attempt did not succeed; the next one is due at `again_at`."""
    attempts = row.attempts + (1 if counted else 0)
    values = {"next_attempt_at": again_at, "error": message, "attempts": attempts, "claimed_by": None}
    transaction.connection.execute(update(tables.deployments).where(D.id == row.id).values(**values))
    _say(transaction, row, "attempt-failed", now, message, "reconciler")


def hurry(transaction: Transaction, deployment: str, now: datetime) -> bool:
    """The next attempt is due at once; False where none is waited for."""
    waits = and_(D.id == deployment, D.status == "started", D.next_attempt_at > now)
    done = transaction.connection.execute(update(tables.deployments).where(waits).values(next_attempt_at=now))
    return done.rowcount > 0


def go_on(transaction: Transaction, row: Row[Any], progress: Progress, now: datetime, what: str, message: str) -> None:
    """A rollout comes to another phase; `what`, unless it is empty, and `message` say so among its events. Its attempts
    begin anew."""
    values = {"rollout": progress_row(progress), "next_attempt_at": None, "attempts": 0, "error": None}
    if row.status == "started":  # else it has just been claimed, to begin with this phase
        values["claimed_by"] = None
    transaction.connection.execute(update(tables.deployments).where(D.id == row.id).values(**values))
    if what:
        _say(transaction, row, what, now, message, "reconciler")


def tell(transaction: Transaction, row: Row[Any], what: str, now: datetime, message: str) -> None:
    """Note something that happened to a deployment and moves it nowhere."""
    _say(transaction, row, what, now, message, "reconciler")


def ask_to_stop(transaction: Transaction, row: Row[Any], now: datetime, reason: str, actor: str) -> None:
    """Tell a running deployment to stop; its target's answer ends it."""
    transaction.connection.execute(update(tables.deployments).where(D.id == row.id).values(abort_reason=reason))
    _say(transaction, row, "abort-asked", now, reason, actor)


def started(connection: Connection) -> list[Row[Any]]:
    """Deployments that have begun and not ended: what rolls back first, then the oldest."""
    return _STARTED_ONES.run(connection)


def attended(begun: Sequence[Row[Any]], busy: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    """The ids of those that somebody carries out: this process, which is `busy` with them, or another living daemon."""
    return frozenset(row.id for row in begun if row.id in busy or row.claimed_by in others)


def to_resume(begun: Sequence[Row[Any]], now: datetime, attended: frozenset[str]) -> list[Row[Any]]:
    """Of those that have begun, those that nobody carries out: their next attempt is due, or the process was killed."""
    return [
        row
        for row in begun
        if row.id not in attended
        and row.abort_reason is None
        and not (row.rollout and row.rollout["phase"] in RESTING)
        and (row.next_attempt_at is None or row.next_attempt_at <= now)
    ]


def stopped_meanwhile(begun: Sequence[Row[Any]], attended: frozenset[str]) -> list[Row[Any]]:
    """Of those that have begun, those that were told to stop and that nobody carries out: the process was killed."""
    return [row for row in begun if row.abort_reason is not None and row.id not in attended]


def active(connection: Connection) -> list[Row[Any]]:
    """Deployments that are still to end, the oldest first."""
    return list(
        connection.execute(select(tables.deployments).where(D.status.in_(["pending", "started"])).order_by(D.sequence))
    )


def by_ids(connection: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Rows by id."""
    return {row.id: row for row in _BY_ID.run(connection, ids)}


def find(connection: Connection, identifier: str) -> Deployment | None:
    """The deployment of this id, or of an id that begins so and is the only one."""
    rows = connection.execute(_beginning_with(identifier).limit(2)).all()
    return deployment_of(rows[0]) if len(rows) == 1 else None


def beginning_with(connection: Connection, beginning: str, most: int) -> list[Row[Any]]:
    """The newest deployments whose ids, which are hexadecimal digits, begin so."""
    return list(connection.execute(_beginning_with(beginning).order_by(D.sequence.desc()).limit(most)))


def _beginning_with(beginning: str) -> Select[Any]:
    return select(tables.deployments).where(D.id >= beginning, D.id < f"{beginning}g")


def ever_in(connection: Connection, environment: str) -> bool:
    """Whether anything has been deployed to an environment, which may have left git."""
    return connection.execute(select(D.id).where(D.environment == environment).limit(1)).first() is not None


def standing(connection: Connection, app: str, environment: str) -> Deployment | None:
    """The newest deployment there that has reached the target, or may at any moment."""
    there = or_(D.started_at.is_not(None), D.status == "pending")
    query = select(tables.deployments).where(D.app == app, D.environment == environment, there)
    row = connection.execute(query.order_by(D.number.desc()).limit(1)).one_or_none()
    return deployment_of(row) if row is not None else None


def events(connection: Connection, identifier: str) -> tuple[Event, ...]:
    """What happened to a deployment, oldest first."""
    return tuple(
        Event(
            at=utc(entry["at"]),
            status=entry["kind"].removeprefix("deployment."),
            message=entry["body"].get("message") or entry["body"].get("reason") or "",
            actor=entry["actor"],
        )
        for entry in ledger.of_subject(connection, identifier)
        if entry["kind"].startswith("deployment.")
    )
