"""A repository of one size with a reconciler on it, as the measures need it."""

from __future__ import annotations

import gc
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from benchmarks.repository import Placed, Writer, publish
from reconciler.config import SETTINGS, Settings
from reconciler.wiring import Running, running

PATIENCE = 60.0


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


class World:
    """So many app-environments, and commits that have been made and not yet been pushed."""

    def __init__(self, place: Path, size: int, changes: int, steps: int) -> None:
        self.place, self.size = place, size
        self.home, self.state = place / "desired.git", place / "state"
        with Writer(self.home) as writer:
            self.first = writer.begin(size)
            apart = [Placed(number * 7919 % size) for number in range(1, changes + steps + 1)]
            self.changes = [(placed, writer.change(placed, 2)) for placed in apart[:changes]]
            self.steps: list[Step] = []
            for number, placed in enumerate(apart[changes:]):
                # The same app may have been changed before: what is taken back is this change.
                forward = writer.change(placed, 10 + number)
                back = writer.revert(placed, 10 + number, forward)
                self.steps.append(Step(placed, forward, back))
        publish(self.home, self.first)

    @property
    def settings(self) -> Settings:
        return SETTINGS.validate_python(
            {
                "repository": {"url": str(self.home)},
                "state": {"url": f"sqlite:///{self.state}/reconciler.db"},
                "data": str(self.state),
            }
        )

    @contextmanager
    def running(self) -> Iterator[Running]:
        """A reconciler that takes turns when it is told to."""
        with running(self.settings, now) as found:
            yield found

    @contextmanager
    def daemon(self) -> Iterator[Watcher]:
        """A reconciler that lives by itself, watches the repository and never stops to be asked."""
        with self.running() as found:
            thread = threading.Thread(target=found.daemon.run)
            thread.start()
            watcher = Watcher(self.state / "reconciler.db")
            try:
                time.sleep(1)  # the watch begins
                gc.collect()
                yield watcher
            finally:
                watcher.close()
                found.daemon.stop()
                thread.join()


class Watcher:
    """Sees from outside when a deployment has completed."""

    def __init__(self, database: Path) -> None:
        self._connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None)

    def completed(self, app: str, commit: str) -> float:
        """When the deployment of a commit was recorded as completed, on the clock of `perf_counter`."""
        deadline = time.perf_counter() + PATIENCE
        query = 'SELECT status FROM deployments WHERE app = ? AND "commit" = ?'
        while time.perf_counter() < deadline:
            if ("completed",) in self._connection.execute(query, (app, commit)).fetchall():
                return time.perf_counter()
            time.sleep(0.0003)
        raise TimeoutError(f"{app} has not been released within {PATIENCE:.0f} s")

    def close(self) -> None:
        self._connection.close()
