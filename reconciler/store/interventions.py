"""What did people ask for besides what git says?

An intervention is a fact; whoever leads acts on it. A pause holds until it expires or is resumed, the others
until they are done.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, func, or_, select, update

from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.statements import Among, Prepared

I = tables.interventions.c  # noqa: E741
Kind = Literal["pause", "abort", "retry", "accept", "rollback", "release"]

_OPEN = select(tables.interventions).where(I.done_at.is_(None)).order_by(I.id)
_OPEN_OF = Prepared(_OPEN.where(I.kind == bindparam("of_kind")))
_OPEN_WAYS = Prepared(_OPEN.where(I.kind.in_(["rollback", "release"])))
_OPEN_FOR = Among(_OPEN.where(I.kind.in_(["pause", "abort", "retry"])), I.app)
_FINISH = update(tables.interventions).where(
    I.done_at.is_(None), I.kind == bindparam("of_kind"), I.subject == bindparam("about")
)
_COUNT_OPEN = select(func.count()).select_from(tables.interventions).where(I.done_at.is_(None))
_STAMP = Prepared(select(select(func.max(I.id)).scalar_subquery(), _COUNT_OPEN.scalar_subquery()))
_FINISH_ONE = Prepared(_FINISH.values(done_at=bindparam("at", type_=I.done_at.type), outcome=bindparam("how")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks for."""

    kind: Kind
    actor: str
    reason: str = ""
    app: str | None = None
    environment: str | None = None
    subject: str | None = None
    """What it is about: a deployment to stop or to try again, a commit to accept, a version to go back to."""
    until: datetime | None = None


def stamp(connection: Connection) -> tuple[int, int]:
    """Another one than before as soon as somebody asked for something, or something asked for was done."""
    newest, still_open = _STAMP.run(connection)[0]
    return int(newest or 0), int(still_open)


def record(transaction: Transaction, wish: Wish, now: datetime) -> int:
    """Write a wish down; its number."""
    values: dict[str, Any] = {
        "kind": wish.kind,
        "app": wish.app,
        "environment": wish.environment,
        "subject": wish.subject,
        "actor": wish.actor,
        "reason": wish.reason,
        "until": wish.until,
    }
    done = transaction.connection.execute(tables.interventions.insert().values(**values, created_at=now))
    transaction.note(
        f"intervention.{wish.kind}",
        now,
        {
            "reason": wish.reason,
            "until": wish.until.isoformat() if wish.until else None,
            "subject": wish.subject,
        },
        app=wish.app,
        environment=wish.environment,
        subject=wish.subject,
        actor=wish.actor,
    )
    key = done.inserted_primary_key
    assert key is not None
    return int(key[0])


def open_for(connection: Connection, apps: list[str]) -> list[Row[Any]]:
    """Wishes that still hold, for these apps."""
    return _OPEN_FOR.run(connection, apps)


def open_of(connection: Connection, kind: Kind) -> list[Row[Any]]:
    """Wishes of a kind that still hold."""
    return _OPEN_OF.run(connection, of_kind=kind)


def outcome(connection: Connection, number: int | None) -> str | None:
    """What became of a wish; None while it is open, and for none."""
    found: str | None = connection.execute(select(I.outcome).where(I.id == number)).scalar()
    return found


def accepted(connection: Connection) -> bool:
    """Whether a head that does not descend from the one before was ever followed."""
    query = select(I.id).where(I.kind == "accept", I.done_at.is_not(None)).limit(1)
    return connection.execute(query).first() is not None


def open_ways(connection: Connection) -> list[Row[Any]]:
    """Wishes to go back, and to end a hold, that nobody has acted on yet; oldest first."""
    return _OPEN_WAYS.run(connection)


def done(transaction: Transaction, row: Row[Any], now: datetime, outcome: str) -> None:
    """This very wish has been acted on, or has become pointless."""
    transaction.connection.execute(
        update(tables.interventions).where(I.id == row.id).values(done_at=now, outcome=outcome)
    )
    transaction.note(
        "intervention.done",
        now,
        {"kind": row.kind, "outcome": outcome},
        app=row.app,
        environment=row.environment,
        subject=row.subject,
        actor=row.actor,
    )


def finish(transaction: Transaction, kind: Kind, subject: str, now: datetime, outcome: str) -> None:
    """What was asked about this deployment or commit has been done, or has become pointless."""
    _FINISH_ONE.change(transaction.connection, of_kind=kind, about=subject, at=now, how=outcome)


def accept_at_once(transaction: Transaction, head: str, actor: str, reason: str, now: datetime) -> None:
    """A head that does not descend from the one before is followed by a standing word."""
    record(transaction, Wish(kind="accept", actor=actor, reason=reason, subject=head), now)
    finish(transaction, "accept", head, now, "accepted")


def resume(
    transaction: Transaction, app: str, environment: str | None, actor: str, now: datetime, reason: str = ""
) -> int:
    """End the pauses of an app (in one environment, or all of them); how many there were."""
    where = [I.done_at.is_(None), I.kind == "pause", I.app == app, or_(I.until.is_(None), I.until > now)]
    if environment is not None:
        where.append(I.environment == environment)
    done = transaction.connection.execute(
        update(tables.interventions).where(*where).values(done_at=now, outcome=f"resumed by {actor}")
    )
    if done.rowcount:
        body = {"reason": reason} if reason else {}
        transaction.note("intervention.resume", now, body, app=app, environment=environment, actor=actor)
    return int(done.rowcount)
