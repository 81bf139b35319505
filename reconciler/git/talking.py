"""How does git talk to a server, for so long at most, and how is it made to stop in the midst of it?"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from reconciler.git import trouble
from reconciler.git.processes import not_started, outside_of_hooks

_ENDED = "fatal: ended before it answered"


class Talking:
    """Runs git commands that may take long. For several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[subprocess.Popen[bytes]] = set()
        self._over = False

    def run(
        self, arguments: Sequence[str], where: Path, environment: Mapping[str, str], patience: float
    ) -> tuple[int, str, str]:
        """Exit status, output and messages of a git command that ends after so many seconds at the latest."""
        with self._lock:
            if self._over:
                return 128, "", _ENDED
            process = _start(arguments, where, environment)
            self._under_way.add(process)
        try:
            printed, said = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            # GitPython's own timeout needs `ps`, which small images lack, and waits for git's children.
            _end(process)
            printed, said = process.communicate()
            said += f"\n{trouble.TOO_LATE}".encode()
        finally:
            with self._lock:
                self._under_way.discard(process)
        return process.returncode, printed.decode(errors="surrogateescape"), said.decode(errors="replace")

    def end(self) -> None:
        """End what is under way, and begin nothing more: whoever waits for it hears that it failed."""
        with self._lock:
            self._over = True
            for process in self._under_way:
                _end(process)


def _start(arguments: Sequence[str], where: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        # Loaded late: it takes as long as a whole short command, and asks for git's version.
        import git
    except ImportError as error:
        raise not_started(FileNotFoundError("GitPython does not find it")) from error
    try:
        started = git.Git(str(where)).execute(
            [*outside_of_hooks(), "git", *arguments],
            env=environment,
            as_process=True,
            # No terminal, so that neither git nor ssh can ask there; and one group to end.
            start_new_session=True,
        )
    except git.GitCommandNotFound as error:
        raise not_started(FileNotFoundError("it is not found")) from error
    except OSError as error:
        raise not_started(error) from error
    process: subprocess.Popen[bytes] | None = started.proc
    assert process is not None
    # Kept open by us alone from now on: the other one ends its process when it is collected.
    started.proc = None
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):  # it has ended by itself
        os.killpg(process.pid, signal.SIGKILL)
