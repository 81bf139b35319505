"""Which manifests did a commit change, and which apps does that concern?

Changed files are parsed and take the place of what they declared; a broken one keeps what it declared and is
complained about. The work is proportional to what changed, not to the repository.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection

from reconciler.engine.commit import Arrival
from reconciler.engine.expanding import expansions, refreshed_sets
from reconciler.engine.reading import Files, apps_of, bundle_of, clean_name, complaint, complaint_row, read
from reconciler.git.shapes import Change
from reconciler.manifest import Declaration, is_manifest_file, shared
from reconciler.model.app import App
from reconciler.model.canonical import canonical
from reconciler.model.sets import AppSet
from reconciler.store import declared, written
from reconciler.store.database import Transaction
from reconciler.store.types import Written
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
    manifests: dict[tuple[str, int, str], App] = field(default_factory=dict)
    """Apps that changed files declare, by path, ordinal and name: what was read just now is not read again."""


def declare(transaction: Transaction, arrival: Arrival, root: str) -> Concerned:
    """Take in the manifests that a commit changed; `root` is the followed path, '' for everything."""
    connection = transaction.connection
    concerned = Concerned()
    bundles = _bundles_above(connection, arrival, concerned)
    wanted = {change.path: change for change in arrival.changes if is_candidate(change, root)}
    files = read(arrival.objects, {path: c for path, c in wanted.items() if not inside(path, bundles)})
    _settle_binary(connection, files)
    before = written.in_files(connection, files.paths)
    looked = set(files.paths)
    _settle_bundles(connection, arrival, files, root, before)
    before += written.in_files(connection, set(files.paths) - looked)
    rows = record(transaction, arrival, files, root, before)
    kept = {(row.path, row.ordinal, row.kind, row.name) for row in before if row.path in files.broken}
    _compare(connection, before, rows, kept, concerned)
    for path, (_, several) in files.sound.items():
        concerned.manifests |= apps_of(path, several)
    concerned.apps |= refreshed_sets(transaction, arrival, root, skip=set(files.sound))
    return concerned


def record(
    transaction: Transaction, arrival: Arrival, files: Files, root: str, before: Iterable[Any]
) -> list[dict[str, Any]]:
    """Record what the files declare, and what is wrong with the broken ones; rows of the declarations.

    `before` are the rows of what they declared until now.
    """
    rows = [row for path, (_, several) in files.sound.items() for row in rows_of(path, several, arrival, root)]
    sound = [{"path": path, "blob": blob, "complaints": None} for path, (blob, _) in files.sound.items()]
    declared.replace_files(transaction, [*files.sound, *files.gone], sound, rows, before)
    for path, (blob, complaints) in files.broken.items():
        declared.complain(transaction, path, blob, [complaint_row(found) for found in complaints])
    return rows


def is_candidate(change: Change, root: str) -> bool:
    """Whether a change may be one of a manifest."""
    return (
        is_manifest_file(change.path)
        and under(change.path, root)
        and "160000" not in (change.new_mode, change.old_mode)
    )


def under(path: str, directory: str) -> bool:
    """Whether a path lies in a directory ('' is the root)."""
    return not directory or path.startswith(f"{directory}/")


def ancestors(path: str) -> list[str]:
    """The directories that a path lies in, the root ('') included."""
    found: list[str] = []
    while path:
        path = path.rpartition("/")[0]
        found.append(path)
    return found


def inside(path: str, bundles: Mapping[str, str]) -> bool:
    """Whether a file belongs to a bundle, and not to the manifest that declares that very bundle."""
    return any(path != bundles[directory] for directory in ancestors(path) if directory in bundles)


def _bundles_above(connection: Connection, arrival: Arrival, concerned: Concerned) -> dict[str, str]:
    """Bundles that a changed path is or lies in, with the file that declares each; their apps are concerned."""
    directories = {change.path for change in arrival.changes if change.is_tree or change.kind == "T"}
    directories |= {directory for change in arrival.changes for directory in ancestors(change.path)}
    clean = [directory for directory in directories if clean_name(directory)]
    rows = declared.bundles_at(connection, clean)
    concerned.apps |= {row.name for row in rows}
    return {row.bundle: row.path for row in rows}


def _settle_binary(connection: Connection, files: Files) -> None:
    """A file that held manifests and is no text any more was damaged, not emptied: what it declared must not vanish."""
    damaged = {row.path for row in written.in_files(connection, files.binary)}
    for path, blob in files.binary.items():
        if path in damaged:
            wrong = complaint(path, "the file is no text any more", "put its manifests back, or remove the file")
            files.broken[path] = (blob, [wrong])
        else:
            files.gone.add(path)


def _settle_bundles(
    connection: Connection, arrival: Arrival, files: Files, root: str, declared_before: Iterable[Any]
) -> None:
    """Files inside a bundle that was named just now are content; those of one that is named no longer are looked at."""
    named = named_bundles(arrival, files, root)
    for path in [path for path in (*files.sound, *files.broken) if inside(path, named)]:
        files.sound.pop(path, None)
        files.broken.pop(path, None)
        files.gone.add(path)
    sound_before = [row for row in declared_before if row.path not in files.broken]
    before = {row.bundle for row in sound_before if row.bundle is not None}
    for directory in named.keys() - before:
        files.gone |= {path for path in declared.files_under(connection, directory) if path != named[directory]}
    for directory in before - set(named):
        _look_again(arrival, directory, files, named, root)


def _look_again(arrival: Arrival, directory: str, files: Files, named: Mapping[str, str], root: str) -> None:
    entries = {
        entry.path: Change(entry.path, "000000", entry.mode, "0" * 40, entry.id, "A")
        for entry in arrival.objects.tree(arrival.commit.tree, directory)
        if entry.type == "blob" and is_manifest_file(entry.path) and under(entry.path, root)
    }
    fresh = {
        p: c for p, c in entries.items() if not inside(p, named) and p not in files.sound and p not in files.broken
    }
    again = read(arrival.objects, fresh)
    files.sound.update(again.sound)
    files.broken.update(again.broken)


def named_bundles(arrival: Arrival, files: Files, root: str) -> dict[str, str]:
    """Directories that these files name as bundles, with the file that names each."""
    return {
        directory: path
        for path, (_, several) in files.sound.items()
        for directory in _bundles_of(path, several, arrival, root)
    }


def _bundles_of(path: str, several: Iterable[Declaration], arrival: Arrival, root: str) -> Iterable[str]:
    for one in several:
        if isinstance(one.manifest, AppSet):
            found = [base for base, _ in expansions(one.manifest, arrival, root)]
            yield from (directory for directory in found if not under(path, directory))
        else:
            yield from bundle_of(one)


def rows_of(path: str, several: Iterable[Declaration], arrival: Arrival, root: str) -> Iterable[dict[str, Any]]:
    """What a file declares as rows, documents as their texts; a set stands beside the apps that it makes."""
    base = "" if "/" not in path else path.rsplit("/", 1)[0]
    seen: set[tuple[int, str, str]] = set()
    for one in several:
        made = [(one.kind, one.name, one.document, base)]
        if isinstance(one.manifest, AppSet):
            made += [("App", app.name, document, at) for at, (app, document) in expansions(one.manifest, arrival, root)]
        for kind, name, document, at in made:
            if (one.ordinal, kind, name) not in seen:
                seen.add((one.ordinal, kind, name))
                yield {
                    "path": path,
                    "ordinal": one.ordinal,
                    "kind": kind,
                    "name": name,
                    "document": Written(canonical(document)),
                    "base": at,
                }


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
