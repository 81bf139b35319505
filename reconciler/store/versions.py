"""Which versions of an app are recorded, and which one does a reference mean?"""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from reconciler.model.references import Pointer, pointers
from reconciler.model.version import Version
from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.rows import version_of
from reconciler.store.statements import Among, Prepared

A = tables.apps.c
V = tables.versions.c

_ADD = Prepared(tables.versions.insert())
_LAST_FIRST = select(tables.versions).where(V.app == bindparam("of_app")).order_by(V.number.desc())
_LAST_FIRST = _LAST_FIRST.limit(bindparam("most"))
_LAST = Prepared(_LAST_FIRST)
_EARLIER = Prepared(_LAST_FIRST.where(V.number < bindparam("before")))
_KNOWN = Among(select(V.id), V.id)
_BY_ID = Among(select(tables.versions), V.id)
_OF_APP = select(func.max(V.number)).where(V.app == A.name).correlate(tables.apps)
_HIGHEST = Among(select(A.name, _OF_APP.scalar_subquery().label("number")), A.name)


def add(transaction: Transaction, rows: Sequence[dict[str, object]]) -> None:
    """Record new versions."""
    _ADD.each(transaction.connection, rows)


def known(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Those of the ids that are recorded."""
    wanted = list(ids)
    return set(_KNOWN.run(connection, wanted).scalars()) if wanted else set()


def by_id(connection: Connection, ids: Iterable[str]) -> dict[str, Version]:
    """Versions by id."""
    wanted = list(ids)
    if not wanted:
        return {}
    return {found.id: version_of(found) for found in _BY_ID.run(connection, wanted)}


def highest_numbers(connection: Connection, apps: Iterable[str]) -> dict[str, int]:
    """The highest version number of each app that has one."""
    wanted = list(apps)
    if not wanted:
        return {}
    return {row.name: row.number for row in _HIGHEST.run(connection, wanted) if row.number is not None}


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
