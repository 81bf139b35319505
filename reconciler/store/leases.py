"""Which daemons live, and which of them leads?

A daemon lives as long as its row is here: it shows so by a number that grows, its beat. Whoever sees a beat stand still
for that daemon's whole lease takes the row away; what that daemon writes afterwards is refused. Nobody compares the
clocks of two machines. When somebody is given up is decided in `engine/membership`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Connection, and_, bindparam, case, delete, insert, select, text, update

from reconciler.errors import LeaseLost
from reconciler.store import tables
from reconciler.store.database import Database, Transaction
from reconciler.store.statements import Prepared

L = tables.leadership.c
N = tables.daemons.c
ROW = 1
_GIVEN_UP = "this daemon was given up by the others, since it was not heard of for a whole lease"

_STANDING = Prepared(
    select(L.holder, L.fence, N.id.label("alive")).select_from(
        tables.leadership.outerjoin(tables.daemons, N.id == bindparam("me"))
    )
)
_LIVING = Prepared(select(N.id))
_AT = bindparam("at", type_=BigInteger)
_NEWEST = case((L.handed_out < _AT, _AT), else_=L.handed_out) + bindparam("count", type_=BigInteger)
_HAND_OUT = Prepared(update(tables.leadership).values(handed_out=_NEWEST).returning(L.handed_out, L.lineage))
_LINEAGE = Prepared(select(L.lineage))
_THERE = Prepared(select(L.id))
_FIRST = Prepared(insert(tables.leadership))
_NOBODY = Prepared(delete(tables.daemons))
_ENTER = Prepared(insert(tables.daemons))
_LEAD = Prepared(update(tables.leadership))
_STEP_DOWN = Prepared(update(tables.leadership).where(L.holder == bindparam("me")).values(holder=None))
_LEAVE = Prepared(delete(tables.daemons).where(N.id == bindparam("me")))
_BEAT = Prepared(update(tables.daemons).where(N.id == bindparam("me")).values(beat=N.beat + 1))
_ALL = Prepared(
    select(N.id, N.name, N.beat, N.lease, L.holder, L.fence).select_from(
        tables.leadership.outerjoin(tables.daemons, N.id.is_not(None))
    )
)

# A daemon's sessions are called by its id; see `Database.call`.
_WITH_A_SESSION = text(
    "SELECT id, name FROM daemons WHERE id IN (SELECT application_name FROM pg_stat_activity"
    " WHERE datname = current_database()) ORDER BY name"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The daemons and the leadership as they were found."""

    beats: Mapping[str, int]
    """The beat of each daemon by its id."""
    names: Mapping[str, str]
    leases: Mapping[str, float | None]
    """For how many seconds each may stand still, as it has said itself; None for one of an older version."""
    holder: str | None
    fence: int

    def is_vacant(self, me: str) -> bool:
        """Whether nobody else leads who lives. A life of one's own that is over may have had the same id."""
        return self.holder == me or self.holder not in self.beats


def enter(transaction: Transaction, me: str, name: str, now: datetime, *, lease: float | None) -> None:
    """A daemon begins to live; after `lease` seconds without a beat it is given up. None: no other one can live, so
    whatever rows are here are of ended ones."""
    connection = transaction.connection
    _make_row(connection)
    if lease is None:
        _NOBODY.change(connection)
    _ENTER.each(connection, [{"id": me, "name": name, "since": now, "beat": 0, "lease": lease}])


def _make_row(connection: Connection) -> None:
    """The row that says who leads is there, with nobody as long as nobody does."""
    if not _THERE.run(connection):
        _FIRST.each(connection, [{"id": ROW, "holder": None, "fence": 0, "handed_out": 0}])


def leads(connection: Connection, me: str, fence: int | None) -> bool:
    """Whether this daemon leads, by this fence. Raises LeaseLost when it has been given up, or leads by another one."""
    row = _STANDING.run(connection, me=me).one_or_none()
    if row is None or row.alive is None:
        raise LeaseLost(_GIVEN_UP)
    if fence is not None and (row.holder, row.fence) != (me, fence):
        raise LeaseLost("another daemon leads by now")
    return fence is not None


def beat(database: Database, me: str) -> None:
    """Show that this daemon lives, without standing in line for it. Raises LeaseLost when it has been given up."""
    with database.aside() as connection:
        if _BEAT.change(connection, me=me) == 0:
            raise LeaseLost(_GIVEN_UP)


def seen(connection: Connection) -> Seen:
    """All daemons, and which one leads."""
    rows = _ALL.run(connection)
    living = [row for row in rows if row.id is not None]
    return Seen(
        beats={row.id: row.beat for row in living},
        names={row.id: row.name for row in living},
        leases={row.id: row.lease for row in living},
        holder=rows[0].holder if rows else None,
        fence=rows[0].fence if rows else 0,
    )


def lead(transaction: Transaction, me: str, name: str, fence: int, now: datetime, *, alone: bool = False) -> int | None:
    """Take the leadership from nobody, or from one that lives no more; the new fence. None when another was quicker.

    `fence` is the one that was seen. It is noted in the ledger, unless a daemon can only be `alone`.
    """
    before = seen(transaction.connection)
    if before.fence != fence or not before.is_vacant(me):
        return None
    _LEAD.each(transaction.connection, [{"holder": me, "fence": fence + 1, "since": now}])
    if not alone:
        transaction.note("daemon.leads", now, {"name": name, "fence": fence + 1}, subject=me)
    return fence + 1


def give_up(transaction: Transaction, daemon: str, name: str, beat: int, now: datetime) -> bool:
    """Take a daemon for dead whose beat stood still at `beat`; False when it has shown itself meanwhile, or is gone."""
    gone = delete(tables.daemons).where(and_(N.id == daemon, N.beat == beat))
    if transaction.connection.execute(gone).rowcount == 0:
        return False
    transaction.note("daemon.lost", now, {"name": name}, subject=daemon)
    return True


def step_down(transaction: Transaction, me: str) -> None:
    """A daemon leads no more: another one may at once."""
    _STEP_DOWN.change(transaction.connection, me=me)


def leave(transaction: Transaction, me: str) -> None:
    """A daemon ends: others need not wait for its lease."""
    _LEAVE.change(transaction.connection, me=me)
    step_down(transaction, me)


def living(connection: Connection) -> frozenset[str]:
    """The ids of the daemons that live."""
    return frozenset(_LIVING.run(connection).scalars())


def hand_out(transaction: Transaction, count: int, now: datetime) -> tuple[range, str]:
    """So many fences for what is handed out now, greater than all before; and the lineage that they are counted in,
    which is another one once a store was restored or rebuilt.

    They are made of the time, so that two stores that were one once hardly ever count alike, and never fall.
    """
    if not count:
        return range(0), ""
    at = int(now.timestamp() * 1_000_000)
    newest, lineage = _HAND_OUT.run(transaction.connection, at=at, count=count)[0]
    return range(newest - count + 1, newest + 1), lineage


def lineage(connection: Connection) -> str:
    """Which life of the store this is: another one once it is restored or rebuilt."""
    return str(_LINEAGE.run(connection).scalar() or "")


def begin_lineage(transaction: Transaction, now: datetime) -> None:
    """What targets were told before this moment says nothing about the numbers that follow."""
    connection = transaction.connection
    _make_row(connection)
    connection.execute(update(tables.leadership).values(lineage=f"{int(now.timestamp() * 1_000_000):x}"))


def beating(connection: Connection) -> dict[str, tuple[str, int]]:
    """The name and the beat of each daemon by its id, of a store that any version may have left."""
    return {row.id: (row.name, row.beat) for row in connection.execute(select(N.id, N.name, N.beat))}


def at_work(connection: Connection) -> dict[str, str]:
    """The names of the daemons that are at work on the store, by their ids in order of the names. One that was killed
    alone leaves its row, since nobody watches; but no session."""
    query = select(N.id, N.name).order_by(N.name) if connection.dialect.name == "sqlite" else _WITH_A_SESSION
    return {row.id: row.name for row in connection.execute(query)}
