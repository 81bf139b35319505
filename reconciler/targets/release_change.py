"""How does a release come into an app's directory: whole and durable, or not at all?

    unpack to releases/.<name> ─► make durable ─► order.json ─► rename to releases/<name> ─► traffic.json ─► `current`

Everything is made durable in one batch, since what costs is the journal's commit and not the bytes. Killed
before the last step, the old release runs on, and what was begun is removed by the next change.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import Any, Self

from reconciler.model.release import Release, ReleasedVersion
from reconciler.targets import durable
from reconciler.targets.acts import Act
from reconciler.targets.base import Work
from reconciler.targets.bundle import unpacked
from reconciler.targets.inventory import Inventory
from reconciler.targets.release_directory import (
    CURRENT,
    FILES,
    RECORD,
    RELEASES,
    TRAFFIC,
    ReleaseDirectory,
    as_json,
    remove,
)


class ReleaseChange:
    """One change of an app's directory, made alone in it. Left without `switch`, nothing has happened."""

    def __init__(self, place: ReleaseDirectory, work: Work, act: Act) -> None:
        self._place = place
        self._work = work
        self._act = act
        self._current = place.current()
        # Until a first release was switched to, nobody made the app's own name durable.
        self._unsettled = [place.base] if self._current is None else []
        self._staged: list[str] = []
        self._inventories: dict[str, Inventory] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._staged:
            shutil.rmtree(self._hidden(name), ignore_errors=True)
            with suppress(OSError):
                durable.discard(f"{self._place.notes}/{name}{FILES}")

    def add(self, name: str, release: Release, part: ReleasedVersion) -> None:
        """Unpack a version to become `releases/<name>`. Raises what `unpacked` does, and OSError."""
        record = as_json(record_of(release, part))
        os.mkdir(self._hidden(name))
        self._staged.append(name)
        with durable.named(self._hidden(name)):
            bundle = unpacked(part, self._hidden(name), self._work)
        own = f"{self._hidden(name)}/{RECORD}"
        try:
            durable.create(own, record)
        except FileExistsError:  # the bundle has a file, a link or a directory of this name
            remove(own)
            durable.create(own, record)
        files, folders, links = (
            [path for path in paths if not f"{path}/".startswith(f"{own}/")]
            for paths in (bundle.files, bundle.folders, bundle.links)
        )
        self._inventories[name] = Inventory(self._hidden(name), [own, *files], links)
        self._unsettled += [own, *files, *folders]

    def switch(self, name: str | None, traffic: list[dict[str, Any]]) -> None:
        """Let `current` lead to the release `name`, or be gone, and say the split. Durable when it returns.

        `current` comes last: until it has moved, the deployment has not happened. Raises Aborted and OSError.
        """
        split, described = f"{self._place.path}/{TRAFFIC}", as_json(traffic)
        if not self._staged and self._current == name and durable.holds(split, described):
            self._place.note("deployment", self._act)
            # An earlier process may have been killed before it was durable.
            durable.settle([self._place.releases, self._place.path])
            return
        fresh = durable.create_beside(split, described)
        durable.settle([*self._unsettled, fresh], self._work.go_on, self._look)
        for one, inventory in self._inventories.items():
            durable.create_anew(f"{self._place.notes}/{one}{FILES}", inventory.made())
        self._work.go_on()
        # From here on what is older does nothing, whether or not this one is killed before its end.
        self._place.note("deployment", self._act)
        self._reveal()
        os.replace(fresh, split)
        self._lead(name)
        self._place.settle()

    def _look(self, path: str, file: int) -> None:
        self._work.go_on()
        for inventory in self._inventories.values():
            inventory.look(path, file)

    def _reveal(self) -> None:
        while self._staged:
            name = self._staged[-1]
            os.rename(self._hidden(name), f"{self._place.releases}/{name}")
            self._staged.pop()
        durable.settle([self._place.releases])

    def _lead(self, name: str | None) -> None:
        current = f"{self._place.path}/{CURRENT}"
        if name is None:
            durable.discard(current)
        elif self._current != name:
            fresh, leads_to = durable.beside(current), f"{RELEASES}/{name}"
            try:
                os.symlink(leads_to, fresh)
            except FileExistsError:  # a killed process left it
                os.unlink(fresh)
                os.symlink(leads_to, fresh)
            os.replace(fresh, current)

    def _hidden(self, name: str) -> str:
        return f"{self._place.releases}/.{name}"


def record_of(release: Release, part: ReleasedVersion) -> dict[str, Any]:
    """The `.reconciler.json` of one version in a release: all that the running app may want to know."""
    return {
        "deployment": release.deployment,
        "app": release.app,
        "environment": release.environment,
        "version": part.version,
        "number": part.number,
        "name": part.name,
        "message": part.message,
        "tags": list(part.tags),
        "created_at": part.created_at,
        "cause": release.cause,
        "commit": release.commit,
        "bundle": part.bundle,
        "image": part.image,
        "config": part.config,
        "bindings": [{"name": one.name, "type": one.type, "resource": one.resource} for one in part.bindings],
        "secrets": [{"name": one.name, "from": one.source} for one in part.secrets],
        "migrations": list(part.migrations),
    }
