"""A stranger's target that notes which process called it, and does what its settings say.

Installed for a test, as a package that brings it would be, by `install`. It is loaded by its own name there, so nothing
here may be needed by it but the reconciler.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.errors import Aborted, AttemptFailed, PersonNeeded, Superseded, TargetError, TryAgainLater
from reconciler.model.app import Triggers
from reconciler.model.release import Release
from reconciler.targets.base import Observed, Running, Work
from reconciler.targets.directory import DirectoryTarget

NAME = "stranger_noting"
TYPES = {"noting": "NotingTarget", "noting-at-home": "AtHome", "noting-nearly": "Nearly", "noting-files": "NotingFiles"}


class Haunted(PersonNeeded):
    """Cannot be pickled, and not be made anew by its words."""

    def __init__(self, loft: str, ghost: str) -> None:
        super().__init__(f"the {loft} is haunted by {ghost}", "call somebody", "boo")
        self.ghost = threading.Lock()


class Unforeseen(Exception):
    """No error of ours, and no better."""

    def __init__(self, loft: str, ghost: str) -> None:
        super().__init__(f"{ghost} in the {loft}")
        self.ghost = threading.Lock()


class Unspeakable(Exception):
    """Breaks over being told."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


WILD = "a \udcff name, a \0 and a \x1b[31m"
"""What no database takes as it is, or a terminal would act on."""
ERRORS: Mapping[str, BaseException] = {
    "later": TryAgainLater("the loft is closed", "it opens at 9"),
    "failed": AttemptFailed("the pigeon came back", "another one is sent", "a feather"),
    "person": PersonNeeded("there is no loft", "build one"),
    "aborted": Aborted("it was called back", "it rests"),
    "superseded": Superseded("a newer one arrived", "nothing was done"),
    "some-error": TargetError("something is wrong"),
    "own": Haunted("loft", "Ada"),
    "stranger": Unforeseen("loft", "Ada"),
    "no-text": ValueError(),
    "no-words": Unspeakable(),
    "exit": SystemExit("it is late"),
    "wild": TargetError(WILD, WILD, WILD),
    "wild-stranger": OSError(2, WILD, WILD),
    "endless": ValueError("x" * 3_000_000),
}


class NotingTarget:
    """Notes the process below `notes`, in a file for each deployment."""

    apart: Any = True

    def __init__(self, environment: str, settings: Mapping[str, Any], data: Path) -> None:
        self._notes = Path(settings["notes"])
        self._does = settings.get("does", "")

    @staticmethod
    def check(settings: Mapping[str, Any]) -> list[str]:
        return []

    def deploy(self, release: Release, work: Work) -> None:
        self.note(release)
        work.say(WILD if self._does.startswith("wild") else "on its way")
        if self._does in ERRORS:
            raise ERRORS[self._does]
        if self._does == "waits":
            self._wait(release, work)
        if self._does == "is-deaf":
            time.sleep(600)

    def _wait(self, release: Release, work: Work) -> None:
        """Until it is stopped, which several threads look for, or let go by a file."""
        heard = threading.Event()

        def listen() -> None:
            if work.stop.wait(30):
                heard.set()

        threading.Thread(target=listen, daemon=True).start()
        while not (self._notes / f"{release.deployment}.go").exists():
            if heard.is_set():
                work.go_on()
            time.sleep(0.005)

    def note(self, release: Release) -> None:
        self._notes.mkdir(parents=True, exist_ok=True)
        with (self._notes / release.deployment).open("a") as file:
            file.write(f"{os.getpid()}\n")

    def retire(self, release: Release, work: Work) -> None:
        self.note(release)

    def triggers(self, app: str, triggers: Triggers, work: Work) -> None:
        if self._does == "wild-routes":
            raise ERRORS["wild"]
        if self._does == "later-routes":
            raise ERRORS["later"]

    def observe(self, app: str) -> Observed | None:
        if self._does == "wild-sight":
            return Observed(deployment=WILD, traffic=(Running(version=WILD, percent=100),), changed=(WILD,))
        return None

    def close(self) -> None:
        raise RuntimeError("what is closed badly must harm nobody")


class AtHome(NotingTarget):
    apart = False


class Nearly(NotingTarget):
    apart = "yes"


class NotingFiles(DirectoryTarget):
    """The directory target, held up before its work or after it the first time that it is called for a deployment."""

    def __init__(self, environment: str, settings: Mapping[str, Any], data: Path) -> None:
        self._noting = NotingTarget(environment, {"notes": settings["notes"]}, data)
        self._notes, self._held = Path(settings["notes"]), settings["held"]
        super().__init__(environment, {"path": settings["path"]}, data)

    @staticmethod
    def check(settings: Mapping[str, Any]) -> list[str]:
        return []

    def deploy(self, release: Release, work: Work) -> None:
        again = (self._notes / release.deployment).exists()
        if again or self._held == "after":
            super().deploy(release, work)
        self._noting.note(release)
        if not again:
            time.sleep(600)


def install(folder: Path) -> Path:
    """Make a package of it in a directory, which is to be put on the path of whoever is to find it."""
    bringing = folder / f"{NAME}-1.0.dist-info"
    bringing.mkdir(parents=True)
    (bringing / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
    points = "".join(f"{name} = {NAME}:{kind}\n" for name, kind in TYPES.items())
    (bringing / "entry_points.txt").write_text(f"[reconciler.targets]\n{points}")
    (folder / f"{NAME}.py").write_bytes(Path(__file__).read_bytes())
    return folder
