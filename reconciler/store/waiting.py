"""Which deployments wait for their turn?

What goes back comes first everywhere, then what has waited longest. Each question reads about as many rows as it
answers with, however many wait: after a first start or a mass change that is every app.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, Select, bindparam, exists, func, select, text

from reconciler.model.deployment import ROLLBACKS
from reconciler.model.deployment import goes_back as going_back
from reconciler.store import tables
from reconciler.store.statements import Prepared

D = tables.deployments.c
# Said as the indexes say it: with values filled in later, neither database could tell that an index fits.
_PENDING = text("status = 'pending'")
# Who gets a turn is read whole afterwards: of those that are looked at, that is a part.
_ALL = select(D.id, D.app, D.environment, D.sequence, D.cause, D.rolled_back_from).where(_PENDING)
_MOST: BindParameter[int] = bindparam("most")


def _in_one(query: Select[Any]) -> Prepared:
    return Prepared(query.where(D.environment == bindparam("in_environment")).order_by(D.sequence).limit(_MOST))


_SOME = Prepared(_ALL.limit(_MOST))
_ANY = Prepared(select(exists().select_from(tables.deployments).where(_PENDING)))
_UNFINISHED = Prepared(select(func.count()).select_from(tables.deployments).where(tables.ACTIVE))
_OLDEST_IN = _in_one(_ALL)
_OF_CAUSE_IN = _in_one(_ALL.where(D.cause == bindparam("of_cause")))
_BACK_AGAIN_IN = _in_one(_ALL.where(D.cause == "retry", D.rolled_back_from.is_not(None)))


def anything(connection: Connection) -> bool:
    """Whether any deployment waits for its turn."""
    return bool(_ANY.run(connection).scalar())


def in_environment(connection: Connection, environment: str, limit: int) -> list[Row[Any]]:
    """Deployments that wait in an environment: what goes back first, then the oldest. Their rows hold what an order is
    made of."""
    of_each = [
        _OF_CAUSE_IN.run(connection, in_environment=environment, of_cause=one, most=limit) for one in sorted(ROLLBACKS)
    ]
    of_each.append(_BACK_AGAIN_IN.run(connection, in_environment=environment, most=limit))
    first = sorted((row for several in of_each for row in several), key=_order)[:limit]
    if len(first) >= limit:
        return first
    known = {row.id for row in first}
    oldest = _OLDEST_IN.run(connection, in_environment=environment, most=limit)
    return [*first, *(row for row in oldest if row.id not in known)][:limit]


def next_ones(connection: Connection, environments: Iterable[str], limit: int) -> dict[str, list[Row[Any]]]:
    """Deployments that wait, by environment, in the order in which they get their turn there; enough of each to fill
    `limit` places.

    Mostly they are few and read at once; a long queue in one environment must not hide the others.
    """
    few = _SOME.run(connection, most=limit + 1)
    if len(few) > limit:
        return {name: in_environment(connection, name, limit) for name in environments}
    found: dict[str, list[Row[Any]]] = {}
    for row in sorted(few, key=_order):
        found.setdefault(row.environment, []).append(row)
    return found


def goes_back(row: Row[Any]) -> bool:
    """Whether a deployment takes something back."""
    return going_back(row.cause, row.rolled_back_from)


def _order(row: Row[Any]) -> tuple[bool, int]:
    return not goes_back(row), int(row.sequence)


def unfinished(connection: Connection) -> int:
    """How many deployments are still to end."""
    return int(_UNFINISHED.run(connection).scalar())
