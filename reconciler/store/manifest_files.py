"""Which files of the repository hold manifests, which of them are broken, and which directories are content?

What they declare is in `declared`; what is told of broken ones is in `complaining`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.declared import chunks
from reconciler.store.statements import Among, Prepared

_F, _D = tables.files.c, tables.declarations.c
_BROKEN = Among(select(_F.path, _F.complaints).where(_F.complaints.is_not(None)), _F.path)
_BLOBS = Among(select(_F.path, _F.blob), _F.path)
_BELOW = Prepared(select(_F.path).where(_F.path >= bindparam("first"), _F.path < bindparam("beyond")))
_NAMING = Among(select(_D.name, _D.bundle, _D.path), _D.bundle)


def everywhere(connection: Connection) -> dict[str, bool]:
    """Every file that holds manifests, and whether it is broken."""
    query = select(_F.path, _F.complaints)
    return {row.path: row.complaints is not None for row in connection.execute(query)}


def below(connection: Connection, directory: str) -> list[str]:
    """Files that hold manifests inside a directory, sound and broken."""
    prefix = f"{directory}/" if directory else ""
    return _BELOW.run(connection, first=prefix, beyond=prefix + "\U0010ffff").scalars()


def blobs(connection: Connection, paths: Iterable[str]) -> dict[str, str]:
    """The blob id of each of these files, as it was noted last."""
    return {row.path: row.blob for part in chunks(paths) for row in _BLOBS.run(connection, part)}


def broken(connection: Connection, paths: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Complaints of those of the files that are broken."""
    found: dict[str, list[dict[str, Any]]] = {}
    for part in chunks(paths):
        found.update({row.path: row.complaints for row in _BROKEN.run(connection, part)})
    return found


def complain(transaction: Transaction, path: str, blob: str, complaints: list[dict[str, Any]]) -> None:
    """A file is broken: what it declared before stays in force, the apps it defines are held."""
    f = tables.files
    connection = transaction.connection
    changed = connection.execute(update(f).where(f.c.path == path).values(blob=blob, complaints=complaints))
    if changed.rowcount == 0:
        connection.execute(f.insert().values(path=path, blob=blob, complaints=complaints))


def bundles(connection: Connection) -> set[str]:
    """Every directory that an app names as its bundle."""
    return set(connection.execute(select(_D.bundle).where(_D.bundle.is_not(None)).distinct()).scalars())


def naming(connection: Connection, directories: Iterable[str]) -> list[Any]:
    """Declarations of apps that name one of these directories as their bundle: name, bundle, path."""
    return [row for part in chunks(directories) for row in _NAMING.run(connection, part)]
