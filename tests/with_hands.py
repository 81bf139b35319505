"""A daemon's hands and what it has around them, without the daemon: for tests, and as a process that a test kills.

    python -m tests.with_hands GIT_DIRECTORY DATA_DIRECTORY WHAT

has one deployment carried out elsewhere, by a target that does WHAT (see `noting_target`); or gets `ready` for many,
and waits.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from reconciler.engine.apart import PROCESSES, THREADS
from reconciler.engine.hands import IDLE, Hands
from reconciler.engine.outcomes import Outcome
from reconciler.engine.perform import Job, Surroundings, perform
from reconciler.git.objects import Objects
from reconciler.git.unpack import unpack
from reconciler.model.release import Release
from reconciler.targets.base import Work
from reconciler.targets.made import Targets
from reconciler.targets.rehearsal import release, version
from tests import noting_target
from tests.gitrepo import Repo
from tests.processes import beside
from tests.waiting import until

HERE = os.getpid()


class Daemon:
    """What a daemon has around its hands: real git, real targets, and a steady clock that the test moves."""

    def __init__(self, git_dir: Path, place: Path, idle: float = IDLE) -> None:
        self.moment = 0.0
        self.place = place
        self.notes = place.absolute() / "notes"
        self.objects = Objects(git_dir)
        self.targets = Targets(place)
        self.hands = Hands(git_dir, place, self.targets.apart, lambda: self.moment, idle)
        self.names = (f"d{number}" for number in count())

    def begin(self) -> Daemon:
        """Have so many deployments that others carry them out, and wait until all of those are ready."""
        until(lambda: self.noted(type="noting") != HERE)
        until(lambda: len(self.hands._free) == PROCESSES * THREADS)
        return self

    def perform(
        self, what: Release, stop: threading.Event | None = None, at_home: bool = False, **target: Any
    ) -> Outcome:
        """How it went. It may have been carried out anywhere, unless it is to be `at_home`."""
        acting = {} if at_home else {"act": self.hands.act}
        surroundings = Surroundings(
            make_target=self.targets.make, unpack=self._unpack, environ=os.environ, data=self.place, **acting
        )
        return perform(Job(release=what, target=target, stop=stop or threading.Event()), surroundings)

    def _unpack(self, tree: str, folder: Path) -> None:
        unpack(self.objects, tree, folder)

    def noted(self, **target: Any) -> int:
        """Which process a new deployment was carried out by, exactly once."""
        name = next(self.names)
        went = self.perform(release(name, version()), notes=str(self.notes), **target)
        assert went.kind == "completed", went
        (pid,) = self.called(name)
        return pid

    def called(self, deployment: str) -> list[int]:
        """The processes by which a target was called for it."""
        note = self.notes / deployment
        return [int(line) for line in note.read_text().splitlines()] if note.exists() else []

    def held(self, pool: ThreadPoolExecutor, name: str, stop: threading.Event | None = None) -> Future[Outcome]:
        """A deployment that is being carried out until it is let go."""
        told = {"type": "noting", "notes": str(self.notes), "does": "waits"}
        under_way = pool.submit(self.perform, release(name, version()), stop, **told)
        until(lambda: self.called(name))
        return under_way

    def let_go(self, name: str) -> None:
        """Let it come to its end."""
        (self.notes / f"{name}.go").touch()

    @property
    def work(self) -> Work:
        """What a target is lent."""
        return Work(self._unpack, threading.Event(), lambda _: None, os.environ)

    @property
    def others(self) -> set[int]:
        return beside(self.place)

    def close(self) -> None:
        self.hands.close()
        self.targets.close()
        self.objects.close()


def repository(place: Path) -> Repo:
    """A bundle with all that git knows: folders, a link, something to be started."""
    made = Repo.create(place)
    made.write({"shop/index.html": "one", "shop/static/app.js": "run()", "shop/start": "#!/bin/sh\n"})
    (made.path / "shop/start").chmod(0o755)
    made.link("shop/home", "index.html").commit("Begin")
    return made


def shop(repo: Repo, deployment: str = "d-shop", app: str = "shop") -> Release:
    """Something to be released of it."""
    return release(deployment, version(bundle=repo.tree(path="shop")), app=app)


@contextmanager
def stranger(folder: Path) -> Iterator[None]:
    """A stranger's targets, installed for this process and those that it starts."""
    noting_target.install(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        yield
    sys.modules.pop(noting_target.NAME, None)


def threads_begun() -> list[str]:
    """Those that look after hands."""
    return [thread.name for thread in threading.enumerate() if thread.name == "hands"]


def main(git_dir: str, place: str, does: str) -> None:
    """Have others begun, and one of them carry this out; or get ready for it."""
    daemon = Daemon(Path(git_dir), Path(place))
    if does == "ready":
        daemon.hands.get_ready([{"type": "noting"}])
        sys.stdin.read()
    daemon.begin()
    daemon.perform(release("long", version()), type="noting", notes=str(daemon.notes), does=does)


if __name__ == "__main__":
    main(*sys.argv[1:])
