"""Which versions of an app are recorded, and which one does a reference mean?"""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, bindparam, func, null, select

from reconciler.model.references import Pointer, pointers
from reconciler.model.version import Version
from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.rows import version_of
from reconciler.store.statements import Among, Prepared, many, side_by_side

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


def by_id(connection: Connection, ids: Iterable[str]) -> dict[str, Version]:
    """Versions by id."""
    wanted = list(ids)
    if not wanted:
        return {}
    return {found.id: version_of(found) for found in _BY_ID.run(connection, wanted)}


def named(connection: Connection, app: str, name: str) -> Version | None:
    """The version that bears a name."""
    found = connection.execute(select(tables.versions).where(V.app == app, V.name == name)).one_or_none()
    return version_of(found) if found else None


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
    for pointer in pointers(reference):
        found = connection.execute(
            select(tables.versions).where(V.app == app, _condition(pointer)).order_by(V.number.desc()).limit(2)
        ).all()
        if len(found) == 1 or (found and pointer.by == "commit"):
            return version_of(found[0])
    return None


def _condition(pointer: Pointer) -> ColumnElement[bool]:
    match pointer.by:
        case "name":
            return V.name == pointer.value
        case "number":
            return V.number == int(pointer.value)
        case "digest":
            return V.id.like(f"sha256:{pointer.value}%")
        case "commit":
            return V.commit.like(f"{pointer.value}%")
