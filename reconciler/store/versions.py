"""Which versions of an app are recorded, and which one does a reference mean?"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, null, select

from reconciler.model.references import Pointer, pointers
from reconciler.model.version import Version
from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.declared import chunks
from reconciler.store.rows import version_of
from reconciler.store.statements import Among, Prepared, given, many, side_by_side

A = tables.apps.c
V = tables.versions.c

_ADD = Prepared(tables.versions.insert())
_LAST_FIRST = select(tables.versions).where(V.app == bindparam("of_app")).order_by(V.number.desc())
_LAST_FIRST = _LAST_FIRST.limit(bindparam("most"))
_LAST = Prepared(_LAST_FIRST)
_EARLIER = Prepared(_LAST_FIRST.where(V.number < bindparam("before")))
_BY_ID = Among(select(tables.versions), V.id)
_OF_APP = select(func.max(V.number)).where(V.app == A.name).correlate(tables.apps)
_KNOWN = select(V.id, null().label("app"), null().label("number")).where(V.id.in_(many("ids")))
_HIGHEST = select(null(), A.name, _OF_APP.scalar_subquery()).where(A.name.in_(many("apps")))
_STANDING = Prepared(_KNOWN.union_all(_HIGHEST))


def _pointed(at: ColumnElement[Any], *, whole: bool) -> Prepared:
    """What pairs of an app and a value point at: where the value is that column's, or else where that begins so."""
    told = given("pairs", app=V.app, pointer=at)
    value = told.c.pointer
    beginning = at if whole else func.substr(at, 1, func.length(value))
    query = select(tables.versions, value).join(told, (V.app == told.c.app) & (beginning == value))
    return Prepared(query.order_by(V.number.desc()))


_POINTED = {
    "name": _pointed(V.name, whole=True),
    "number": _pointed(V.number, whole=True),
    "digest": _pointed(V.id, whole=False),
    "commit": _pointed(V.commit, whole=False),
}
"""By what a reference may point, the likeliest first."""


def add(transaction: Transaction, rows: Sequence[dict[str, object]]) -> None:
    """Record new versions."""
    _ADD.each(transaction.connection, rows)


def standing(connection: Connection, apps: Iterable[str], ids: Iterable[str]) -> tuple[set[str], dict[str, int]]:
    """Those of the ids that are recorded, and the highest version number of each of the apps that has one."""
    known: set[str] = set()
    highest: dict[str, int] = {}
    for names, some in side_by_side(apps, ids):
        for row in _STANDING.run(connection, ids=some, apps=names):
            if row.id is not None:
                known.add(row.id)
            elif row.number is not None:
                highest[row.app] = row.number
    return known, highest


def ids(connection: Connection) -> frozenset[str]:
    """Every version that is recorded."""
    return frozenset(connection.scalars(select(V.id)))


def by_id(connection: Connection, ids: Iterable[str]) -> dict[str, Version]:
    """Versions by id."""
    wanted = list(ids)
    if not wanted:
        return {}
    return {found.id: version_of(found) for found in _BY_ID.run(connection, wanted)}


def named(connection: Connection, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Version]:
    """The versions that bear a name, by app and name, of those that are asked for."""
    return {pair: version_of(row) for pair, (row, *_) in _pointed_at(connection, "name", pairs).items()}


def newest(connection: Connection, app: str, limit: int, before: int | None = None) -> list[Version]:
    """The newest versions of an app, the highest number first; `before`: only those with a lower one."""
    if before is None:
        return [version_of(found) for found in _LAST.run(connection, of_app=app, most=limit)]
    return [version_of(found) for found in _EARLIER.run(connection, of_app=app, most=limit, before=before)]


def between(connection: Connection, app: str, first: int, last: int, limit: int) -> list[Version]:
    """The versions of an app from one number to another, both included, the lowest first: the newest of them."""
    here = (V.app == app) & V.number.between(first, last)
    query = select(tables.versions).where(here).order_by(V.number.desc()).limit(limit)
    return [version_of(found) for found in connection.execute(query)][::-1]


def find(connection: Connection, app: str, reference: str) -> Version | None:
    """The version that a reference means: a name first, then a number, then a digest prefix that fits only one."""
    return meant(connection, {app: [reference]}).get((app, reference))


def meant(connection: Connection, references: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], Version]:
    """The versions that references of apps mean, by app and reference; those that mean none are left out.

    Asked once for each way of pointing at a version, and not for each reference.
    """
    ways = {(app, reference): pointers(reference) for app, several in references.items() for reference in several}
    found: dict[tuple[str, str], Version] = {}
    for by in _POINTED:
        asked = {
            key: (key[0], _value(pointer))
            for key, several in ways.items()
            for pointer in several
            if pointer.by == by and key not in found
        }
        rows = _pointed_at(connection, by, dict.fromkeys(asked.values()))
        for key, pair in asked.items():
            fitting = rows.get(pair, [])
            if len(fitting) == 1 or (fitting and by == "commit"):
                found[key] = version_of(fitting[0])
    return found


def _value(pointer: Pointer) -> str | int:
    """What a version's column holds, or begins with, where it is meant."""
    match pointer.by:
        case "number":
            return int(pointer.value)
        case "digest":
            return f"sha256:{pointer.value}"
        case "name" | "commit":
            return pointer.value


def _pointed_at(connection: Connection, by: str, pairs: Iterable[tuple[str, Any]]) -> dict[tuple[str, Any], list[Any]]:
    """Rows by app and value, the highest number first."""
    found: dict[tuple[str, Any], list[Any]] = {}
    for part in chunks(pairs):
        for row in _POINTED[by].run(connection, pairs=part):
            found.setdefault((row.app, row.pointer), []).append(row)
    return found
