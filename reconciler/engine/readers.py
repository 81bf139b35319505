"""How are many files read at once? By this process and by others beside it, one for each further core.

The others are asked for pieces over pipes and live as long as they are asked. One that ends early, whatever ended
it, costs time and nothing else: its piece is read here.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import IO, Self

from reconciler.engine.reading import Piece, piece
from reconciler.git.objects import Objects
from reconciler.git.shapes import Change

ENOUGH = 6
"""From so many pieces on, other processes read too: starting one takes as long as reading a piece or two."""
MOST = 3
"""So many others at most: what they read is written down by one."""
_Changes = Sequence[Change]


class Readers:
    """Other processes that read pieces, where there is enough to read. Use it as a context manager."""

    def __init__(self, git_dir: Path, pieces: int) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        count = min(cores - 1, MOST) if pieces >= ENOUGH else 0
        self._others = [_Other(git_dir) for _ in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for other in self._others:
            other.end()

    def read(self, several: Sequence[_Changes], here: Callable[[_Changes], Piece]) -> Iterator[Piece]:
        """The pieces, each as soon as it is there, in whatever order; `here` reads one in this process."""
        left: SimpleQueue[_Changes] = SimpleQueue()
        found: SimpleQueue[Piece] = SimpleQueue()
        for changes in several:
            left.put(changes)
        for other in self._others:
            other.begin(left, found)
        for _ in several:
            with suppress(Empty):
                yield found.get_nowait()
                continue
            try:
                changes = left.get_nowait()
            except Empty:
                yield self._awaited(left, found, here)
            else:
                yield here(changes)

    def _awaited(
        self, left: SimpleQueue[_Changes], found: SimpleQueue[Piece], here: Callable[[_Changes], Piece]
    ) -> Piece:
        """A piece that another process is at, or that one left behind as it ended."""
        while True:
            with suppress(Empty):
                return here(left.get_nowait())
            with suppress(Empty):
                return found.get(timeout=0.05)


class _Other:
    """One other process, and the thread that speaks to it."""

    def __init__(self, git_dir: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, str(git_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._thread: threading.Thread | None = None

    def begin(self, left: SimpleQueue[_Changes], found: SimpleQueue[Piece]) -> None:
        self._thread = threading.Thread(target=self._ask, args=(left, found), daemon=True, name="reader")
        self._thread.start()

    def _ask(self, left: SimpleQueue[_Changes], found: SimpleQueue[Piece]) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        while True:
            try:
                changes = left.get_nowait()
            except Empty:
                return
            try:
                pickle.dump(changes, self._process.stdin)
                self._process.stdin.flush()
                found.put(pickle.load(self._process.stdout))  # noqa: S301 - our own process wrote it
            except (OSError, EOFError, ValueError, pickle.PickleError):
                left.put(changes)
                return

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._thread is not None:
            self._thread.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()


def serve(git_dir: Path, asked: IO[bytes], answers: IO[bytes]) -> None:
    """Read pieces for another process until it asks no more."""
    with Objects(git_dir) as objects, suppress(EOFError):
        while True:
            found = piece(objects, pickle.load(asked))  # noqa: S301 - our own process wrote it
            found.manifests.clear()  # their texts go along, of which they are made anew
            pickle.dump(found, answers)
            answers.flush()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
