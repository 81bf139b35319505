"""What did the repository answer? It is asked beside the turns, in a thread: no turn waits for a network.

The answer is a nudge: the next look takes it. What follows from it is said in `following`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from reconciler import telemetry
from reconciler.errors import GitError, ReconcilerError
from reconciler.git.mirror import Mirror

log = telemetry.logger("daemon")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came of asking: where the branch is, None where there is none; or why it could not be fetched."""

    head: str | None = None
    error: GitError | None = None


class Fetching:
    """Asks for one branch, once at a time; `nudge` is called when there is an answer."""

    def __init__(self, mirror: Mirror, nudge: Callable[[], None]) -> None:
        self._mirror = mirror
        self._nudge = nudge
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._under_way = False
        self._wanted = False
        self._answer: Fetched | None = None

    @property
    def under_way(self) -> bool:
        """Whether the repository has been asked and has not answered yet."""
        with self._lock:
            return self._under_way

    def begin(self, *, anew: bool = False) -> None:
        """Ask, where nothing is under way. `anew`: give up the mirror and fetch everything once more."""
        with self._lock:
            if self._under_way:
                return
            self._under_way = self._wanted = True
            self._answer = None
            self._over.clear()
        # Not one that the end of the process waits for: `close` ends what it has started.
        threading.Thread(target=self._work, args=(anew,), daemon=True, name="fetching").start()

    def wait(self, seconds: float | None) -> None:
        """Wait for the answer, so long at most (None: however long), or until `interrupt`."""
        self._over.wait(seconds)

    def take(self) -> Fetched | None:
        """The answer, once; None where there is none yet."""
        with self._lock:
            answer, self._answer = self._answer, None
            return answer

    def forget(self) -> None:
        """What was asked by now is of no interest any more: another daemon may have noted later commits."""
        with self._lock:
            self._wanted = False
            self._answer = None

    def interrupt(self) -> None:
        """Let nobody wait any more for what is under way."""
        self._over.set()

    def close(self) -> None:
        """Give up what is under way, for good."""
        self.forget()
        self._mirror.end()
        self.interrupt()

    def _work(self, anew: bool) -> None:
        try:
            answer = Fetched(head=self._mirror.renew() if anew else self._mirror.fetch())
        except GitError as error:
            answer = Fetched(error=error)
        except ReconcilerError as error:
            answer = Fetched(error=GitError(error.message, error.next_step))
        except Exception as error:  # whatever it was, it is told as trouble with git, and tried again
            log.exception("fetch.broke")
            answer = Fetched(error=GitError(f"a fault of ours: {type(error).__name__}", "It is tried again."))
        with self._lock:
            self._under_way = False
            self._answer = answer if self._wanted else None
        self._over.set()
        self._nudge()
