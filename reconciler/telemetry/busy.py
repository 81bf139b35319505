"""Is reconciling at work at this moment? Told to the process that answers HTTP beside the daemon.

On a small machine both want the same processors, and what was merged is not to wait for what is looked at. The daemon
writes into memory that both share until when it is at work, always a moment ahead: what a killed daemon wrote last is
over by itself. What follows from it is the business of whoever reads.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

SPAN = 0.05
"""Seconds that one word of the daemon lasts: longer than a fetch or a quick deployment, between two turns."""
_SIZE = 16


class Busy:
    """Until when reconciling is at work, by the clock that all processes of a machine share."""

    def __init__(self, file: int) -> None:
        """Over the file of another process's `Busy`, which it has inherited."""
        self.file = file
        self._map = mmap.mmap(file, _SIZE)
        # Until when, and since when without a rest.
        self._words = memoryview(self._map).cast("q")

    def say(self) -> None:
        """Reconciling is at work, from now on and for a moment."""
        now = time.monotonic_ns()
        if now > self._words[0]:
            self._words[1] = now
        self._words[0] = now + int(SPAN * 1e9)

    def left(self) -> float:
        """Seconds for which it still is; 0 where it is not, or where what is written there makes no sense."""
        left = (self._words[0] - time.monotonic_ns()) / 1e9
        return left if 0 < left <= SPAN else 0.0

    def lasted(self) -> float:
        """Seconds for which it has been, without a rest; while it is not, it means nothing."""
        return (time.monotonic_ns() - self._words[1]) / 1e9

    def close(self) -> None:
        """Give the memory back."""
        self._words.release()
        self._map.close()
        os.close(self.file)


@contextmanager
def shared() -> Iterator[Busy | None]:
    """A new one, of memory alone, that children may inherit; None where the system has no such memory."""
    if not hasattr(os, "memfd_create"):
        yield None
        return
    file = os.memfd_create("reconciler-busy")
    os.truncate(file, _SIZE)
    made = Busy(file)
    try:
        yield made
    finally:
        made.close()
