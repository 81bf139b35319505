"""A repository of one size with a reconciler on it, as the measures need it."""

from __future__ import annotations

import gc
import json
import logging
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from benchmarks.repository import Placed, Writer, publish
from benchmarks.stores import Asking
from reconciler.config import NUDGE, SETTINGS, Settings
from reconciler.engine.perform import Job
from reconciler.wiring import Running, running

SMALL, CHANGES, STEPS, SINGLES, ROUNDS = 20, 40, 15, 2, 3
MANY = 1_000
PATIENCE = 120.0


def now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


def quiet() -> None:
    """No logs: they would be measured too."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Step:
    """A commit that changes one app, and the one that takes it back."""

    placed: Placed
    forward: str
    back: str


@dataclass(frozen=True, slots=True)
class Round:
    """A commit that changes many apps, and the one that takes it back."""

    forward: str
    back: str


class Corpus:
    """So many app-environments, and commits that have been made and not yet been pushed, one after another."""

    def __init__(self, home: Path, size: int) -> None:
        self.home, self.size = home, size
        # Apps of all environments, in an order that goes over the whole repository.
        spread = [Placed(number * 7919 % size) for number in range(1, min(size, MANY) + 1)]
        changed = SMALL + CHANGES
        apart, self.many = spread[: changed + STEPS + SINGLES], spread
        with Writer(home) as writer:
            self.first = writer.begin(size)
            changes = [(placed, writer.change(placed, 2)) for placed in apart[:changed]]
            self.small, self.changes = changes[:SMALL], changes[SMALL:]
            steps: list[Step] = []
            for number, placed in enumerate(apart[changed:]):
                forward = writer.change(placed, 10 + number)
                steps.append(Step(placed, forward, writer.revert(placed, 10 + number, forward)))
            self.steps, self.singles = steps[:STEPS], steps[STEPS:]
            self.rounds: list[Round] = []
            for number in range(100, 100 + ROUNDS):
                forward = writer.change_many(self.many, number)
                self.rounds.append(Round(forward, writer.revert_many(self.many, number, forward)))
        publish(home, self.first)

    def trees(self, commits: list[str]) -> list[str]:
        """The root trees of commits."""
        specs = [f"{commit}^{{tree}}" for commit in commits]
        done = subprocess.run(["git", "-C", str(self.home), "rev-parse", *specs], capture_output=True, check=True)
        return done.stdout.decode().split()


@dataclass
class World:
    """A corpus with a store and a data directory of its own."""

    place: Path
    corpus: Corpus
    store: str = ""
    """The address of the store; SQLite in the data directory when it is empty."""
    scratch: Path = field(init=False)
    state: Path = field(init=False)

    def __post_init__(self) -> None:
        self.scratch, self.state = self.place / "scratch", self.place / "state"
        self.scratch.mkdir(parents=True)
        self.store = self.store or f"sqlite:///{self.state}/reconciler.db"

    @property
    def size(self) -> int:
        return self.corpus.size

    @property
    def given(self) -> dict[str, Any]:
        """The settings as somebody writes them."""
        places = {"repository": {"url": str(self.corpus.home)}, "state": {"url": self.store}, "data": str(self.state)}
        # Only the part about faces has one.
        return {**places, "api": {"listen": "off"}}

    @property
    def settings(self) -> Settings:
        return SETTINGS.validate_python(self.given)

    @property
    def file(self) -> Path:
        """The settings as a file, for the command."""
        path = self.place / "reconciler.yaml"
        path.write_text(json.dumps(self.given))
        return path

    @contextmanager
    def running(self) -> Iterator[Running]:
        """A reconciler that takes turns when it is told to."""
        with running(self.settings, now) as found:
            yield found

    @contextmanager
    def daemon(self) -> Iterator[Watcher]:
        """A reconciler that lives by itself, watches the repository and never stops to be asked."""
        with self.running() as found, self.living(found), self.watching() as watcher:
            yield watcher

    @contextmanager
    def living(self, found: Running) -> Iterator[None]:
        """From here on, it lives by itself."""
        thread = threading.Thread(target=found.daemon.run)
        thread.start()
        try:
            time.sleep(3)  # the watch begins, and what only a daemon that stays does has been done
            gc.collect()
            yield
        finally:
            found.daemon.stop()
            thread.join()

    def nudge(self) -> None:
        """Have whoever lives here look."""
        (self.state / NUDGE).touch()

    @contextmanager
    def watching(self) -> Iterator[Watcher]:
        """Somebody who looks at the store from outside."""
        watcher = Watcher(Asking(self.store))
        try:
            yield watcher
        finally:
            watcher.store.close()

    def advance(self, commit: str) -> None:
        """Bring everything up to a commit to where it is asked for."""
        publish(self.corpus.home, commit)
        with self.running() as found:
            found.daemon.settle()


def handed_over(found: Running) -> list[float]:
    """When jobs are handed to the pool: the very next thing after the plan is durable."""
    moments: list[float] = []
    begin = found.pool.begin

    def noting(job: Job) -> None:
        moments.append(time.perf_counter())
        begin(job)

    found.pool.begin = noting  # type: ignore[method-assign]
    return moments


@dataclass(frozen=True, slots=True)
class Watcher:
    """Sees from outside when deployments have completed."""

    store: Asking

    def completed(self, app: str, commit: str) -> float:
        """When the deployment of a commit was recorded as completed, on the clock of `perf_counter`."""
        query = 'SELECT status FROM deployments WHERE app = ? AND "commit" = ?'
        self.until(lambda: ("completed",) in self.store.rows(query, (app, commit)), app, 0.0003)
        return time.perf_counter()

    def newest(self) -> int:
        """The sequence number of the newest deployment."""
        return int(self.store.one("SELECT coalesce(max(sequence), 0) FROM deployments"))

    def count(self, since: int, cause: str = "%") -> int:
        """How many that were decided since then have completed."""
        query = "SELECT count(*) FROM deployments WHERE sequence > ? AND status = 'completed' AND cause LIKE ?"
        return int(self.store.one(query, (since, cause)))

    def all_completed(self, since: int, count: int) -> float:
        """When so many that were decided since then had completed."""
        self.until(lambda: self.count(since) >= count, f"{count} deployments", 0.02)
        return time.perf_counter()

    @staticmethod
    def until(holds: Callable[[], bool], what: str, pause: float = 0.02) -> None:
        """Look again and again. Raises TimeoutError."""
        deadline = time.perf_counter() + PATIENCE
        while not holds():
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{what}: not released within {PATIENCE:.0f} s")
            time.sleep(pause)
