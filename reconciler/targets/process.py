"""How does a command end: by itself, by its time limit, or because somebody wants it to?

A command is a list and never passes through a shell. It runs in a session of its own, so that all it
started can be ended together. What it is for, and what its exit status means, is the callers' affair.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from reconciler.errors import Aborted, PersonNeeded, TryAgainLater
from reconciler.targets.output import Output
from reconciler.targets.secrets import Blanker

GRACE = 5.0
"""Seconds between TERM and KILL."""
_TICK = 0.05
"""Seconds after which an abort, or the end of a process that closed its output, is noticed."""
_LINGER = 0.2
"""Seconds for which output is still read after the end of the command, when others hold it open."""
_PIECE = 64 * 1024
LAST_GRACE = 1.0
"""Seconds between TERM and KILL when this very process is about to end."""
NOTHING_SECRET = Blanker({})


def silent(_line: str) -> None:
    """Says nothing."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    exit: int
    """The exit status; negative for the signal that ended it."""
    output: str
    """Standard output and error together, without secrets and control characters, 256 KiB at most."""
    said: bool
    """Whether all of the output was said while it ran."""
    cut_short: Literal["stopped", "out of time"] | None = None
    """Why it was ended, if it did not end by itself."""


def run(
    command: Sequence[str],
    *,
    cwd: str,
    environ: Mapping[str, str],
    timeout: timedelta,
    stop: threading.Event,
    say: Callable[[str], None] = silent,
    blanker: Blanker = NOTHING_SECRET,
    grace: float = GRACE,
) -> Ran:
    """Run `command` in the directory `cwd` with exactly the variables `environ`, and wait for its end.

    A relative path such as `./deploy.sh` is looked up in `cwd`, a bare name in the PATH of `environ`. When
    `timeout` is over or `stop` is set, its process group gets TERM and, `grace` seconds later, KILL.
    Processes that it leaves behind after its own end go on, but nobody reads their output any more. Raises
    PersonNeeded when it cannot be started, and TryAgainLater when this machine is too busy to.
    """
    with _RUNNING.starting() as started:
        process = _start(list(command), cwd, dict(environ), stop)
        started(process.pid)
    watch = _Watch(process, Output(say, blanker), stop, time.monotonic() + timeout.total_seconds(), grace)
    try:
        return watch.until_the_end()
    finally:
        watch.end_all()
        _RUNNING.ended(process.pid)


def end_everything(grace: float = LAST_GRACE) -> int:
    """End every command that runs, with all it started: TERM, and KILL after `grace` seconds; how many there were.

    For a process that ends right afterwards: nothing is started any more.
    """
    return _RUNNING.end(grace)


class _Running:
    """The process groups of the commands that run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: set[int] = set()
        self._starting = 0
        self._over = False

    @contextmanager
    def starting(self) -> Iterator[Callable[[int], None]]:
        """A command is being started; it is told which group it is. Raises Aborted when everything is being ended."""
        with self._lock:
            if self._over:
                raise Aborted("nothing is started any more: the reconciler ends", "taken up at its next start")
            self._starting += 1
        try:
            yield self._started
        finally:
            with self._lock:
                self._starting -= 1

    def _started(self, group: int) -> None:
        with self._lock:
            self._groups.add(group)

    def ended(self, group: int) -> None:
        """A command has come to its end, or was brought there."""
        with self._lock:
            self._groups.discard(group)

    def end(self, grace: float) -> int:
        with self._lock:
            self._over = True
        signalled: set[int] = set()
        deadline = time.monotonic() + grace
        while (left := self._left()) and time.monotonic() < deadline:
            for group in left - signalled:
                _tell(group, signal.SIGTERM)
            signalled |= left
            time.sleep(_TICK / 5)
        for group in left:
            _tell(group, signal.SIGKILL)
        return len(signalled)

    def _left(self) -> set[int]:
        """Groups in which something runs; 0 stands for one that is just being started."""
        with self._lock:
            groups, starting = set(self._groups), self._starting
        return {group for group in groups if _tell(group, None)} | ({0} if starting else set())


def _tell(group: int, which: signal.Signals | None) -> bool:
    """Send a signal to a process group; whether there is one. Group 0 would be our own, and is never meant."""
    try:
        if group:
            os.killpg(group, which or 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


_RUNNING = _Running()


class _Watch:
    """A running command and the clock against it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        output: Output,
        stop: threading.Event,
        deadline: float,
        grace: float,
    ) -> None:
        assert process.stdout is not None
        self._process = process
        self._pipe = process.stdout
        self._output = output
        self._stop = stop
        self._deadline = deadline
        self._grace = grace
        self._open = True
        self._over = False
        self._cut_short: Literal["stopped", "out of time"] | None = None
        self._ended_at: float | None = None
        os.set_blocking(self._pipe.fileno(), False)
        self._poll = select.poll()
        self._poll.register(self._pipe.fileno(), select.POLLIN)

    def until_the_end(self) -> Ran:
        while not self._done():
            self._wait()
            self._look_at_the_clock()
        self._over = self._cut_short is None
        self._output.close()
        return Ran(self._process.returncode, self._output.text, self._output.said, self._cut_short)

    def _wait(self) -> None:
        """For output, for the end, or for a tick."""
        if not self._open:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_TICK)
        elif self._poll.poll(_TICK * 1000):
            self._read()

    def _read(self) -> None:
        try:
            piece = os.read(self._pipe.fileno(), _PIECE)
        except BlockingIOError:
            return
        self._open = bool(piece)
        self._output.feed(piece)

    def _done(self) -> bool:
        if self._process.poll() is None:
            return False
        if not self._open:
            return True
        # Its children hold the output open. After an abort they have the grace to end; otherwise they go on
        # without us.
        self._ended_at = self._ended_at or time.monotonic()
        last = self._deadline if self._cut_short else self._ended_at
        return time.monotonic() > last + _LINGER

    def _look_at_the_clock(self) -> None:
        now = time.monotonic()
        if self._cut_short is not None:
            if now > self._deadline:
                self._signal(signal.SIGKILL)
        elif self._process.returncode is None and (self._stop.is_set() or now > self._deadline):
            self._cut_short = "stopped" if self._stop.is_set() else "out of time"
            self._deadline = now + self._grace
            self._signal(signal.SIGTERM)

    def end_all(self) -> None:
        """Leave nothing behind of a command that did not end by itself, whatever happened here."""
        if not self._over:
            self._signal(signal.SIGKILL)
            self._process.wait()
        self._pipe.close()

    def _signal(self, number: signal.Signals) -> None:
        # The session's leader is its group's too. Gone already, or (elsewhere than on Linux) only a zombie:
        # no matter.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def _start(command: list[str], cwd: str, environ: dict[str, str], stop: threading.Event) -> subprocess.Popen[bytes]:
    for pause in (0.02, 0.1, 0.5, None):
        try:
            return subprocess.Popen(
                command,
                cwd=cwd,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                start_new_session=True,
            )
        except (OSError, ValueError) as wrong:
            # A file just unpacked counts as being written while another thread's new process, which
            # inherited it, has not yet begun its program.
            if pause is None or not isinstance(wrong, OSError) or wrong.errno != errno.ETXTBSY:
                raise _not_started(command[0], cwd, wrong) from None
        stop.wait(pause)
    raise AssertionError("the last round returns or raises")


_BUSY = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY}


def _not_started(name: str, cwd: str, wrong: OSError | ValueError) -> PersonNeeded | TryAgainLater:
    """What is wrong and what to do. The original error holds paths of this machine, and is not shown."""
    shown = f"{name[:200]!a}"
    if not isinstance(wrong, OSError):
        return PersonNeeded(f"{shown} cannot be started: a variable or argument holds a NUL character", "remove it")
    reason = os.strerror(wrong.errno or 0)
    if wrong.errno in _BUSY:
        return TryAgainLater(f"{shown} could not be started: {reason}", "it is tried again")
    if wrong.errno == errno.E2BIG:
        return PersonNeeded(
            f"{shown} cannot be started: the configuration is too large for an environment variable",
            "a value may have 128 KiB; move large settings into files of the bundle",
        )
    return PersonNeeded(f"{shown} cannot be started: {reason}", _remedy(name, cwd, wrong.errno))


def _remedy(name: str, cwd: str, number: int | None) -> str:
    there = "/" in name and os.path.isfile(os.path.join(cwd, name))
    if number == errno.ENOENT and there:
        return "it is there, but the interpreter that its first line names is not"
    if number == errno.ENOENT:
        return "write it as ./name when it is in the bundle, or install it where the daemon runs"
    if number == errno.EACCES:
        return "make it executable (git update-index --chmod=+x) and readable"
    if number == errno.ENOEXEC:
        return "begin it with a line such as #!/bin/sh"
    return "correct the command in spec.target of the Environment"
