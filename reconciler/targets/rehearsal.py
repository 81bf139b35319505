"""With what can a target be rehearsed when there is no git, no store and no daemon?

Releases, bundles and the `Work` of one call, as small as can be and as awkward as people make them. What is
expected of a target is said in `contract`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.model.app import SecretReference
from reconciler.model.release import Release, ReleasedVersion
from reconciler.model.shape import Config
from reconciler.targets.base import Work

SECRET = "correct-horse-battery-staple"  # noqa: S105 - made up, to be looked for
"""The value of the secret that `REFERENCE` leads to; nobody may ever see it."""


REFERENCE = "env:REHEARSED"
NOWHERE = "env:NOT_SET_ANYWHERE"


class Killed(BaseException):
    """Raised where the process is taken to have died; no target may catch it."""


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link in a bundle."""

    leads_to: str


Files = Mapping[str | bytes, str | Link]
"""A bundle: path to content. Paths in bytes need not be UTF-8."""

PLAIN: Files = {"index.html": "<h1>hello</h1>", "static/app.js": "run()", "bin/start": "#!/bin/sh\nexit 0\n"}
HOSTILE: Files = {
    "-rf": "looks like an option",
    "$(touch pwned); `touch pwned`": "looks like shell text",
    "a b\nc\t'\"\\*": "quotes, white space and a star",
    b"\xff\xfe": "no UTF-8",
    ".reconciler.json": '{"deployment": "forged", "app": "forged"}',
    ".reconciler.json.new": "",
    ".git/config": "",
    "/".join(["deep"] * 60): "",
    "inside": Link("static/../-rf"),
    "empty": Link("nowhere"),
    "loop": Link("loop"),
}
LEADING_OUT: Mapping[str, Files] = {
    "absolute": {"file": "", "link": Link("/etc/passwd")},
    "above": {"folder/link": Link("../../../other")},
    "through another": {"here": Link("."), "folder/up": Link("../here/.."), "x": ""},
    "the record": {".reconciler.json": Link("../../../../outside"), "x": ""},
}


@dataclass(slots=True)
class Rehearsal:
    """The surroundings of one target: what they lend, and what was heard from it."""

    bundles: dict[str, Files] = field(default_factory=lambda: {"plain": PLAIN, "hostile": HOSTILE})
    environ: dict[str, str] = field(default_factory=lambda: {"REHEARSED": SECRET, "PATH": os.defpath})
    said: list[str] = field(default_factory=list)

    def work(
        self, touched: Callable[[], None] = lambda: None, stop: threading.Event | None = None, fence: int = 0
    ) -> Work:
        """The `Work` of one call. `touched` is called whenever the target uses any of it, and may raise."""

        def unpack(tree: str, folder: Path) -> None:
            for _ in write(self.bundles[tree], folder):
                touched()

        def say(line: str) -> None:
            touched()
            self.said.append(line)

        return Work(unpack, stop or _Touched(touched), say, self.environ, fence)


class _Touched(threading.Event):
    def __init__(self, touched: Callable[[], None]) -> None:
        super().__init__()
        self._touched = touched

    def is_set(self) -> bool:
        self._touched()
        return super().is_set()


def write(files: Files, folder: Path) -> Iterator[None]:
    """Unpack a bundle as git does, pausing after each file."""
    root = os.fsencode(folder)
    for name, content in files.items():
        path = os.path.join(root, os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if isinstance(content, Link):
            os.symlink(os.fsencode(content.leads_to), path)
        else:
            with open(path, "x", opener=_executable if content.startswith("#!") else None) as file:
                file.write(content)
        yield


def _executable(path: str | bytes, flags: int) -> int:
    return os.open(path, flags, 0o755)


def version(
    number: int = 1,
    percent: float = 100,
    *,
    bundle: str | None = "plain",
    name: str | None = None,
    message: str = "Greet in Dutch",
    config: Config | None = None,
    secret: str | None = None,
) -> ReleasedVersion:
    """One version's part in a release."""
    return ReleasedVersion(
        version=f"sha256:{number:064x}",
        number=number,
        name=name,
        percent=percent,
        message=message,
        tags=("HOTFIX",),
        created_at="2026-11-20T09:00:00Z",
        bundle=bundle,
        image=None if bundle else "registry.example/booking@sha256:" + "1" * 64,
        config={"greeting": "hello"} if config is None else config,
        secrets=(SecretReference(name="API_KEY", source=secret),) if secret else (),
    )


def release(
    deployment: str,
    *parts: ReleasedVersion,
    app: str = "booking",
    number: int = 1,
    fence: int = 0,
    lineage: str = "",
) -> Release:
    """A release of these versions; of none, it retires the app."""
    return Release(
        deployment=deployment,
        number=number,
        app=app,
        environment="live",
        cause="release",
        commit="c" * 40,
        traffic=parts,
        fence=fence,
        lineage=lineage,
    )
