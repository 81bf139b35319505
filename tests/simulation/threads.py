"""What stands in for threads, thread pools and the scheduler while the daemon's code is simulated?"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from reconciler.engine.pool import Pool
from tests.simulation.moments import Event, Moments, Process, Task, current


class Thread:
    """As threading.Thread."""

    def __init__(self, target: Callable[..., Any], args: tuple[Any, ...] = (), name: str = "", daemon: bool = False):
        self._run = partial(target, *args)
        self._task: Task | None = None

    def start(self) -> None:
        """Begin."""
        self._task = current().process.spawn(self._run)

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        if self._task is not None:
            self._task.ended.wait(timeout)


class Threading:
    """As the module `threading`, for the modules that wait with it."""

    Lock = staticmethod(threading.Lock)
    Thread = Thread

    def __init__(self, moments: Moments) -> None:
        self._moments = moments

    def Event(self) -> Event:  # noqa: N802 - as it is called there
        """A new event."""
        return Event(self._moments)


class Executor:
    """As ThreadPoolExecutor: so many jobs at once, the others in line."""

    def __init__(self, process: Process, workers: int) -> None:
        self._process = process
        self._free = workers
        self._line: deque[Callable[[], Any]] = deque()

    def submit(self, job: Callable[..., Any], /, *args: Any) -> None:
        """Carry a job out when it is its turn."""
        self._line.append(partial(job, *args))
        self._next()

    def _next(self) -> None:
        while self._free and self._line:
            self._free -= 1
            self._process.spawn(partial(self._work, self._line.popleft()))

    def _work(self, job: Callable[[], Any]) -> None:
        job()
        self._free += 1
        self._next()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing on any more."""
        self._line.clear()


class SimulatedPool(Pool):
    """The daemon's pool, whose threads are tasks."""

    def __init__(self, process: Process, *args: Any) -> None:
        self._process = process
        super().__init__(*args)

    def _begin_threads(self) -> None:
        self._executor = Executor(self._process, self.workers)  # type: ignore[assignment]
        self._checkers = Executor(self._process, self.workers)  # type: ignore[assignment]


class Scheduler:
    """As APScheduler's BackgroundScheduler, as far as the daemon uses it: it knows the time by its machine's clock."""

    def __init__(self, moments: Moments, **_settings: Any) -> None:
        self._moments = moments
        self._process = current().process
        self._jobs: dict[str, object] = {}

    def add_job(self, job: Callable[[], Any], how: str, *, id: str, **when: Any) -> None:
        """Do something every so many seconds, or at a moment."""
        token = self._jobs[id] = object()
        if how == "interval":
            self._again(job, id, token, when["seconds"])
        else:
            self._once(job, id, token, when["run_date"])

    def _again(self, job: Callable[[], Any], name: str, token: object, seconds: float) -> None:
        def due() -> None:
            if self._jobs.get(name) is token:
                self._process.spawn(job)
                self._again(job, name, token, seconds)

        self._moments.at(seconds, due, self._process)

    def _once(self, job: Callable[[], Any], name: str, token: object, at: datetime) -> None:
        def due() -> None:
            if self._jobs.get(name) is not token:
                return
            if self._process.clock() < at:
                self._once(job, name, token, at)  # the clock was set back meanwhile
                return
            del self._jobs[name]
            self._process.spawn(job)

        self._moments.at((at - self._process.clock()).total_seconds(), due, self._process)

    def start(self) -> None:
        """Nothing to begin: the queue of moments is the scheduler."""

    def get_job(self, name: str) -> object | None:
        """A job that is still to be done."""
        return self._jobs.get(name)

    def remove_job(self, name: str) -> None:
        """Forget a job."""
        self._jobs.pop(name, None)

    def remove_all_jobs(self) -> None:
        """Forget all jobs."""
        self._jobs.clear()

    def shutdown(self, wait: bool = True) -> None:
        """There is nothing more to end."""
        self.remove_all_jobs()
