"""Which apps may need a person, and which may be in motion? For a summary of very many of them.

Found by their traces, in pages of names, without looking at the others and without reading their documents;
`views/matrix` has the last word about each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, exists, func, or_, select, text, type_coerce, union

from reconciler.store import tables
from reconciler.store.obstacles import NEEDS_PERSON, REFUSED
from reconciler.store.statements import Among

A, P, V = tables.apps.c, tables.placements.c, tables.versions.c
_D, _I, _W = tables.deployments.c, tables.interventions.c, tables.obstacles.c
_TO_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)
SOON = timedelta(days=7)
"""What becomes due at a moment further away than that, and waits for nothing, is quiet for now."""
_PEOPLE = union(
    select(A.name.label("app")).where(A.complaints.is_not(None)),
    *(select(table.c.app) for table in (tables.holds, tables.drifts, tables.suspicions)),
    select(_W.app).where(_W.kind.in_(NEEDS_PERSON)),
)
_LEFT = select(P.app).where(P.declared.is_(False))
# Said as its index says it, as in `store/ahead`: else every row is looked at.
_UNTAKEN = select(tables.triggers.c.app).where(text("triggers.open"), tables.triggers.c.error.is_not(None))
"""Apps whose routes, domains or crons a target did not take."""
_PLACES_OF = Among(select(func.count()).select_from(tables.placements).where(P.declared), P.app)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which apps somebody looks for; None lets all pass."""

    text: str | None = None
    """The beginning or a piece of an app's name or team; or of a version's name, tag, commit or author."""
    team: str | None = None
    """The value of the label `team`."""


def person(connection: Connection) -> list[str]:
    """Apps that may need a person, in order of name."""
    candidates = _PEOPLE.subquery()
    query = select(A.name).join(candidates, candidates.c.app == A.name)
    return list(connection.execute(query.order_by(A.name)).scalars().all())


def motion(connection: Connection, now: datetime) -> list[str]:
    """Apps that may be in motion, or wait for something: what moves comes first, then what waits the shortest."""
    moving = select(_D.app).where(_D.status.in_(["pending", "started"]))
    candidates = union(moving, _paused(now), select(tables.requests.c.app), _LEFT, _UNTAKEN).subquery()
    first = select(A.name).join(candidates, candidates.c.app == A.name).order_by(A.name)
    waiting = select(A.name).where(A.due_at.is_not(None), A.due_at < now + SOON).order_by(A.due_at, A.name)
    long = select(_W.app).where(_W.kind.not_in(NEEDS_PERSON)).distinct().order_by(_W.app)
    found = (connection.execute(query).scalars().all() for query in (first, waiting, long))
    return list(dict.fromkeys(chain.from_iterable(found)))


def wrong(connection: Connection) -> list[str]:
    """Apps in which something may be broken, refused or failing, in order of name."""
    failing = select(_D.app).where(tables.ACTIVE, _D.next_attempt_at.is_not(None))
    refused = select(_W.app).where(_W.kind == REFUSED)
    seen = (select(table.c.app) for table in (tables.drifts, tables.suspicions))
    return _named(connection, select(A.name).where(A.complaints.is_not(None)), *seen, refused, failing, _UNTAKEN)


def stopped(connection: Connection, now: datetime) -> list[str]:
    """Apps that may be held, paused or frozen, or have left git, in order of name."""
    seen = (select(table.c.app) for table in (tables.holds, tables.suspicions))
    waiting = select(_W.app).where(_W.kind.in_(["freeze", "pause"]))
    return _named(connection, *seen, waiting, _paused(now), _LEFT)


def started(connection: Connection) -> list[str]:
    """Apps of which a deployment is being carried out, in order of name."""
    return _named(connection, select(_D.app).where(_D.status == "started"))


def overdue(connection: Connection, now: datetime) -> list[str]:
    """Apps whose plans may say something else than what is recorded of them."""
    return list(connection.execute(select(A.name).where(A.due_at <= now)).scalars().all())


def _named(connection: Connection, *queries: Select[Any]) -> list[str]:
    names = union(*queries) if len(queries) > 1 else queries[0].distinct()
    return sorted(filter(None, connection.execute(names).scalars().all()))


def _paused(now: datetime) -> Select[Any]:
    return select(_I.app).where(_I.kind == "pause", _I.done_at.is_(None), _I.until > now)


def soonest(connection: Connection, now: datetime, most: int) -> list[tuple[str, datetime]]:
    """The apps of which something may become due next, and when (UTC)."""
    query = select(A.name, A.due_at).where(A.due_at > now).order_by(A.due_at, A.name).limit(most)
    return [(row.name, row.due_at) for row in connection.execute(query)]


def others(connection: Connection, after: str, limit: int) -> list[str]:
    """Apps behind a name, in order; also those of the other groups."""
    query = select(A.name).where(A.name > after, A.removed.is_(False))
    return list(connection.execute(query.order_by(A.name).limit(limit)).scalars())


def count(connection: Connection) -> tuple[int, int]:
    """How many apps there are, and in how many places they are."""
    # Of the narrow table: each row of the other one holds a whole manifest.
    row = connection.execute(select(func.count(P.app.distinct()), func.count()).where(P.declared)).one()
    return int(row[0]), int(row[1])


def places_of(connection: Connection, names: list[str]) -> int:
    """In how many places these apps are."""
    return sum(_PLACES_OF.run(connection, names).scalars()) if names else 0


def teams(connection: Connection) -> dict[str, str]:
    """The value of the label `team` of each app that has one; it reads every manifest that says so."""
    text = type_coerce(A.document, Text)
    query = select(A.name, A.document).where(A.removed.is_(False), text.contains('"team":'))
    found = (
        (row.name, (row.document["metadata"].get("labels") or {}).get("team")) for row in connection.execute(query)
    )
    return {name: team for name, team in found if team}


def fitting(connection: Connection, wanted: Wanted, teams: Mapping[str, str]) -> list[str] | None:
    """The apps that fit, in order of name, as many as there are; None for all. `teams` is as told above."""
    if wanted.text is None and wanted.team is None:
        return None
    found = set(connection.execute(select(A.name).where(_says(wanted.text))).scalars())
    if wanted.text is not None:
        words = wanted.text.lower()
        found |= {name for name, team in teams.items() if words in team.lower()}
    if wanted.team is not None:
        found &= {name for name, team in teams.items() if team == wanted.team}
    return sorted(found)


def _says(text: str | None) -> ColumnElement[bool]:
    if text is None:
        return A.removed.is_(False)
    words = text.translate(_TO_SMALL)  # what `lower` does to letters in both databases: nothing to an Ä
    version = select(V.app).where(
        or_(
            func.lower(V.name).startswith(words, autoescape=True),
            V.commit.startswith(words, autoescape=True),
            func.lower(V.author_email).startswith(words, autoescape=True),
            func.lower(V.author_name).contains(words, autoescape=True),
            func.lower(type_coerce(V.tags, Text)).contains(f'"{words}', autoescape=True),
        )
    )
    return func.lower(A.name).contains(words, autoescape=True) | A.name.in_(version)


def exact(connection: Connection, name: str) -> bool:
    """Whether an app is called exactly so, or was reported by that name, or is to start."""
    others = (exists().where(table.c.app == name) for table in (tables.reports, tables.starts))
    return bool(connection.execute(select(or_(exists().where(A.name == name), *others))).scalar())
