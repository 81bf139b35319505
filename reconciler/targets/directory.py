"""Does a deployment run once its files lie in a directory? The target that needs nothing.

Each deployment becomes an immutable release directory; a symbolic link is switched to it at once, and
traffic.json says the split. Whoever serves the app follows `current` or reads `traffic.json`. How it lies
on disk: `release_directory`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, TypeAdapter

from reconciler.errors import PersonNeeded
from reconciler.model.app import Triggers
from reconciler.model.release import Release, ReleasedVersion
from reconciler.model.shape import Text, refusal, shape
from reconciler.targets import acts, durable, wording
from reconciler.targets import settings as reading
from reconciler.targets.acts import Act
from reconciler.targets.base import Observed, Running, Work, largest, safe, settings_of
from reconciler.targets.bundle import printable
from reconciler.targets.release_change import ReleaseChange
from reconciler.targets.release_directory import RELEASES, TRIGGERS, ReleaseDirectory, as_json

_TRIGGERS = TypeAdapter(Triggers)


def _place(path: str) -> str:
    if not path.strip():
        raise refusal("it names no directory", "write an absolute path, or one below the data directory")
    if ".." in path.split("/"):
        raise refusal("'..' is not followed", "write an absolute path, or one below the data directory")
    return path


@shape
class DirectorySettings:
    """What the directory target is told."""

    path: Annotated[Text, AfterValidator(_place)] | None = None
    """Where the apps lie: below the daemon's data directory, or absolute. Default: releases/<environment>."""
    keep: Annotated[int, Field(strict=True, ge=0, le=10_000)] = 10
    """How many releases of an app are kept besides the ones in use."""


class DirectoryTarget:
    """Puts releases in directories and switches a symbolic link between them."""

    apart: ClassVar[bool] = True

    def __init__(self, environment: str, settings: Mapping[str, Any], data: Path) -> None:
        told = reading.read(DirectorySettings, settings, "directory")
        default = os.path.join("releases", safe(environment, "environment"))
        self._base = os.path.abspath(data / (told.path or default))
        self.releases_to = Path(self._base)
        self._keep = told.keep

    @staticmethod
    def check(settings: Mapping[str, Any]) -> list[str]:
        """What is wrong with the settings, one sentence each."""
        return reading.check(DirectorySettings, settings)

    def deploy(self, release: Release, work: Work) -> None:
        """Write the release's directories, then switch. Raises TargetError."""
        leading, act = largest(release), acts.of_release(release)
        with self._changing(release.app, "deployment", act) as place:
            names = place.names()
            with ReleaseChange(place, work, act) as change:
                parts = [(part, _put(place, change, names, release, part)) for part in release.traffic]
                current = next(name for part, name in parts if part is leading)
                change.switch(current, [_share(part, name) for part, name in parts])
            place.prune(names, self._keep, {name for _, name in parts}, work)

    def retire(self, release: Release, work: Work) -> None:
        """Take `current` away; the releases stay. Raises TargetError.

        Of an app that never ran it is noted all the same, so that nothing older makes it run.
        """
        work.go_on()
        act = acts.of_release(release)
        with self._changing(release.app, "deployment", act) as place, ReleaseChange(place, work, act) as change:
            change.switch(None, [])

    def triggers(self, app: str, triggers: Triggers, work: Work) -> None:
        """Write triggers.json. Raises TargetError."""
        work.go_on()
        act, described = acts.of_triggers(work), as_json(_TRIGGERS.dump_python(triggers, mode="json"))
        with self._changing(app, "triggers", act) as place:
            if act != place.last().get("triggers", Act()):
                place.note("triggers", act)
            durable.replace(f"{place.path}/{TRIGGERS}", described)
            durable.settle([place.base, place.path])

    def observe(self, app: str) -> Observed | None:
        """What `current` and traffic.json say; where they contradict each other, no deployment is named.

        Files are compared by what the disk says of them; those whose size or time is another are read.
        """
        return self._look(app, closely=False)

    def inspect(self, app: str) -> Observed | None:
        """As `observe`, but every file of what runs is read."""
        return self._look(app, closely=True)

    def _look(self, app: str, *, closely: bool) -> Observed | None:
        place = self._of(app)
        current, shares = place.current(), place.traffic()
        if current is None and not shares:
            return None
        record = place.record(current) if current else {}
        directories = [share.get("directory") for share in shares]
        names = [name for directory in directories if (name := _name(directory))]
        changed = [one for name in names for one in place.differences(name, closely=closely)]
        if f"{RELEASES}/{current}" not in directories:
            where = f"leads to {printable(current)}" if current else "is missing or leads elsewhere"
            changed.append(f"current {where}")
            record = {}
        running = tuple(_running(place, shares, {current: record}))
        deployment = record.get("deployment") if record.get("app") == app else None
        named = deployment if isinstance(deployment, str) else None
        return Observed(named, running, tuple(changed))

    def close(self) -> None:
        """Nothing is open between calls."""

    def _of(self, app: str) -> ReleaseDirectory:
        return ReleaseDirectory(self._base, safe(app, "app"))

    @contextmanager
    def _changing(self, app: str, what: str, act: Act) -> Iterator[ReleaseDirectory]:
        """The app's directory, alone in it, unless something newer took effect there. Raises TargetError."""
        place = self._of(app)
        try:
            place.make()
            with place.alone():
                act.refuse_older_than(place.last().get(what, Act()))
                yield place
        except OSError as wrong:
            said = f"{wrong.strerror or wrong} at {self._relative(wrong.filename)}"
            raise wording.hindered(said, wrong, "make room or correct the rights there; it is tried again") from wrong

    def _relative(self, path: object) -> str:
        """A path as the target's path has it; how the machine is laid out is nobody's business."""
        if not isinstance(path, str | bytes | os.PathLike):
            return "the target's path"
        inside = os.path.relpath(os.fsdecode(path), self._base)
        return printable(inside if not inside.startswith(os.pardir) else os.path.basename(os.fsdecode(path)))


def _put(
    place: ReleaseDirectory, change: ReleaseChange, names: list[str], release: Release, part: ReleasedVersion
) -> str:
    """The name of this version's directory in this deployment; it is written unless it is there already.

    The version with the largest share takes the deployment's name. When shares change in a rollout the
    directories stay, so a name may be taken by the version that was largest before.
    """
    own = safe(release.deployment, "deployment")
    numbered = f"{own}.{part.number}"
    for name in (own, numbered):
        if name in names and _holds(place, name, release, part):
            return name
    name = own if part is release.largest and own not in names else numbered
    if name in names:
        raise PersonNeeded(
            f"{RELEASES}/{name} is not what this deployment put there",
            "move it away; it is then written anew",
        )
    change.add(name, release, part)
    names.append(name)
    return name


def _holds(place: ReleaseDirectory, name: str, release: Release, part: ReleasedVersion) -> bool:
    record = place.record(name)
    return record.get("deployment") == release.deployment and record.get("version") == part.version


def _share(part: ReleasedVersion, name: str) -> dict[str, Any]:
    return {
        "version": part.version,
        "number": part.number,
        "name": part.name,
        "percent": int(part.percent) if part.percent.is_integer() else part.percent,
        "directory": f"{RELEASES}/{name}",
    }


def _name(directory: object) -> str | None:
    """The release that traffic.json speaks of; who changed it by hand may have written anything there."""
    folder, _, name = directory.partition("/") if isinstance(directory, str) else ("", "", "")
    sound = folder == RELEASES and name and "/" not in name and "\0" not in name and not name.startswith(".")
    return name if sound else None


def _running(
    place: ReleaseDirectory, shares: list[dict[str, Any]], read: Mapping[str | None, Mapping[str, Any]]
) -> Iterator[Running]:
    for share in shares:
        version, percent, name = share.get("version"), share.get("percent"), _name(share.get("directory"))
        if isinstance(version, str) and isinstance(percent, int | float):
            record = read[name] if name in read else place.record(name) if name else {}
            config = settings_of(record) if record.get("version") == version else None
            yield Running(version, float(percent), config)
