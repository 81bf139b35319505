"""What is wrong with the manifests of a commit? All that the daemon would say, and what can only be said of the whole.

The daemon's own noting fills a store in memory; its complaints are read from there. What it has no reason to look at
with every commit (seasons that get in each other's way, circles, settings of targets) is checked in `links`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from reconciler import manifest
from reconciler.cli import linking
from reconciler.engine.reading import REGULAR, clean_name
from reconciler.engine.rehearsing import Rehearsal, in_memory, rehearsal
from reconciler.git.objects import Objects
from reconciler.git.shapes import LINK, Entry
from reconciler.git.unpack import NO_SUBMODULES
from reconciler.manifest import Complaint, Declaration, ancestors, under
from reconciler.store import complaining, declared, manifest_files
from reconciler.targets.bundle import REMEDY, leads_out, outward, printable
from reconciler.views.planning import references_of
from reconciler.views.scene import declared_seasons, manifests

if TYPE_CHECKING:
    from reconciler.cli.worktree import Taken

HISTORY = 10_000
"""Commits that are read where a manifest names a version."""
LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Checked:
    """The complaints in order of place, and what there is."""

    complaints: tuple[Complaint, ...]
    files: int
    kinds: dict[str, int]
    foreign: int
    """Documents that are no manifests and were left alone."""

    @property
    def errors(self) -> int:
        """How many complaints are errors."""
        return sum(one.severity == "error" for one in self.complaints)


@dataclass(slots=True)
class Read:
    """What the files of a tree hold, as far as each file tells by itself."""

    contents: dict[str, bytes] = field(default_factory=dict)
    declarations: list[Declaration] = field(default_factory=list)
    warnings: list[Complaint] = field(default_factory=list)
    foreign: Counter[str] = field(default_factory=Counter)
    """By file, how many documents are no manifests."""
    directories: list[str] = field(default_factory=list)
    """Every directory below the path that was asked about, relative to it."""
    unreleasable: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """By the directory of a bundle, what of it no target releases and what is to be done, in words."""


def check(taken: Taken, now: datetime, only: str | None = None) -> Checked:
    """Check the manifests of a work tree as they would be at `now` (UTC).

    With `only`, the path of a file in it, the whole is judged and what concerns that file is told.
    """
    with _noted(taken, now, history=False) as played:
        # Versions have numbers by the history: it is read only where somebody names one.
        if taken.head is None or not _names_versions(played.transaction.connection):
            return _checked(played, taken, now, only)
    with _noted(taken, now, history=True) as played:
        return _checked(played, taken, now, only)


@contextmanager
def _noted(taken: Taken, now: datetime, *, history: bool) -> Iterator[Rehearsal]:
    from reconciler.git import addresses
    from reconciler.git.mirror import Mirror

    mirror = Mirror(addresses.address(str(taken.git_dir)), taken.git_dir, "main", 600)
    store = in_memory()
    try:
        adopt = HISTORY if history else 1
        with rehearsal(store, mirror, root=taken.root, adopt=adopt, allow_rewrites=True) as played:
            if history:
                played.note(taken.head, now)
            played.note(taken.commit, now)
            yield played
    finally:
        store.close()


def _names_versions(connection: Connection) -> bool:
    seasons = declared_seasons(connection)
    apps = manifests(connection, declared.known_names(connection)).values()
    return any(app is not None and (app.spec.version or references_of(app, seasons)) for app in apps)


def _checked(played: Rehearsal, taken: Taken, now: datetime, only: str | None) -> Checked:
    connection, objects = played.transaction.connection, played.following.objects
    told = [Complaint(**row) for row in complaining.complaints(connection)]
    found = read(connection, objects, taken)
    told += [one for one in found.warnings if one not in told]
    told += linking.complaints(connection, found, now)
    kinds = Counter(one.kind for one in found.declarations if only in (None, one.path))
    if only is None:
        kinds["App"] = len(declared.app_names(connection))
    return Checked(
        complaints=tuple(sorted(one for one in set(told) if only in (None, one.path))),
        files=sum(only in (None, path) for path in manifest_files.everywhere(connection)),
        kinds={kind: kinds[kind] for kind in manifest.KINDS if kinds[kind]},
        foreign=sum(count for path, count in found.foreign.items() if only in (None, path)),
    )


def read(connection: Connection, objects: Objects, taken: Taken) -> Read:
    """Read every file of the tree that may hold manifests and is no content of a bundle."""
    bundles = manifest_files.bundles(connection)
    broken = {path for path, is_broken in manifest_files.everywhere(connection).items() if is_broken}
    found = Read()
    files: list[Entry] = []
    special: list[Entry] = []
    # A bundle may lie outside of what is followed.
    root = taken.root if all(under(bundle, taken.root) for bundle in bundles) else ""
    for entry in objects.tree(objects.commit(taken.commit).tree, root):
        if (entry.mode == LINK or entry.type == "commit") and not bundles.isdisjoint(ancestors(entry.path)):
            special.append(entry)
        if entry.type == "tree":
            if under(entry.path, taken.root) and entry.path != taken.root:
                found.directories.append(entry.path.removeprefix(f"{taken.root}/") if taken.root else entry.path)
        elif _may_hold_manifests(entry, bundles, taken.root):
            files.append(entry)
    blobs = objects.blobs((entry.id for entry in files), LARGEST)
    for entry, (_, data) in zip(files, blobs, strict=True):
        if isinstance(data, bytes):
            _take(found, entry.path, data, is_broken=entry.path in broken)
    _look_into(found, objects, special, bundles)
    return found


def _look_into(found: Read, objects: Objects, special: Sequence[Entry], bundles: set[str]) -> None:
    """Note which submodules, and which links by what is written in them, keep a bundle from being released.

    Paths are told from the repository's root: apps that a set makes are complained about in one place.
    """
    links = [entry for entry in special if entry.mode == LINK]
    leads_to = {
        entry.path: os.fsdecode(data)
        for entry, (_, data) in zip(links, objects.blobs((entry.id for entry in links), LARGEST), strict=True)
        if isinstance(data, bytes)
    }
    for entry in special:
        for bundle in sorted(bundles.intersection(ancestors(entry.path))):
            here = entry.path.removeprefix(f"{bundle}/")
            if entry.mode != LINK:
                said = f"the bundle holds the submodule {printable(entry.path)}", NO_SUBMODULES
            elif entry.path in leads_to and leads_out(here, leads_to[entry.path]):
                said = outward(entry.path, leads_to[entry.path]), REMEDY
            else:
                continue
            found.unreleasable.setdefault(bundle, []).append(said)


def _may_hold_manifests(entry: Entry, bundles: set[str], root: str) -> bool:
    path = entry.path
    return (
        entry.mode in REGULAR
        and manifest.is_manifest_file(path)
        and clean_name(path)
        and under(path, root)
        and bundles.isdisjoint(ancestors(path))
    )


def _take(found: Read, path: str, data: bytes, *, is_broken: bool) -> None:
    parsed = manifest.parse(path, data)
    found.foreign[path] += parsed.foreign
    if is_broken:
        return
    found.contents[path] = data
    found.declarations += parsed.declarations
    found.warnings += parsed.complaints
