"""Who carries very many deployments out? Processes beside this one, so that neither side waits for one interpreter.

Only where a target says that it may be called in another process (`apart`), and only while many deployments are
carried out at once: a single one is quicker here. They are begun as soon as many are decided, or by the first many,
and end when nobody has asked for a while, or when this process is gone. One that ends early costs time and nothing
else: what it was asked for is carried out here, which targets bear. A daemon that stays keeps one process ready that
the others are made of at once: else a hundred would be carried out before they have begun. What they do is in `apart`.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler import __version__, telemetry
from reconciler.engine import apart
from reconciler.engine.apart import PARTING, PROCESSES, THREADS, Answer
from reconciler.engine.clock import Ticks, ticks
from reconciler.model.release import Release
from reconciler.targets.base import Work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

log = telemetry.logger("daemon")
MANY, WITHIN = 50, 2.0
"""So many deployments within so many seconds are many: to begin the others takes as long as some twenty."""
IDLE = 60.0
"""Seconds after which they end when nobody has asked."""
PAUSE = 60.0
"""Seconds for which none are begun after they ended by themselves, or could not be begun."""
_LOOK = 100
"""Milliseconds after which somebody who waits for an answer looks whether it is to be stopped."""


class Hands:
    """Other processes that carry deployments out, while there are many. For several threads."""

    def __init__(
        self,
        git_dir: Path,
        place: Path,
        apart: Callable[[Mapping[str, Any]], bool],
        ticks: Ticks = ticks,
        idle: float = IDLE,
    ) -> None:
        """`place` is the daemon's data directory; `apart` says whether what is described may be called elsewhere."""
        self._arguments = [str(git_dir), str(place)]
        self._apart = apart
        self._ticks = ticks
        self._idle = idle
        self._lock = threading.Lock()
        self._asked = deque[float](maxlen=MANY)
        self._free = deque[_Hand]()
        self._in_use = 0
        self._expected = 0
        self._used = 0.0
        self._others: _Others | None = None
        self._ready: _Others | None = None
        self._stays = False
        self._beginner: threading.Thread | None = None
        self._not_before = float("-inf")
        self._closed = False

    def expect(self, targets: Sequence[Mapping[str, Any]]) -> None:
        """A release to each of these targets will be asked for. Where they are many, the others begin meanwhile."""
        if len(targets) >= MANY:
            with self._lock:
                self._expected += len(targets)
                self._begin_if_need_be(targets)

    def get_ready(self, targets: Iterable[Mapping[str, Any]]) -> None:
        """Deployments to these targets may come at any time: keep a process ready, where it may carry any of them out.

        From then on there is one, but for while its like are at work.
        """
        if any(self._is_apart(one) for one in targets):
            self._stays = True
            self._keep_ready()

    def act(self, release: Release, settings: Mapping[str, Any], work: Work, here: Callable[[], None]) -> None:
        """Have a release carried out by another process, or call `here`.

        Raises what the target raises: the same kind of error with the same words, not always of its own class.
        """
        hand = self._hand(settings) if self._many() else None
        if hand is None or not self._by(hand, release, settings, work):
            here()

    def _many(self) -> bool:
        now = self._ticks()
        with self._lock:
            self._asked.append(now)
            if self._expected:
                self._expected -= 1
                return True
            return len(self._asked) == MANY and now - self._asked[0] < WITHIN

    def _hand(self, settings: Mapping[str, Any]) -> _Hand | None:
        if not self._apart(settings):
            return None
        with self._lock:
            if self._free:
                self._in_use += 1
                return self._free.popleft()
            self._begin_if_need_be()
        return None

    def _begin_if_need_be(self, expected: Sequence[Mapping[str, Any]] = ()) -> None:
        """For who has the lock."""
        if self._beginner is None and not self._closed and self._ticks() >= self._not_before:
            beginner = threading.Thread(target=self._begin, args=(expected,), daemon=True, name="hands")
            with suppress(RuntimeError):  # no more threads: it is done here
                beginner.start()
                self._beginner = beginner

    def _by(self, hand: _Hand, release: Release, settings: Mapping[str, Any], work: Work) -> bool:
        """Whether it was carried out; if not, nothing is known of how far it came."""
        try:
            answer = hand.ask((release, dict(settings)), work.stop)
        except Exception:  # noqa: BLE001 - gone, or not to be spoken to: it makes no difference
            self._give_back(hand, broken=True)
            return False
        self._give_back(hand)
        if answer is None:
            return False
        said, failure = answer
        for line in said:
            work.say(line)
        if failure is not None:
            raise failure.error()
        return True

    def _give_back(self, hand: _Hand, *, broken: bool = False) -> None:
        with self._lock:
            self._in_use -= 1
            self._used = self._ticks()
            self._keep(hand, broken=broken)

    def _keep(self, hand: _Hand, *, broken: bool = False) -> None:
        """For who has the lock."""
        if broken or self._closed or self._others is None or hand not in self._others.hands:
            hand.close()
        else:
            self._free.append(hand)

    def _begin(self, expected: Sequence[Mapping[str, Any]]) -> None:
        """Begin the others, and see to their end; none where too few of what is expected may be called elsewhere."""
        others, wanted, why = None, False, "they ended by themselves"
        try:
            if expected and not self._are_many_apart(expected):
                wanted = True
            else:
                others = self._begun()
                wanted = self._live_with(others)
        except OSError as error:
            why = str(error)
        finally:
            with self._lock:
                self._let_go()
            if others is not None:
                others.end()
            with self._lock:
                self._beginner = None
                if not wanted:
                    self._not_before = self._ticks() + PAUSE
            if wanted:
                self._keep_ready()
            else:
                log.warning("deployment.alone", error=why, next=f"tried again after {PAUSE:.0f} s at the soonest")

    def _begun(self) -> _Others:
        """The others, at work: made of what lay ready, if it still does. Raises OSError."""
        with self._lock:
            ready, self._ready = self._ready, None
        if ready is not None:
            if ready.begin():
                return ready
            ready.end()  # somebody killed it
        fresh = _Others(self._arguments)
        fresh.begin()
        return fresh

    def _keep_ready(self) -> None:
        with self._lock:
            if not self._stays or self._closed or self._ready is not None or self._beginner is not None:
                return
        try:
            made = _Others(self._arguments)
        except OSError:
            return  # when there are many it is tried again, and said
        if not self._lies_ready(made):
            made.end()

    def _lies_ready(self, made: _Others) -> bool:
        """Whether it is the one; not where somebody else was quicker, or this is closed."""
        with self._lock:
            if self._closed or self._ready is not None:
                return False
            self._ready = made
            return True

    def _are_many_apart(self, targets: Sequence[Mapping[str, Any]]) -> bool:
        return sum(map(self._is_apart, targets)) >= MANY

    def _is_apart(self, target: Mapping[str, Any]) -> bool:
        with suppress(Exception):  # a stranger's, or none at all: who is asked to carry it out says so
            return self._apart(target)
        return False

    def _live_with(self, others: _Others) -> bool:
        """Use them for as long as they are of use; whether it was us who had enough."""
        with self._lock:
            if self._closed:
                return True
            self._others = others
        some = False
        for hand in others.hands:
            ready = hand.is_ready()
            some |= ready
            with self._lock:
                self._keep(hand, broken=not ready)
                self._used = self._ticks()
        others.ready = some
        left = self._idle if some else 0.0
        while left > 0:
            if others.gone(left):
                return self._closed
            left = self._left()
        return some or self._closed  # those that were only beginning when all was done are ended by us

    def _left(self) -> float:
        """Seconds for which they stay if nobody asks. At 0 they are let go."""
        with self._lock:
            left = self._idle if self._in_use else self._used + self._idle - self._ticks()
            if left <= 0:
                self._let_go()
            return left

    def _let_go(self) -> None:
        """For who has the lock: nobody gets one of them any more."""
        self._others = None
        self._expected = 0
        while self._free:
            self._free.pop().close()

    def close(self) -> None:
        """End the others. Nothing may be asked any more, and nobody may wait for an answer."""
        with self._lock:
            self._closed = True
            beginner, others = self._beginner, self._others
            ready, self._ready = self._ready, None
            self._let_go()
        if ready is not None:
            ready.end()
        if others is not None:
            others.let_go()
        if beginner is not None:
            beginner.join(PARTING + 5)


class _Others:
    """The other processes, a group of their own, and the lines to them; one process until they `begin`. Raises OSError
    where it cannot be started."""

    def __init__(self, arguments: list[str]) -> None:
        # With the first many: most often there are none.
        from multiprocessing import Pipe

        # One besides those of the threads: who ends whom is told by it, and by its end.
        pairs = [Pipe() for _ in range(PROCESSES * THREADS + 1)]
        numbers = [other.fileno() for _, other in pairs]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", apart.__name__, *arguments, *map(str, numbers)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=numbers,
                start_new_session=True,
            )
        finally:
            for _, other in pairs:
                other.close()
        self._life = pairs[0][0]
        self._ending = select.poll()
        self._ending.register(self._life, 0)  # an end is told unasked
        self.hands = [_Hand(one) for one, _ in pairs[1:]]
        self.ready = False

    def begin(self) -> bool:
        """Have them begin; False where the one that lay ready is gone."""
        with suppress(OSError):
            self._life.send_bytes(b"begin")
            return True
        return False

    def gone(self, within: float) -> bool:
        """Whether all of them end within so many seconds."""
        return bool(self._ending.poll(within * 1_000))

    def let_go(self) -> None:
        """Have them end. Those that are only beginning do not hear of it, and have nothing to lose."""
        if not self.ready:
            self._kill()
        with suppress(OSError):
            self._life.send_bytes(b"enough")

    def end(self) -> None:
        """Have them end, and wait until they have."""
        self.let_go()
        if not self.gone(PARTING + 1):
            self._kill()
        self._process.wait()
        self._life.close()

    def _kill(self) -> None:
        # The group is there at least until it was waited for.
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)


class _Hand:
    """One thread of another process, and the line to it."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._waiting = select.poll()
        self._waiting.register(line, select.POLLIN)

    def is_ready(self) -> bool:
        """Wait until it is; False where it ended before, or is not of this version, which may lie there meanwhile."""
        with suppress(OSError, EOFError):
            return self._line.recv_bytes() == __version__.encode()
        return False

    def ask(self, what: object, stop: threading.Event) -> Answer:
        """Its answer. Raises OSError and EOFError where it is gone."""
        self._line.send(what)
        told = False
        while not self._waiting.poll(_LOOK):
            if stop.is_set() and not told:
                self._line.send(None)
                told = True
        answer: Answer = self._line.recv()
        return answer

    def close(self) -> None:
        self._line.close()
