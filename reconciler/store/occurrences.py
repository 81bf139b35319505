"""Which edges of time have led to a deployment?

An edge occurs once: a season's start that was missed is caught up, and not a second time.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, select

from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.declared import chunks
from reconciler.store.statements import Prepared, given

_O = tables.occurrences.c
_EDGE = ("kind", "app", "environment", "due_at")
_EDGES = given("edges", **{name: _O[name] for name in _EDGE})
_SAME = and_(*(_O[name] == _EDGES.c[name] for name in _EDGE))
_KNOWN = Prepared(select(*(_O[name] for name in _EDGE)).join(_EDGES, _SAME))
_ADD = Prepared(tables.occurrences.insert())


def note(transaction: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record edges of time that led to deployments; what has occurred before is left as it is."""
    edges = {tuple(row[name] for name in _EDGE): row for row in reversed(rows)}
    for part in chunks(edges):
        known = {tuple(row) for row in _KNOWN.run(transaction.connection, edges=part)}
        _ADD.each(transaction.connection, [edges[edge] for edge in part if edge not in known])
