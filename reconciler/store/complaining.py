"""Which files are broken, and which apps does that hold?

For those who tell it; what was wrong before is theirs to know.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, null, select

from reconciler.store import tables
from reconciler.store.statements import Prepared, many, side_by_side

_F = tables.files.c
_A = tables.apps.c
_FILES = select(_F.path, _F.complaints).where(_F.complaints.is_not(None))
_ALL_FILES = Prepared(_FILES)
_ALL_APPS = Prepared(select(_A.name, _A.complaints).where(_A.complaints.is_not(None)))
_BROKEN = select(_F.path, null().label("name"), _F.complaints).where(_F.complaints.is_not(None))
_HELD = select(null(), _A.name, _A.complaints).where(_A.complaints.is_not(None))
_AMONG = Prepared(
    _BROKEN.where(_F.path.in_(many("paths"))).union_all(_HELD.where(_A.name.in_(many("names")))),
)
_COUNTED = Prepared(select(func.count(_F.path)).where(_F.complaints.is_not(None)))
_BEHIND = Prepared(_FILES.where(_F.path > bindparam("after")).order_by(_F.path).limit(bindparam("most")))

Complaints = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Broken:
    """How many files are broken, and what is wrong with the first of them."""

    files: int
    first: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """Complaints of broken files by path, and those that hold apps by name."""

    files: dict[str, Complaints]
    apps: dict[str, Complaints]


def everything(connection: Connection) -> Held:
    """All that is broken."""
    return Held(
        {row.path: row.complaints for row in _ALL_FILES.run(connection)},
        {row.name: row.complaints for row in _ALL_APPS.run(connection)},
    )


def among(connection: Connection, paths: Iterable[str], names: Iterable[str]) -> Held:
    """What is broken of these files and apps."""
    found = Held({}, {})
    for some, others in side_by_side(paths, names):
        for row in _AMONG.run(connection, paths=some, names=others):
            if row.path is not None:
                found.files[row.path] = row.complaints
            else:
                found.apps[row.name] = row.complaints
    return found


def broken(connection: Connection) -> Broken | None:
    """What is to be said in a line; None where every file is sound."""
    files = listed(connection, "", 1)
    if not files:
        return None
    (complaints,) = files.values()
    first = next((one for one in complaints if one["severity"] == "error"), complaints[0])
    return Broken(_COUNTED.run(connection).scalar(), first)


def listed(connection: Connection, after: str, most: int) -> dict[str, Complaints]:
    """Complaints of broken files, so many behind a path, in order of it."""
    return {row.path: row.complaints for row in _BEHIND.run(connection, after=after, most=most)}


def complaints(connection: Connection) -> list[dict[str, Any]]:
    """Everything that files and apps suffer from, in order of place."""
    held = everything(connection)
    unique = {
        (c["path"], c["line"], c["column"], c["message"]): c
        for several in (held.files, held.apps)
        for found in several.values()
        for c in found
    }
    return [unique[key] for key in sorted(unique)]
