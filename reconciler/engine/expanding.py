"""What does a file declare at this commit, with the apps that its AppSets make of directories?

Directories appear and vanish without the AppSet's own file changing: git's diff names them, so nothing else is
looked at.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection

from reconciler.engine.commit import Arrival
from reconciler.engine.reading import bundle_of, row_of
from reconciler.git.shapes import Change
from reconciler.manifest import Declaration, expand, matches
from reconciler.model.app import App
from reconciler.model.canonical import canonical
from reconciler.model.sets import AppSet
from reconciler.store import declared
from reconciler.store.types import Written

APP = TypeAdapter(App)
APP_SET = TypeAdapter(AppSet)


@dataclass(frozen=True, slots=True)
class Made:
    """What a set makes now whose own file did not change."""

    path: str
    ordinal: int
    rows: list[dict[str, Any]]


def rows_of(path: str, several: Iterable[Declaration], arrival: Arrival, root: str) -> Iterator[dict[str, Any]]:
    """What a file declares as rows, documents as their texts; a set stands beside the apps that it makes."""
    base = path.rpartition("/")[0]
    for one in several:
        bundle = bundle_of(one.manifest, path, base) if isinstance(one.manifest, App) else None
        yield row_of(path, one.ordinal, one.kind, one.name, Written(canonical(one.document)), base, bundle)
        if isinstance(one.manifest, AppSet):
            yield from _made(one.manifest, path, one.ordinal, arrival, root)


def refreshed(connection: Connection, arrival: Arrival, root: str, skip: Collection[str]) -> list[Made]:
    """Sets of which a directory came or went with this commit; not those in the files to `skip`."""
    moved = [_below(c.path, root) for c in arrival.changes if c.kind in ("A", "D", "T") and _names_tree(c)]
    found: list[Made] = []
    for row in declared.of_kind(connection, "AppSet") if moved else ():
        appset = APP_SET.validate_python(row.document)
        if row.path not in skip and any(matches(p, d) for p in appset.spec.directories for d in moved if d):
            found.append(Made(row.path, row.ordinal, list(_made(appset, row.path, row.ordinal, arrival, root))))
    return found


def _made(appset: AppSet, path: str, ordinal: int, arrival: Arrival, root: str) -> Iterator[dict[str, Any]]:
    """The apps that a set makes, as rows."""
    for directory, app in expand(appset, list(_directories(appset, arrival, root))):
        at = f"{root}/{directory}" if root else directory
        document = Written(canonical(APP.dump_python(app, mode="json", exclude_defaults=True)))
        yield row_of(path, ordinal, "App", app.name, document, at, bundle_of(app, path, at))


def _directories(appset: AppSet, arrival: Arrival, root: str) -> Iterator[str]:
    """Directories below the followed path that a pattern of the set matches."""
    for prefix in {_fixed(pattern, root) for pattern in appset.spec.directories}:
        for entry in arrival.objects.tree(arrival.commit.tree, prefix):
            inside = _below(entry.path, root)
            if entry.type == "tree" and inside and any(matches(p, inside) for p in appset.spec.directories):
                yield inside


def _fixed(pattern: str, root: str) -> str:
    """The part of a pattern before its first wildcard: nothing else needs to be listed."""
    parts: list[str] = [root] if root else []
    for part in pattern.strip("/").split("/"):
        if any(letter in part for letter in "*?["):
            break
        parts.append(part)
    else:
        parts.pop()
    return "/".join(part for part in parts if part not in ("", "."))


def _below(path: str, root: str) -> str:
    if not root:
        return path
    return path.removeprefix(f"{root}/") if path.startswith(f"{root}/") else ""


def _names_tree(change: Change) -> bool:
    return "040000" in (change.old_mode, change.new_mode)
