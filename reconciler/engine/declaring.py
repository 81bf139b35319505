"""Which manifests did a commit change, and which apps does that concern?

Changed files are parsed and take the place of what they declared; a broken one keeps what it declared and is
complained about. The work is proportional to what changed, not to the repository.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection

from reconciler.engine.commit import Arrival
from reconciler.engine.expanding import refreshed
from reconciler.engine.reading import (
    Files,
    apps_of,
    clean_name,
    complaint,
    complaint_row,
    is_candidate,
    named,
    read,
)
from reconciler.engine.rereading import reread
from reconciler.manifest import ancestors, shared
from reconciler.model.app import App
from reconciler.store import declared, manifest_files, written
from reconciler.store.database import Transaction
from reconciler.views.scene import declared_environments, in_order


@dataclass(slots=True)
class Concerned:
    """What a commit's change of manifests and bundles concerns."""

    apps: set[str] = field(default_factory=set)
    """Apps that are to be looked at again."""
    environments: dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None]] = field(default_factory=dict)
    """Environments that changed: before and after."""
    seasons: dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None]] = field(default_factory=dict)
    """Seasons that changed: before and after."""
    thawed: set[str] = field(default_factory=set)
    """Environments whose freezes changed."""
    grouped: set[str] = field(default_factory=set)
    """Apps that a Group names or named, where the Group changed."""
    files: set[str] = field(default_factory=set)
    """Files that were read, and those that hold no manifest any more."""
    manifests: dict[tuple[str, int, str], App] = field(default_factory=dict)
    """Apps that changed files declare, by path, ordinal and name: what was read just now is not read again."""


def declare(transaction: Transaction, arrival: Arrival, root: str) -> Concerned:
    """Take in the manifests that a commit changed; `root` is the followed path, '' for everything."""
    connection = transaction.connection
    concerned = Concerned()
    namers = _namers_above(connection, arrival, concerned)
    files = _changed(connection, arrival, root, namers)
    _settle_binary(connection, files)
    sets = refreshed(connection, arrival, root, skip={*files.sound, *files.gone})
    found = reread(connection, arrival, files, sets, root, namers)
    record(transaction, files, found.rows, found.before)
    kept = {(row.path, row.ordinal, row.kind, row.name) for row in found.before if row.path in files.broken}
    _compare(connection, found.before, found.rows, kept, concerned)
    concerned.files |= set(files.paths)
    for path, (_, several) in files.sound.items():
        concerned.manifests |= apps_of(path, several)
    for one in found.made:
        concerned.apps |= declared.replace_made(transaction, one.path, one.ordinal, one.rows)
    return concerned


def record(transaction: Transaction, files: Files, rows: Sequence[dict[str, Any]], before: Iterable[Any]) -> None:
    """Record what the sound files declare, which is `rows`, and what is wrong with the broken ones.

    `before` are the rows of what they declared until now.
    """
    sound = [{"path": path, "blob": blob, "complaints": None} for path, (blob, _) in files.sound.items()]
    declared.replace_files(transaction, [*files.sound, *files.gone], sound, rows, before)
    for path, (blob, complaints) in files.broken.items():
        manifest_files.complain(transaction, path, blob, [complaint_row(found) for found in complaints])


def _namers_above(connection: Connection, arrival: Arrival, concerned: Concerned) -> dict[str, set[str]]:
    """Directories that a changed path is or lies in, with the files that name each as a bundle; their apps are
    concerned."""
    directories = {change.path for change in arrival.changes if change.is_tree or change.kind == "T"}
    directories |= {directory for change in arrival.changes for directory in ancestors(change.path)}
    namers: dict[str, set[str]] = {directory: set() for directory in directories if clean_name(directory)}
    for row in manifest_files.naming(connection, namers):
        namers[row.bundle].add(row.path)
        concerned.apps.add(row.name)
    return namers


def _changed(connection: Connection, arrival: Arrival, root: str, namers: Mapping[str, Collection[str]]) -> Files:
    """The changed files that may hold manifests, read.

    Content is not read, unless it is recorded as a manifest: it was one until now.
    """
    wanted = {change.path: change for change in arrival.changes if is_candidate(change, root)}
    inside = [path for path in wanted if any(namers.get(directory) for directory in ancestors(path))]
    recorded = manifest_files.blobs(connection, map(named, inside)) if inside else {}
    content = {path for path in inside if named(path) not in recorded}
    return read(arrival.objects, {path: change for path, change in wanted.items() if path not in content})


def _settle_binary(connection: Connection, files: Files) -> None:
    """A file that held manifests and is no text any more was damaged, not emptied: what it declared must not vanish."""
    damaged = {row.path for row in written.in_files(connection, files.binary)}
    for path, blob in files.binary.items():
        if path in damaged:
            wrong = complaint(path, "the file is no text any more", "put its manifests back, or remove the file")
            files.broken[path] = (blob, [wrong])
        else:
            files.gone.add(path)


def _compare(
    connection: Connection,
    before: Iterable[Any],
    after: Iterable[dict[str, Any]],
    kept: set[tuple[str, int, str, str]],
    concerned: Concerned,
) -> None:
    """Which apps, environments and seasons differ now."""
    old = {
        (row.kind, row.name): row.document for row in before if (row.path, row.ordinal, row.kind, row.name) not in kept
    }
    new = {(row["kind"], row["name"]): row["document"] for row in after}
    # What moved from one file to another, or whose file broke, is looked at again without having changed.
    concerned.apps |= {name for kind, name in (*old, *new) if kind == "App"}
    concerned.apps |= {row.name for row in before if row.kind == "App"}
    for kind, name in {*old, *new}:
        texts = old.get((kind, name)), new.get((kind, name))
        if kind == "App" or texts[0] == texts[1]:
            continue
        pair = (from_json(texts[0]) if texts[0] else None, from_json(texts[1]) if texts[1] else None)
        if kind == "Environment":
            _compare_environment(connection, name, *pair, concerned)
        elif kind == "Season":
            concerned.seasons[name] = pair
        elif kind == "Freeze":
            concerned.thawed |= {where for one in pair if one for where in one["spec"]["environments"]}
        elif kind == "Group":
            concerned.grouped |= {name for one in pair if one for name in one["spec"]["apps"]}
        elif kind == "Resource":
            concerned.apps |= set(declared.apps_binding(connection, name))
            concerned.apps |= set(declared.apps_complaining(connection))


def _compare_environment(
    connection: Connection,
    name: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    concerned: Concerned,
) -> None:
    concerned.environments[name] = before, after
    concerned.apps |= set(declared.apps_in(connection, name))
    concerned.apps |= set(declared.apps_complaining(connection))
    if target_of(before) != target_of(after):
        concerned.apps |= _beside(connection, name)


def _beside(connection: Connection, name: str) -> set[str]:
    """Apps of the environments whose directories the target of this one is in the way of."""
    found = shared(in_order(declared_environments(connection)))
    others = {other for one in found if name in (one.first, one.second) for other in (one.first, one.second)}
    return {app for other in others for app in declared.apps_in(connection, other)}


def target_of(document: dict[str, Any] | None) -> Any:
    """What an Environment's document says about its target."""
    return ((document or {}).get("spec") or {}).get("target")
