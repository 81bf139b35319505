"""Which apps are there that a person looks for: by a piece of the name, by labels, by how they stand?

How an app stands is found here by its traces, so that not every app need be planned. They may find some too many:
`views` has the last word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, Text, func, select, type_coerce, union

from reconciler.model.canonical import canonical
from reconciler.store import tables

A = tables.apps.c
_D, _I = tables.deployments.c, tables.interventions.c
State = Literal["moving", "approval", "held", "drifted", "paused", "broken", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which apps to list; None lets all pass."""

    q: str | None = None
    """A piece of the name, whatever its case."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """All of these."""
    environment: str | None = None
    state: State | None = None
    names: Sequence[str] | None = None
    limit: int = 100


def listed(connection: Connection, which: Filter, after: str = "") -> list[Any]:
    """Rows of apps that pass a filter, in order of name, from behind a name on.

    What has left git is among them where a state is asked for that it may be in.
    """
    query = select(tables.apps).where(A.name > after, *_conditions(which)).order_by(A.name)
    if not which.labels:
        return list(connection.execute(query.limit(which.limit)))
    # A text may hold what looks like a label and is none: JSON has the last word.
    found: list[Any] = []
    wanted = which.labels.items()
    for row in connection.execute(query):
        if wanted <= row.document["metadata"].get("labels", {}).items():
            found.append(row)
        if len(found) == which.limit:
            break
    return found


def _conditions(which: Filter) -> list[ColumnElement[bool]]:
    text = type_coerce(A.document, Text)
    found: list[ColumnElement[bool]] = [
        text.contains(f"{canonical(key)}:{canonical(value)}", autoescape=True) for key, value in which.labels.items()
    ]
    if which.names is not None:
        found.append(A.name.in_(which.names))
    if which.q is not None:
        found.append(func.lower(A.name).contains(which.q.lower(), autoescape=True))
    if which.environment is not None:
        placed = tables.placements.c
        found.append(A.name.in_(select(placed.app).where(placed.environment == which.environment)))
    found.append(_standing(which.state))
    return found


def _standing(state: State | None) -> ColumnElement[bool]:
    match state:
        case None:
            return A.removed.is_(False)
        case "removed":
            return A.removed.is_(True)
        case "broken":
            return A.complaints.is_not(None)
        case _:
            return A.name.in_(_traces(state))


def _traces(state: str) -> Select[Any] | CompoundSelect[Any]:
    match state:
        case "moving":
            return select(_D.app).where(tables.ACTIVE)
        case "approval":
            return select(tables.requests.c.app)
        case "held":
            return union(select(tables.holds.c.app), select(tables.suspicions.c.app))
        case "drifted":
            return select(tables.drifts.c.app)
        case _:
            asked = select(_I.app).where(_I.kind == "pause", _I.done_at.is_(None))
            return union(asked, select(A.name).where(type_coerce(A.document, Text).contains('"pause":')))
