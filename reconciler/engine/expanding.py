"""Which apps does an AppSet make at this commit?

Directories appear and vanish without the AppSet's own file changing: git's diff names them, so nothing else is
looked at.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter

from reconciler.engine.commit import Arrival
from reconciler.manifest import expand, matches
from reconciler.model.app import App
from reconciler.model.sets import AppSet
from reconciler.store import declared
from reconciler.store.database import Transaction

APP = TypeAdapter(App)
APP_SET = TypeAdapter(AppSet)


def expansions(appset: AppSet, arrival: Arrival, root: str) -> Iterator[tuple[str, tuple[App, dict[str, Any]]]]:
    """The apps of a set: (directory, (app, its document))."""
    for directory, app in expand(appset, list(_directories(appset, arrival, root))):
        at = f"{root}/{directory}" if root else directory
        yield at, (app, APP.dump_python(app, mode="json", exclude_defaults=True))


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


def refreshed_sets(transaction: Transaction, arrival: Arrival, root: str, skip: set[str]) -> set[str]:
    """Expand sets again of which a directory came or went; names of the apps that this concerns."""
    moved = [_below(c.path, root) for c in arrival.changes if c.kind in ("A", "D", "T") and _names_tree(c)]
    if arrival.first or not moved:
        return set()
    concerned: set[str] = set()
    for row in declared.of_kind(transaction.connection, "AppSet"):
        appset = APP_SET.validate_python(row.document)
        if row.path in skip or not any(matches(p, d) for p in appset.spec.directories for d in moved if d):
            continue
        made = [
            {
                "path": row.path,
                "ordinal": row.ordinal,
                "kind": "App",
                "name": app.name,
                "document": document,
                "base": directory,
            }
            for directory, (app, document) in expansions(appset, arrival, root)
        ]
        concerned |= declared.replace_made(transaction, row.path, row.ordinal, made)
    return concerned


def _names_tree(change: Any) -> bool:
    return "040000" in (change.old_mode, change.new_mode)
