"""What does a process beside the daemon do that carries deployments out? It serves open lines until the daemon lets go.

What is asked and answered crosses over in plain values of ours: a stranger's error need not bear that. When and whom
to ask is the business of `hands`.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler import __version__
from reconciler.errors import (
    Aborted,
    AttemptFailed,
    GitError,
    PersonNeeded,
    ReconcilerError,
    Superseded,
    TargetError,
    TryAgainLater,
)
from reconciler.git.objects import Objects
from reconciler.git.unpack import unpack
from reconciler.model.release import Release
from reconciler.targets import strangers
from reconciler.targets.base import Target, Work
from reconciler.targets.made import Targets

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

PROCESSES, THREADS = 4, 4
"""More threads of one process wait for each other; more processes take more memory."""
PARTING = 5
"""Seconds after which one that was let go is cut off as by a kill: a target has heard by then that it is to stop."""
LINES_KEPT = 200
KINDS: tuple[type[ReconcilerError], ...] = (
    TryAgainLater,
    PersonNeeded,
    Aborted,
    Superseded,
    AttemptFailed,
    TargetError,
    ReconcilerError,
)
"""What a target's errors are told by."""


def carry_out(target: Target, release: Release, work: Work) -> None:
    """Let a target have a release. Raises what the target raises."""
    if release.traffic:
        target.deploy(release, work)
    else:
        target.retire(release, work)


@dataclass(frozen=True, slots=True)
class Failure:
    """What a target raised, as it crosses over."""

    kind: str
    """Which of `KINDS` it is; '' for what is a fault of the target."""
    name: str
    """What its own class is called."""
    message: str
    next_step: str = ""
    output: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Tell what this error says."""
        kind = next((one.__name__ for one in KINDS if isinstance(error, one)), "")
        name, output = type(error).__name__, strangers.text(getattr(error, "output", "") or "")
        if not kind or type(error).__str__ is not ReconcilerError.__str__:
            return cls(kind, name, strangers.text(error), output=output)
        message, next_step = (strangers.text(getattr(error, one, "")) for one in ("message", "next_step"))
        return cls(kind, name, message, next_step, output)

    def error(self) -> Exception:
        """An error that says the same."""
        kind = next((one for one in KINDS if one.__name__ == self.kind), None)
        if kind is None:
            stranger: type[Exception] = type(self.name, (Exception,), {})
            return stranger(self.message)
        made = kind(self.message, self.next_step)
        if isinstance(made, TargetError):
            made.output = self.output
        return made


Answer = tuple[list[str], Failure | None] | None
"""The lines that were said, and what was raised; None: it is to be carried out where it was asked for."""


class _Told(threading.Event):
    """Set once whoever asked says anything more, or is gone. For several threads."""

    def __init__(self, line: Connection) -> None:
        super().__init__()
        self._line = line

    def is_set(self) -> bool:
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> bool:
        waiting = select.poll()  # of its own: one that is in use refuses other threads
        waiting.register(self._line, select.POLLIN)
        return bool(waiting.poll(None if timeout is None else timeout * 1_000))


class _Serving:
    """What a thread does here: it carries out what it is asked for, one after another."""

    def __init__(self, line: Connection, targets: Targets, objects: Objects) -> None:
        self._line = line
        self._targets = targets
        self._objects = objects

    def serve(self) -> None:
        """Until nobody asks any more."""
        # Closed whatever happens: who asks here must not wait for somebody who is gone.
        with self._line, suppress(OSError, EOFError):
            self._line.send_bytes(__version__.encode())
            while True:
                asked = self._line.recv()
                if asked is not None:  # else it was to be stopped, and had ended already
                    self._line.send(self._answer(*asked))

    def _answer(self, release: Release, settings: Mapping[str, Any]) -> Answer:
        said: list[str] = []
        work = Work(
            unpack=lambda tree, directory: unpack(self._objects, tree, directory),
            stop=_Told(self._line),
            say=lambda line: said.append(strangers.text(line)) if len(said) < LINES_KEPT else None,
            environ=os.environ,
        )
        try:
            target = self._targets.make(release.environment, settings)
        except Exception:  # noqa: BLE001 - the daemon may know it all the same; otherwise it says why not
            return None
        try:
            carry_out(target, release, work)
        except GitError:
            self._objects.close()
            return None  # the mirror is made anew by who owns it
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is the answer
            return said, Failure.of(error)
        return said, None


def main(git_dir: str, place: str, *numbers: str) -> None:
    """Serve on these open lines, in several processes, from when the first of them says so until it says that it is
    enough, or ends. Until then this lies ready: what takes time has been done by now."""
    from multiprocessing.connection import Connection

    for number in numbers:
        os.set_inheritable(int(number), False)  # a command of a target must not keep them open
    life, *lines = [Connection(int(number)) for number in numbers]
    targets = Targets(Path(place))
    with suppress(Exception):  # who is asked for one says what is wrong with it
        targets.make("any", {})  # what the usual one is made of takes long to load
    gc.freeze()
    try:
        life.recv_bytes()
    except (OSError, EOFError):
        return
    which, others = _several()
    mine = lines[which::PROCESSES]
    for line in lines:
        if line not in mine:  # else nobody would notice when the process that it leads to has ended
            line.close()
    with Objects(Path(git_dir)) as objects:
        threads = [threading.Thread(target=_Serving(line, targets, objects).serve) for line in mine]
        for thread in threads:
            thread.start()
        life.poll(None)
        signal.alarm(PARTING)
        for thread in threads:
            thread.join()
        targets.close()
    for process in others:
        os.waitpid(process, 0)


def _several() -> tuple[int, list[int]]:
    """Become several processes: which of them this is, and those that it began."""
    others = list[int]()
    for number in range(1, PROCESSES):
        try:
            process = os.fork()
        except OSError:
            break  # fewer do as well
        if process == 0:
            return number, []
        others.append(process)
    return 0, others


if __name__ == "__main__":
    from reconciler.engine import apart  # what is sent names its module, which is not called so here

    apart.main(*sys.argv[1:])
