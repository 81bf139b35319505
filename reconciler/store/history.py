"""Which deployments were there: the newest of some apps, what ran at a moment, those that pass a filter?

An app's question reads that app's rows, and of those about as many as it is answered with, however long its history
and however many deployments there are besides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger as Whole
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    bindparam,
    exists,
    func,
    select,
    text,
    tuple_,
    type_coerce,
)

from reconciler.model.deployment import Deployment
from reconciler.store import tables
from reconciler.store.rows import deployment_of
from reconciler.store.statements import Among, Prepared, many

D = tables.deployments.c
P = tables.placements.c
_ALL = select(tables.deployments)
_ONE = tables.deployments.alias("one")
_HERE = (_ONE.c.app == P.app) & (_ONE.c.environment == P.environment)
_COMPLETED = _HERE & (_ONE.c.status == "completed")
_MOMENT = bindparam("moment", type_=D.finished_at.type)
_HIGHEST = select(func.max(_ONE.c.number)).where(_HERE).correlate(tables.placements).scalar_subquery()


def _newest() -> CompoundSelect[Any]:
    # Numbers have no gaps: the newest ones are told by the highest, which an index knows, and the newest completed one
    # lies close to it.
    ends = select(P.app, P.environment, _HIGHEST.label("highest"), _last(_COMPLETED).label("done"))
    of = ends.where(P.app.in_(many("apps"))).cte("ends").c
    here = (D.app == of.app) & (D.environment == of.environment)
    least = of.highest - bindparam("each")
    newest = _ALL.join(of.app.table, here & (D.number > least))
    return newest.union_all(_ALL.join(of.app.table, here & (D.number == of.done)).where(of.done <= least))


def _last(condition: ColumnElement[bool]) -> Any:
    query = select(_ONE.c.number).where(condition).order_by(_ONE.c.number.desc()).limit(1)
    return query.correlate(tables.placements).scalar_subquery()


_NEWEST = Prepared(_newest())
_RUNNING = _last(_COMPLETED & (_ONE.c.finished_at <= _MOMENT))
_RAN = Among(select(P.app, P.environment, _RUNNING.label("number")), P.app)
_I = tables.interventions.c
_RETRIES = exists().where(_I.kind == "retry", _I.done_at.is_(None)).label("retries")
_NUMBERS = Among(select(P.app, P.environment, _HIGHEST.label("number"), _RETRIES), P.app)
_NUMBERED = Prepared(
    _ALL.where(
        D.app == bindparam("of_app"), D.environment == bindparam("in_environment"), D.number == bindparam("numbered")
    )
)
_LAST = Prepared(select(D.sequence, D.number, D.created_at).where(D.id == bindparam("identifier")))
_L = tables.ledger.c
_ENDS = tuple(f"deployment.{status}" for status in ("completed", "failed", "aborted"))
_ENDED = Prepared(select(_L.kind).where(_L.sequence > bindparam("after"), _L.kind.in_(_ENDS)))
_WANTED = ("app", "environment", "status", "cause", "since", "until")
_NEXT_PLACE = Prepared(
    select(func.min(D.environment)).where(D.status == bindparam("of_status"), D.environment > bindparam("after"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which deployments to list; None lets all pass."""

    app: str | None = None
    environment: str | None = None
    status: str | None = None
    cause: str | None = None
    since: datetime | None = None
    """Made then or later (UTC)."""
    until: datetime | None = None
    """Made before (UTC)."""
    limit: int = 10


def recent(connection: Connection, apps: Sequence[str], each: int) -> list[Deployment]:
    """The newest deployments of each app in each environment, and the newest completed one whatever its age.

    In order of app and environment, the newest first.
    """
    rows = _NEWEST.run(connection, apps=apps, each=each)
    return [deployment_of(row) for row in sorted(rows, key=lambda row: (row.app, row.environment, -row.number))]


def ran_at(connection: Connection, apps: Sequence[str], moment: datetime) -> dict[tuple[str, str], Deployment]:
    """What ran of these apps at a moment, by app and environment: the newest that had completed by then."""
    ended = [row for row in _RAN.run(connection, apps, moment=moment) if row.number is not None]
    return {
        (one.app, one.environment): deployment_of(row)
        for one in ended
        for row in _NUMBERED.run(connection, of_app=one.app, in_environment=one.environment, numbered=one.number)
    }


def numbers(connection: Connection, apps: Sequence[str]) -> dict[tuple[str, str], int]:
    """The highest deployment number by app and environment."""
    return numbers_and_retries(connection, apps)[0]


def numbers_and_retries(connection: Connection, apps: Sequence[str]) -> tuple[dict[tuple[str, str], int], bool]:
    """The highest deployment number by app and environment; and whether anybody may have asked for anything at all to
    be tried again."""
    rows = _NUMBERS.run(connection, apps)
    found = {(row.app, row.environment): row.number for row in rows if row.number is not None}
    return found, not rows or bool(rows[0].retries)


def ended_after(connection: Connection, sequence: int) -> dict[str, int]:
    """How many deployments ended after a fact of the ledger, by how they ended."""
    return Counter(kind.removeprefix("deployment.") for kind in _ENDED.run(connection, after=sequence).scalars())


def listed(connection: Connection, which: Filter, before: str | None = None) -> list[Deployment]:
    """Deployments that pass a filter, newest first; `before`: only those that follow the one of this id."""
    last = _LAST.run(connection, identifier=before).one_or_none() if before is not None else None
    if which.app is None and which.environment is None and which.status not in (None, "completed"):
        # Asked for each environment, an index has them in order.
        places = _places(connection, which.status)
        found = [row for name in places for row in _listed(connection, replace(which, environment=name), last)]
        rows = sorted(found, key=lambda row: int(row.sequence), reverse=True)[: which.limit]
    else:
        rows = _listed(connection, which, last)
    return [deployment_of(row) for row in rows]


def _listed(connection: Connection, which: Filter, last: Any) -> list[Any]:
    wanted = {name: value for name in _WANTED if (value := getattr(which, name)) is not None}
    unusual = which.status not in (None, "completed")
    rarer = which.cause not in (None, "release")
    values = {f"of_{name}": value for name, value in wanted.items()} | {"most": which.limit}
    if last is not None:
        values |= {"last": last.sequence, "last_number": last.number, "last_at": last.created_at}
    return _listing(frozenset(wanted), unusual, rarer, last is not None).run(connection, **values)


def _places(connection: Connection, status: str | None) -> Iterator[str]:
    """Environments in which deployments have a status."""
    name = _NEXT_PLACE.run(connection, of_status=status, after="").scalar()
    while name is not None:
        yield name
        name = _NEXT_PLACE.run(connection, of_status=status, after=name).scalar()


@cache
def _listing(wanted: frozenset[str], unusual: bool, rarer: bool, goes_on: bool) -> Prepared:
    """The statement for what is said of these fields, made once: `unusual` is another status than that most have,
    `rarer` another cause.

    What is asked for an app goes through its own rows, and else through what is rare: a database that knows nothing
    of how many rows each index leads to must not choose another.
    """
    query, newest = _ALL.limit(bindparam("most")), D.sequence
    environment: ColumnElement[Any] = D.environment
    status: ColumnElement[Any] = D.status
    cause: ColumnElement[Any] = D.cause
    created: ColumnElement[Any] = type_coerce(D.created_at, Whole)
    if "app" in wanted:
        newest = D.sequence if "environment" not in wanted else D.number
        status, cause, created = _aside(status), _aside(cause), created + 0
    elif unusual:
        cause, created = _aside(cause), created + 0
    elif rarer:
        # Said as the index says it, that ordinary releases are not in.
        query = query.where(text("deployments.cause <> 'release'"))
        environment, status, created = _aside(environment), _aside(status), created + 0
    elif not wanted.isdisjoint(("since", "until")):
        environment, status, cause = _aside(environment), _aside(status), _aside(cause)
        newest = D.created_at
    equal = {"app": D.app, "environment": environment, "status": status, "cause": cause}
    query = query.where(*(column == bindparam(f"of_{name}") for name, column in equal.items() if name in wanted))
    if "since" in wanted:
        query = query.where(created >= bindparam("of_since", type_=D.created_at.type))
    if "until" in wanted:
        query = query.where(created < bindparam("of_until", type_=D.created_at.type))
    if goes_on:
        query = query.where(_behind(newest))
    return Prepared(query.order_by(newest.desc(), D.sequence.desc()))


def _behind(newest: ColumnElement[Any]) -> ColumnElement[bool]:
    """What comes after a deployment in this order."""
    last: BindParameter[Any] = bindparam("last", type_=D.sequence.type)
    if newest is D.created_at:
        moment: BindParameter[Any] = bindparam("last_at", type_=D.created_at.type)
        earlier: ColumnElement[bool] = tuple_(newest, D.sequence) < tuple_(moment, last)
        return earlier
    behind: ColumnElement[bool] = D.number < bindparam("last_number") if newest is D.number else D.sequence < last
    return behind


def _aside(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column's value as no index has it."""
    return column.concat("")
