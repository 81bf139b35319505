"""How do one app's releases lie on disk, what do they say, and which of them may go?

    <app>/releases/<deployment id>/             a version's files, .reconciler.json beside them
    <app>/releases/<deployment id>.<number>/    with a split: each other version, by its number
    <app>/releases/.<name>                      not whole yet, or being removed; nobody may look at it
    <app>/current -> releases/<…>               switched at once
    <app>/traffic.json, <app>/triggers.json     replaced at once
    <app>/.reconciler/                          notes for ourselves: which act came last (order.json), and for each
                                                release how its files were put (<name>.files); without them
                                                nothing is refused and no file is missed, so a power cut may cost them

A directory in `releases` that does not begin with a dot is whole and durable: it came there by one rename.
How a new one is written is the business of `release_change`.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from reconciler.errors import PersonNeeded
from reconciler.targets import acts, durable, inventory, locks
from reconciler.targets.acts import Act
from reconciler.targets.base import Work

RECORD = ".reconciler.json"
CURRENT = "current"
RELEASES = "releases"
TRAFFIC = "traffic.json"
TRIGGERS = "triggers.json"
NOTES = ".reconciler"
ORDER = "order.json"
FILES = ".files"
_LONGEST_RECORD = 16 * 1024 * 1024


class ReleaseDirectory:
    """One app's directory. Every method raises OSError when the disk does not do as told."""

    def __init__(self, base: str, app: str) -> None:
        self.base = base
        self.app = app
        self.path = f"{base}/{app}"
        self.releases = f"{self.path}/{RELEASES}"
        self.notes = f"{self.path}/{NOTES}"
        self._folder = -1
        self._last: dict[str, Act] = {}

    def make(self) -> None:
        """Make the app's directory where it is missing. Its own name is made durable by the first change."""
        folders = {self.path: self.app, self.releases: f"{self.app}/{RELEASES}", self.notes: f"{self.app}/{NOTES}"}
        if all(_is_folder(path, shown) for path, shown in folders.items()):
            return
        durable.make_folder(self.base)
        for folder in folders:
            with suppress(FileExistsError):
                os.mkdir(folder)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes and threads out while something changes.

        A daemon that lost its lease may still be at work here. Raises TryAgainLater when one is.
        """
        with locks.alone_in(self.path, self.app) as folder:
            self._folder = folder
            found = _parsed(durable.load(f"{self.notes}/{ORDER}", _LONGEST_RECORD))
            self._last = {what: acts.read(noted) for what, noted in found.items()} if isinstance(found, dict) else {}
            yield

    def settle(self) -> None:
        """Make the names in the app's directory durable. Only for who is alone in it."""
        with durable.named(self.path):
            os.fsync(self._folder)

    def last(self) -> dict[str, Act]:
        """The acts that came last here: under `deployment` and under `triggers`. Only for who is alone in it."""
        return self._last

    def note(self, what: str, act: Act) -> None:
        """Let `order.json` say that this act took effect too. Only for who is alone in it."""
        self._last = {**self._last, what: act}
        durable.note(f"{self.notes}/{ORDER}", as_json({kind: one.plain() for kind, one in self._last.items()}))

    def differences(self, name: str, *, closely: bool) -> list[str]:
        """What differs in a release from what was put there, a sentence each."""
        root = f"{self.releases}/{name}"
        return inventory.differences(root, inventory.read(f"{self.notes}/{name}{FILES}"), closely=closely)

    def names(self) -> list[str]:
        """The releases that are whole, in no order. What a killed process left is removed if it can be."""
        whole = []
        for name in os.listdir(self.releases):
            if not name.startswith("."):
                whole.append(name)
                continue
            with suppress(OSError):
                self._remove(name)
        return whole

    def record(self, name: str) -> dict[str, Any]:
        """The `.reconciler.json` of a release; empty when it is missing or unreadable."""
        found = _parsed(durable.load(f"{self.releases}/{name}/{RECORD}", _LONGEST_RECORD))
        return found if isinstance(found, dict) else {}

    def current(self) -> str | None:
        """The name of the release that `current` leads to; None when it is missing or leads elsewhere."""
        try:
            leads_to = os.readlink(f"{self.path}/{CURRENT}")
        except OSError:
            return None
        folder, _, name = leads_to.partition("/")
        return name if folder == RELEASES and "/" not in name and not name.startswith(".") else None

    def traffic(self) -> list[dict[str, Any]]:
        """What traffic.json says; empty when it is missing or unreadable."""
        found = _parsed(durable.load(f"{self.path}/{TRAFFIC}", _LONGEST_RECORD))
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    def prune(self, names: Iterable[str], keep: int, in_use: set[str], work: Work) -> None:
        """Of the releases `names`, remove all but those in use and the `keep` newest others.

        What cannot be removed is said and left: the deployment itself is done.
        """
        whole = set(names)
        releases: dict[str, list[str]] = {}
        for name in whole:
            releases.setdefault(_release_of(name, whole), []).append(name)
        idle = [group for group in releases.values() if in_use.isdisjoint(group)]
        if len(idle) <= keep:
            return
        idle.sort(key=lambda group: max((self._written(name), name) for name in group), reverse=True)
        for name in (name for group in idle[keep:] for name in group):
            try:
                self._prune_one(name)
            except OSError as wrong:
                work.say(f"the old release {name} could not be removed: {wrong.strerror}")

    def _prune_one(self, name: str) -> None:
        # Hidden first: a kill in the middle of the removal must not leave half a release that looks whole.
        os.rename(f"{self.releases}/{name}", f"{self.releases}/.{name}")
        self._remove(f".{name}")

    def _remove(self, hidden: str) -> None:
        # What was noted of it goes first: it is found by the directory.
        durable.discard(f"{self.notes}/{hidden[1:]}{FILES}")
        remove(f"{self.releases}/{hidden}")

    def _written(self, name: str) -> int:
        """When a release was written, in nanoseconds; its record is never touched again."""
        for path in (f"{self.releases}/{name}/{RECORD}", f"{self.releases}/{name}"):
            with suppress(OSError):
                return os.lstat(path).st_mtime_ns
        return 0


def remove(path: str) -> None:
    """Remove a file, a link (never what it leads to) or a directory, when it is there. Raises OSError."""
    try:
        kind = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(kind):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def as_json(value: object) -> bytes:
    """One line of JSON in UTF-8; lone surrogates, which have no UTF-8, as escapes. Raises PersonNeeded."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as wrong:
        raise PersonNeeded(f"the configuration is no JSON: {wrong}", "correct it in the manifest") from wrong
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _is_folder(path: str, shown: str) -> bool:
    """What is removed below a directory of ours must lie there: only the target's path may be a link."""
    try:
        kind = os.lstat(path).st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(kind):
        raise PersonNeeded(f"{shown} is a symbolic link", "put a directory in its place")
    return stat.S_ISDIR(kind)


def _release_of(name: str, whole: set[str]) -> str:
    """`d.3` belongs to the release `d` when there is one."""
    stem, _, number = name.rpartition(".")
    return stem if number.isdecimal() and stem in whole else name


def _parsed(content: bytes | None) -> object:
    try:
        return json.loads(content or b"null")
    except (ValueError, RecursionError):
        return None
