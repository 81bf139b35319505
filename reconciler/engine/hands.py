"""Who carries very many deployments out? Processes beside this one, so that neither side waits for one interpreter.

Only where a target says that it may be called in another process (`apart`), and only while many deployments are
carried out at once: a single one is quicker here. They are begun by the first many and end by themselves when nobody
asks any more, or when this process is gone. One that ends early costs time and nothing else: what it was asked for is
carried out here, which targets bear.
"""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from reconciler.engine.clock import Ticks, ticks
from reconciler.errors import GitError
from reconciler.git.objects import Objects
from reconciler.git.unpack import unpack
from reconciler.model.release import Release
from reconciler.targets.base import Target, Work
from reconciler.targets.made import Targets

MANY, WITHIN = 50, 2.0
"""So many deployments within so many seconds are many: to begin the others takes as long as some twenty."""
PROCESSES, THREADS = 4, 4
"""More threads of one process wait for each other; more processes take more memory."""
IDLE = 60.0
"""Seconds after which one that is not asked ends."""
_LOOK = 100
"""Milliseconds after which somebody who waits for an answer looks whether it is to be stopped."""
_LINES_KEPT = 200
_GONE = (OSError, EOFError, pickle.PickleError)


class Hands:
    """Other processes that carry deployments out, while there are many."""

    def __init__(
        self, git_dir: Path, place: Path, apart: Callable[[Mapping[str, Any]], bool], ticks: Ticks = ticks
    ) -> None:
        """`place` is the daemon's data directory; `apart` says whether what is described may be called elsewhere."""
        self._arguments = [str(git_dir), str(place)]
        self._apart = apart
        self._ticks = ticks
        self._lock = threading.Lock()
        self._begun = deque[float](maxlen=MANY)
        self._free: SimpleQueue[_Hand] = SimpleQueue()
        self._beginner: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def act(self, release: Release, settings: Mapping[str, Any], work: Work, here: Callable[[], None]) -> None:
        """Have a release carried out by another process, or call `here`. Raises what the target raises."""
        hand = self._hand(settings) if self._many() else None
        if hand is None or not self._by(hand, release, settings, work):
            here()

    def _many(self) -> bool:
        now = self._ticks()
        with self._lock:
            self._begun.append(now)
            return len(self._begun) == MANY and now - self._begun[0] < WITHIN

    def _hand(self, settings: Mapping[str, Any]) -> _Hand | None:
        if not self._apart(settings):
            return None
        with suppress(Empty):
            return self._free.get_nowait()
        with self._lock:
            if self._beginner is None and not self._closed:
                self._beginner = threading.Thread(target=self._begin, daemon=True, name="hands")
                self._beginner.start()
        return None

    def _by(self, hand: _Hand, release: Release, settings: Mapping[str, Any], work: Work) -> bool:
        """Whether it was carried out; if not, nothing is known of how far it came."""
        try:
            said, error = hand.ask((release, dict(settings)), work.stop)
        except _GONE:
            hand.close()
            return False
        self._give_back(hand)
        if isinstance(error, GitError):
            return False  # the mirror is made anew by who owns it
        for line in said:
            work.say(line)
        if error is not None:
            raise error
        return True

    def _give_back(self, hand: _Hand) -> None:
        with self._lock:
            if self._closed:
                hand.close()
            else:
                self._free.put(hand)

    def _begin(self) -> None:
        """Begin the others, and see to their end."""
        try:
            with suppress(*_GONE):
                self._serve_until_they_end()
        finally:
            self._let_go()
            with self._lock:
                self._process = self._beginner = None

    def _serve_until_they_end(self) -> None:
        ours, theirs = list[_Hand](), list[Connection]()
        try:
            for _ in range(PROCESSES * THREADS):
                one, other = Pipe()
                ours.append(_Hand(one))
                theirs.append(other)
            numbers = [other.fileno() for other in theirs]
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, *self._arguments, *map(str, numbers)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=numbers,
                start_new_session=True,
            )
        except OSError:
            for hand in ours:
                hand.close()
            raise
        finally:
            for other in theirs:
                other.close()
        with self._lock:
            self._process = process
        for hand in ours:
            try:
                hand.wait_until_ready()
            except _GONE:
                hand.close()
            else:
                self._give_back(hand)
        process.wait()

    def _let_go(self) -> None:
        with suppress(Empty):
            while True:
                self._free.get_nowait().close()

    def close(self) -> None:
        """End the others. Nothing may be asked any more, and nobody may wait for an answer."""
        with self._lock:
            self._closed = True
            beginner = self._beginner
        self._let_go()
        if beginner is None:
            return
        beginner.join(5)
        process = self._process
        if process is not None and beginner.is_alive():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            beginner.join(5)


class _Hand:
    """One thread of another process, and the line to it."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._waiting = select.poll()
        self._waiting.register(line, select.POLLIN)

    def wait_until_ready(self) -> None:
        """Raises EOFError and OSError where it ended before."""
        self._line.recv_bytes()

    def ask(self, what: object, stop: threading.Event) -> tuple[Sequence[str], Exception | None]:
        """What was said, and the error. Raises OSError, EOFError and PickleError where it is gone."""
        self._line.send(what)
        told = False
        while not self._waiting.poll(_LOOK):
            if stop.is_set() and not told:
                self._line.send(None)
                told = True
        answer: tuple[Sequence[str], Exception | None] = self._line.recv()
        return answer

    def close(self) -> None:
        self._line.close()


class _Told(threading.Event):
    """Set once whoever asked says anything more, or is gone."""

    def __init__(self, waiting: select.poll) -> None:
        super().__init__()
        self._waiting = waiting

    def is_set(self) -> bool:
        return bool(self._waiting.poll(0))

    def wait(self, timeout: float | None = None) -> bool:
        return bool(self._waiting.poll(None if timeout is None else timeout * 1_000))


class _Serving:
    """What a thread of another process does: it carries out what it is asked for, one after another."""

    def __init__(self, line: Connection, targets: Targets, objects: Objects) -> None:
        self._line = line
        self._targets = targets
        self._objects = objects
        self._waiting = select.poll()
        self._waiting.register(line, select.POLLIN)

    def serve(self) -> None:
        """Until nobody asks any more."""
        with suppress(*_GONE):
            self._line.send_bytes(b"ready")
            while self._waiting.poll(IDLE * 1_000):
                asked = self._line.recv()
                if asked is not None:  # else it was to be stopped, and had ended already
                    self._answer(*asked)

    def _answer(self, release: Release, settings: Mapping[str, Any]) -> None:
        said: list[str] = []
        error = self._carry_out(release, settings, said)
        try:
            answer = pickle.dumps((said, error))
            pickle.loads(answer)  # noqa: S301 - our own: what cannot be read must not be sent
        except Exception:  # noqa: BLE001 - a stranger's error, which may be anything
            answer = pickle.dumps((said, RuntimeError(f"{type(error).__name__}: {error}")))
        self._line.send_bytes(answer)

    def _carry_out(self, release: Release, settings: Mapping[str, Any], said: list[str]) -> Exception | None:
        work = Work(
            unpack=lambda tree, directory: unpack(self._objects, tree, directory),
            stop=_Told(self._waiting),
            say=lambda line: said.append(line) if len(said) < _LINES_KEPT else None,
            environ=os.environ,
        )
        try:
            carry_out(self._targets.make(release.environment, settings), release, work)
        except Exception as error:  # noqa: BLE001 - it is the answer
            return error
        return None


def carry_out(target: Target, release: Release, work: Work) -> None:
    """Let a target have a release. Raises what the target raises."""
    if release.traffic:
        target.deploy(release, work)
    else:
        target.retire(release, work)


def main(git_dir: str, place: str, *numbers: str) -> None:
    """Serve on these open lines, in several processes, until they end."""
    lines = [Connection(int(number)) for number in numbers]
    gc.freeze()
    others = list[int]()
    for start in range(THREADS, len(lines), THREADS):
        process = os.fork()
        if process == 0:
            others, mine = [], lines[start : start + THREADS]
            break
        others.append(process)
    else:
        mine = lines[:THREADS]
    for line in lines:
        if line not in mine:  # else nobody would notice when the process that it leads to has ended
            line.close()
    with Objects(Path(git_dir)) as objects:
        targets = Targets(Path(place))
        threads = [threading.Thread(target=_Serving(line, targets, objects).serve) for line in mine]
        for thread in threads:
            thread.start()
        for thread, line in zip(threads, mine, strict=True):
            thread.join()
            line.close()
        targets.close()
    for process in others:
        os.waitpid(process, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
