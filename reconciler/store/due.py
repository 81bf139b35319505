"""Which apps are to be planned again, and when does something follow without a new commit?

The mark of an app is the moment from which its plan can be another one. Asked of by every command that looks for what
there is to do, and mostly answered with: not now.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from reconciler.store import declared, tables
from reconciler.store.database import Transaction
from reconciler.store.declared import chunks
from reconciler.store.statements import Among, Prepared

A = tables.apps.c
_D, _P = tables.deployments.c, tables.placements.c
_LATER = A.due_at.is_(None) | (A.due_at > bindparam("at", type_=A.due_at.type))
_MARK = Among(update(tables.apps).where(_LATER).values(due_at=bindparam("at", type_=A.due_at.type)), A.name)
_AT = bindparam("at", type_=A.due_at.type)
_PLANNED = Among(update(tables.apps).where(A.due_at.is_distinct_from(_AT)).values(due_at=_AT), A.name)
_DUE = select(A.name).where(A.due_at.is_not(None), A.due_at <= bindparam("at", type_=A.due_at.type))
_DUE_NOW = Prepared(_DUE.order_by(A.due_at.desc(), A.name.desc()).limit(bindparam("most")))
NEXT_DUE = select(A.due_at).where(A.due_at.is_not(None)).order_by(A.due_at).limit(1)
NEXT_ATTEMPT = select(_D.next_attempt_at).where(_D.status == "started", _D.next_attempt_at.is_not(None))
NEXT_ATTEMPT = NEXT_ATTEMPT.order_by(_D.next_attempt_at).limit(1)
_NEXT_WORK = Prepared(select(NEXT_DUE.scalar_subquery(), NEXT_ATTEMPT.scalar_subquery()))


def next_work(connection: Connection, *, attempts: bool = True) -> datetime | None:
    """The earliest moment at which an app is due or, with `attempts`, a started deployment is tried again."""
    due_at, attempt_at = _NEXT_WORK.run(connection)[0]
    return min((moment for moment in (due_at, attempt_at if attempts else None) if moment is not None), default=None)


def mark(transaction: Transaction, names: Iterable[str], at: datetime) -> None:
    """These apps are to be planned again at `at` or sooner."""
    for part in chunks(sorted(names)):
        _MARK.change(transaction.connection, part, at=at)


def mark_with_dependents(transaction: Transaction, names: set[str], at: datetime) -> None:
    """These apps, and those that wait for them, are to be planned again at `at` or sooner."""
    if names:
        mark(transaction, names | declared.dependents(transaction.connection, names), at)


def mark_all(transaction: Transaction, at: datetime) -> None:
    """Every app is to be planned again: the slow pass that guards against a mark that was never set."""
    later = A.due_at.is_(None) | (A.due_at > at)
    transaction.connection.execute(update(tables.apps).where(later).values(due_at=at))


def planned(transaction: Transaction, wakes: Mapping[str, datetime | None]) -> None:
    """These apps have been planned; their plans can be other ones at these moments."""
    connection = transaction.connection
    by_moment: dict[datetime | None, list[str]] = {}
    for name, moment in wakes.items():
        by_moment.setdefault(moment, []).append(name)
    for moment, names in by_moment.items():
        for part in chunks(names):
            _PLANNED.change(connection, part, at=moment)


def apps(connection: Connection, now: datetime, limit: int) -> list[str]:
    """Apps whose plan can be another one by now, those of the newest mark first; in order of name."""
    return sorted(_DUE_NOW.run(connection, at=now, most=limit).scalars())


def placed_in(connection: Connection, environment: str, moment: datetime, limit: int) -> list[str]:
    """Apps of an environment whose plan can be another one by a moment, the soonest first."""
    here = (_P.app == A.name) & (_P.environment == environment) & _P.declared
    query = select(A.name).join(tables.placements, here).where(A.due_at <= moment).order_by(A.due_at, A.name)
    return list(connection.execute(query.limit(limit)).scalars())


def next_due(connection: Connection) -> datetime | None:
    """The earliest moment at which some app's plan can be another one."""
    moment: datetime | None = connection.execute(NEXT_DUE).scalar()
    return moment
