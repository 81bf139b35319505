"""What time is it in the simulation, and who acts next?

One thread for everything. What would be a thread of the daemon is a task here: it runs until it waits, and what it
waits for stands in one queue, by its moment and by when it was put there. So the same seed gives the same order.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any

from greenlet import getcurrent, greenlet

from tests.world import NOON

SECOND = 1_000_000
LINES_KEPT = 60
AT_ONCE = 4_000
"""So many events at one instant are a storm: something asks again and again."""


class Storm(Exception):
    """Nothing comes to rest."""


class Killed(BaseException):
    """The process that this happens to is no more: not one instruction of it follows."""


class Process:
    """One life of a daemon: its tasks, and how its clock differs from the true one."""

    def __init__(self, moments: Moments, name: str) -> None:
        self.name = name
        self.alive = True
        self.stopped = False
        self.offset = timedelta()
        self._moments = moments
        self._tasks: list[Task] = []
        self._missed: list[Callable[[], None]] = []

    def clock(self) -> datetime:
        """What this machine takes for the time."""
        return self._moments.now + self.offset

    def spawn(self, run: Callable[[], Any]) -> Task:
        """Begin a task."""
        task = Task(self._moments, self, run)
        self._tasks = [one for one in self._tasks if not one.dead] + [task]
        self._moments.at(0, task.go, self)
        return task

    def check(self) -> None:
        """Raise Killed when this process is no more."""
        if not self.alive:
            raise Killed

    def kill(self) -> None:
        """End it where it stands. Whoever calls this from inside goes on to `check`."""
        if self.alive:
            self.alive = False
            self._moments.say(self.name, "killed")
            self._moments.at(0, self._reap, None)

    def _reap(self) -> None:
        for task in self._tasks:
            if task:  # it has begun, and not ended
                task.throw(Killed)
        self._tasks.clear()

    def stop(self) -> None:
        """As SIGSTOP does: nothing of it goes on, and it does not know."""
        self.stopped = True
        self._moments.say(self.name, "stopped")

    def go_on(self) -> None:
        """As SIGCONT does."""
        self.stopped = False
        if self.alive:
            self._moments.say(self.name, "goes on")
        missed, self._missed = self._missed, []
        for what in missed:
            self._moments.at(0, what, self)

    def runs(self, what: Callable[[], None]) -> bool:
        """Whether something of it may happen now; what may not is kept until it goes on."""
        if self.alive and self.stopped:
            self._missed.append(what)
        return self.alive and not self.stopped


class Task(greenlet):
    """What would be a thread."""

    def __init__(self, moments: Moments, process: Process, run: Callable[[], Any]) -> None:
        super().__init__(self._live, moments.hub)
        self.process = process
        self._moments = moments
        self._what = run
        self.ended = Event(moments)

    def _live(self) -> None:
        try:
            self.process.check()
            self._what()
        except Killed:
            pass
        except Exception as error:  # noqa: BLE001 - told as what is not so, with the seed
            self._moments.broke(self.process.name, error)
        self.ended.set()

    def go(self) -> None:
        """Go on where it waits."""
        if not self.dead:
            self.switch()


class Moments:
    """The true time, in microseconds since the beginning, and what is still to happen."""

    def __init__(self) -> None:
        self.hub = getcurrent()
        self.t = 0
        self.events = 0
        self.broken: list[str] = []
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self.listing: Callable[[str], None] | None = None
        self._queue: list[tuple[int, int, Callable[[], None], Process | None]] = []
        self._put = 0
        self._digest = hashlib.sha256()

    @property
    def now(self) -> datetime:
        """The true time."""
        return NOON + timedelta(microseconds=self.t)

    def ticks(self) -> float:
        """Seconds since the beginning."""
        return self.t / SECOND

    @property
    def digest(self) -> str:
        """Of all that was said: the same for the same seed."""
        return self._digest.hexdigest()

    def say(self, who: str, what: str) -> None:
        """One line of what happened."""
        line = f"{self.t / SECOND:>14.3f} {who:<9} {what}"
        self._digest.update(line.encode("utf-8", "surrogateescape"))
        self.lines.append(line)
        if self.listing is not None:
            self.listing(line)

    def broke(self, who: str, error: Exception) -> None:
        """A task ended as it must not."""
        import traceback

        said = "".join(traceback.format_exception(error))
        self.broken.append(f"{who}: {said}")
        self.say(who, f"broke: {type(error).__name__}: {error}")

    def at(self, seconds: float, what: Callable[[], None], process: Process | None = None) -> None:
        """Let something happen so many seconds from now; of a process only while it runs."""
        self._put += 1
        heappush(self._queue, (self.t + max(round(seconds * SECOND), 0), self._put, what, process))

    def sleep(self, seconds: float) -> None:
        """Let time pass for this task."""
        task = current()
        task.process.check()
        self.at(seconds, task.go, task.process)
        self.hub.switch()
        task.process.check()

    def run(self, until: int, each: Callable[[], None] | None = None) -> None:
        """Let everything happen up to a moment; `each` is called after every event."""
        queue, at_once = self._queue, 0
        while queue and queue[0][0] <= until:
            at, _, what, process = heappop(queue)
            at_once = at_once + 1 if at <= self.t else 0
            if at_once > AT_ONCE:
                raise Storm(f"{AT_ONCE} events at {self.now}")
            self.t = max(self.t, at)
            if process is None or process.runs(what):
                self.events += 1
                what()
                if each is not None:
                    each()
        self.t = max(self.t, until)


def current() -> Task:
    """The task that runs."""
    task = getcurrent()
    assert isinstance(task, Task), "only a task waits"
    return task


class _Turn:
    """One waiting of one task: it ends once."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.over = False

    def __call__(self) -> None:
        if not self.over:
            self.over = True
            self.task.go()


class Event:
    """As threading.Event."""

    def __init__(self, moments: Moments) -> None:
        self._moments = moments
        self._set = False
        self._waiting: list[_Turn] = []

    def is_set(self) -> bool:
        """Whether it is set."""
        return self._set

    def set(self) -> None:
        """Let all go on that wait for it."""
        self._set = True
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            self._moments.at(0, turn, turn.task.process)

    def clear(self) -> None:
        """Let those wait who come from now on."""
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, or for so many seconds."""
        task = current()
        task.process.check()
        if self._set or (timeout is not None and timeout <= 0):
            return self._set
        turn = _Turn(task)
        self._waiting.append(turn)
        if timeout is not None:
            self._moments.at(timeout, turn, task.process)
        self._moments.hub.switch()
        if turn in self._waiting:
            self._waiting.remove(turn)
        task.process.check()
        return self._set
