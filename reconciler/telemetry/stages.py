"""What does a process spend its time on?

    with telemetry.stage("plan"):
        …

counts and measures, which costs about a microsecond. Who wants to see each stage by itself, as traces do, has itself
called with `watch`. What was counted is shown by `vitals`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from types import TracebackType
from typing import Any, Self

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Seconds up to which lengths of time are counted together; each counts what is not longer."""


@dataclass(slots=True)
class Measure:
    """How often something was done, how long that took, and how often it ended with an error."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    """By the bound that is the first to hold; the last one counts all that took longer."""
    seconds: float = 0.0
    failures: int = 0
    well_at: float | None = None
    """When it last ended without one."""

    def add(self, begun: float, ended: float, *, failed: bool) -> None:
        """Count one."""
        seconds = ended - begun
        place = next((place for place, bound in enumerate(BOUNDS) if seconds <= bound), len(BOUNDS))
        self.counts[place] += 1
        self.seconds += seconds
        self.failures += failed
        self.well_at = self.well_at if failed else ended


_measures: dict[str, Measure] = {}
_lock = threading.Lock()
_watcher: Callable[[Stage], None] | None = None


class Stage:
    """Something that is done, from its beginning to its end. Not to be begun twice."""

    __slots__ = ("begun", "depth", "ended", "error", "facts", "failed", "name")
    _here = threading.local()

    def __init__(self, name: str) -> None:
        self.name = name
        self.facts: dict[str, Any] = {}
        """What is to be seen of it in a trace."""
        self.error: BaseException | None = None
        self.failed = False
        """Whether it went wrong although nothing was raised."""
        self.begun = self.ended = 0.0
        """By the clock that measures lengths of time: `time.perf_counter`."""
        self.depth = 0
        """How many stages it is within, of this thread."""

    def __enter__(self) -> Self:
        self.depth = getattr(self._here, "depth", 0)
        self._here.depth = self.depth + 1
        self.begun = perf_counter()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.ended = perf_counter()
        self._here.depth = self.depth
        self.error = error
        self.failed = self.failed or error is not None
        with _lock:
            measure = _measures.get(self.name)
            if measure is None:
                measure = _measures[self.name] = Measure()
            measure.add(self.begun, self.ended, failed=self.failed)
        if _watcher is not None:
            _watcher(self)


def stage(name: str) -> Stage:
    """Something that begins now: `with stage("plan"):`."""
    return Stage(name)


def watch(watcher: Callable[[Stage], None] | None) -> None:
    """Call this with each stage that has ended, in the thread that it ended in; None: call nobody any more."""
    global _watcher  # like the log: one for the process
    _watcher = watcher


def measured() -> dict[str, dict[str, Any]]:
    """What was counted in this process so far, by the name of the stage; and how many seconds ago it last went well."""
    with _lock:
        now = perf_counter()
        return {
            name: {
                "counts": list(one.counts),
                "seconds": one.seconds,
                "failures": one.failures,
                "well_ago": None if one.well_at is None else now - one.well_at,
            }
            for name, one in sorted(_measures.items())
        }
