"""Which files are broken, and which apps does that hold?

For those who tell it; what was wrong before is theirs to know.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from reconciler.store import tables
from reconciler.store.declared import chunks
from reconciler.store.statements import Among

_F = tables.files.c
_A = tables.apps.c
_FILES = select(_F.path, _F.complaints).where(_F.complaints.is_not(None))
_APPS = select(_A.name, _A.complaints).where(_A.complaints.is_not(None))
_FILES_AT = Among(_FILES, _F.path)
_APPS_NAMED = Among(_APPS, _A.name)

Complaints = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Held:
    """Complaints of broken files by path, and those that hold apps by name."""

    files: dict[str, Complaints]
    apps: dict[str, Complaints]


def everything(connection: Connection) -> Held:
    """All that is broken."""
    return Held(
        {row.path: row.complaints for row in connection.execute(_FILES)},
        {row.name: row.complaints for row in connection.execute(_APPS)},
    )


def among(connection: Connection, paths: Iterable[str], names: Iterable[str]) -> Held:
    """What is broken of these files and apps."""
    files = (row for part in chunks(paths) for row in _FILES_AT.run(connection, part))
    apps = (row for part in chunks(names) for row in _APPS_NAMED.run(connection, part))
    return Held({row.path: row.complaints for row in files}, {row.name: row.complaints for row in apps})
