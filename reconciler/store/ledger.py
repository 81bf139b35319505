"""What happened, in order, and has anybody changed it since?

Facts are only ever added. They are chained by hashes, sealed in batches so that writers do not queue for it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Text, bindparam, func, inspect, or_, select, type_coerce

from reconciler.model.canonical import canonical
from reconciler.schedule import rfc3339
from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.statements import Prepared

GENESIS = "0" * 64
BATCH = 1_000
KINDS = (
    "branch", "commit", "daemon", "deployment", "drift", "gate", "hold", "intervention", "manifest", "override", "plan",
    "report", "repository", "session", "store", "suspicion", "token", "triggers", "version",
)  # fmt: skip
"""The first words of kinds."""
_L = tables.ledger.c
_WRITTEN = Prepared(
    select(*(type_coerce(column, Text).label("body") if column.name == "body" else column for column in _L))
    .where(_L.sequence > bindparam("behind"))
    .order_by(_L.sequence)
    .limit(BATCH)
)
_NEWEST = Prepared(select(_L.sequence).order_by(_L.sequence.desc()).limit(1))
_LAST_SEAL = Prepared(select(tables.seals).order_by(tables.seals.c.upto.desc()).limit(1))
_SEAL = Prepared(tables.seals.insert())


@dataclass(frozen=True, slots=True)
class Verified:
    """The outcome of checking the chain."""

    entries: int
    unsealed: int
    broken_after: int | None
    """The last sequence number that is vouched for, when something behind it was changed."""
    head: str = field(default=GENESIS, compare=False)
    """The hash that all facts up to the newest one add up to, sealed or not."""


def entry(row: Row[Any]) -> dict[str, Any]:
    """A fact as it is exported and hashed."""
    return {
        "sequence": row.sequence,
        "at": rfc3339(row.at),
        "kind": row.kind,
        "app": row.app,
        "environment": row.environment,
        "subject": row.subject,
        "actor": row.actor,
        "body": row.body,
    }


def _link(previous: str, row: Any) -> str:
    """The canonical text of `entry`, made around the body as it is written: that is canonical already."""
    first = canonical({"actor": row.actor, "app": row.app, "at": rfc3339(row.at)})
    rest = {"environment": row.environment, "kind": row.kind, "sequence": row.sequence, "subject": row.subject}
    text = f'{first[:-1]},"body":{row.body},{canonical(rest)[1:]}'
    return hashlib.sha256(f"{previous}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def _to_link(connection: Connection, sequence: int) -> Iterator[Any]:
    """Facts behind a sequence number, with their bodies as they are written."""
    while True:
        rows = _WRITTEN.run(connection, behind=sequence)
        yield from rows
        if len(rows) < BATCH:
            return
        sequence = rows[-1].sequence


def _after(connection: Connection, sequence: int) -> Iterator[Row[Any]]:
    while True:
        query = select(tables.ledger).where(tables.ledger.c.sequence > sequence)
        rows = connection.execute(query.order_by(tables.ledger.c.sequence).limit(BATCH)).all()
        yield from rows
        if len(rows) < BATCH:
            return
        sequence = rows[-1].sequence


def _last_seal(connection: Connection) -> tuple[int, str]:
    row = _LAST_SEAL.run(connection).one_or_none()
    return (row.upto, row.hash) if row else (0, GENESIS)


def newest(connection: Connection) -> int:
    """The sequence number of the newest fact, 0 before the first."""
    return int(_NEWEST.run(connection).scalar() or 0)


def after(connection: Connection, sequence: int, most: int) -> Sequence[Any]:
    """The facts behind one, in order: sequence, app, kind."""
    query = select(_L.sequence, _L.app, _L.kind).where(_L.sequence > sequence).order_by(_L.sequence)
    return connection.execute(query.limit(most)).all()


def any_after(connection: Connection, sequence: int, kinds: str) -> bool:
    """Whether there is a fact behind one whose kind begins so."""
    query = select(_L.sequence).where(_L.sequence > sequence, _L.kind.startswith(kinds)).limit(1)
    return connection.execute(query).first() is not None


def begun(connection: Connection) -> datetime | None:
    """When the oldest fact was recorded (UTC); None before the first."""
    query = select(tables.ledger.c.at).order_by(tables.ledger.c.sequence).limit(1)
    at: datetime | None = connection.execute(query).scalar()
    return at


def unsealed(connection: Connection) -> bool:
    """Whether there are facts that no seal covers yet."""
    return newest(connection) > _last_seal(connection)[0]


def seal(transaction: Transaction, at: datetime) -> int:
    """Chain the facts that were added since the last seal; how many there were."""
    upto, chained = _last_seal(transaction.connection)
    count = 0
    for row in _to_link(transaction.connection, upto):
        chained, upto, count = _link(chained, row), row.sequence, count + 1
    if count:
        _SEAL.each(transaction.connection, [{"upto": upto, "hash": chained, "at": at}])
    return count


def verify(connection: Connection) -> Verified:
    """Compute the chain again and compare it with every seal."""
    seals = {row.upto: row.hash for row in connection.execute(select(tables.seals))}
    chained, vouched, count = GENESIS, 0, 0
    for row in _to_link(connection, 0):
        chained, count = _link(chained, row), count + 1
        if row.sequence in seals:
            if seals.pop(row.sequence) != chained:
                return Verified(count, 0, vouched)
            vouched = row.sequence
    behind = len(seals) > 0
    return Verified(count, count - _sealed_count(connection, vouched), vouched if behind else None, chained)


def damage(connection: Connection, most: int = 5) -> list[str]:
    """What is wrong with a store, the first findings: tables that are missing, and in SQLite what its file has.

    Reads the whole of a SQLite file. The chain of hashes sees only the ledger, and only what can still be read of it.
    """
    there = set(inspect(connection).get_table_names())
    missing = [f"the table {name} is missing" for name in sorted(set(tables.metadata.tables) - there)]
    return [*missing, *_damaged_file(connection, most)][:most]


def _damaged_file(connection: Connection, most: int) -> list[str]:
    if connection.dialect.name != "sqlite":
        return []
    said = connection.exec_driver_sql(f"PRAGMA integrity_check({most:d})").scalars()
    lines = [line for text in said for line in str(text).splitlines()]
    return [line for line in lines if line != "ok"]


def _sealed_count(connection: Connection, upto: int) -> int:
    found = connection.execute(select(func.count()).where(tables.ledger.c.sequence <= upto)).scalar()
    return int(found or 0)


def export(connection: Connection) -> Iterator[dict[str, Any]]:
    """All facts, oldest first."""
    return (entry(row) for row in _after(connection, 0))


def of_subject(connection: Connection, subject: str) -> list[dict[str, Any]]:
    """What happened to one thing, oldest first."""
    query = select(tables.ledger).where(tables.ledger.c.subject == subject).order_by(tables.ledger.c.sequence)
    return [entry(row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which facts to list; None lets all pass."""

    app: str | None = None
    environment: str | None = None
    kind: str | None = None
    """A kind such as `deployment.failed`, or its first word."""
    actor: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 100


LOOKED_AT = 50_000
"""So many facts are looked through for one answer: most of what is asked for has no index."""


def listed(connection: Connection, which: Filter, before: int | None = None) -> tuple[list[dict[str, Any]], int | None]:
    """Facts that pass a filter, newest first, and from where on to look for more: None when there are none.

    `before`: only those with a lower sequence number. What is rare may take several looks, of which some find nothing.
    """
    facts = tables.ledger.c
    top = newest(connection) + 1 if before is None else before
    bottom = top - LOOKED_AT if which.subject is None else 0
    query = select(tables.ledger).where(facts.sequence < top, facts.sequence >= bottom)
    equal = ((facts.app, which.app), (facts.environment, which.environment), (facts.actor, which.actor))
    wanted = (*equal, (facts.subject, which.subject))
    query = query.where(*(column == value for column, value in wanted if value is not None))
    if which.kind is not None:
        query = query.where(or_(facts.kind == which.kind, facts.kind.startswith(f"{which.kind}.", autoescape=True)))
    if which.since is not None:
        query = query.where(facts.at >= which.since)
    if which.until is not None:
        query = query.where(facts.at < which.until)
    rows = connection.execute(query.order_by(facts.sequence.desc()).limit(which.limit + 1)).all()
    found = [entry(row) for row in rows[: which.limit]]
    if len(rows) > which.limit:
        return found, int(found[-1]["sequence"])
    return found, bottom if bottom > 1 else None
