"""How many deployments are written to a disk at the same time?

A matter of speed and of nothing else: each call to the file system lets another thread of the interpreter go on first,
so that many of them wait for each other instead of the disk. What one deployment does is no business of this.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

MOST = 8
"""On a machine that has nothing else to do, 8 at once take a fifth less time than 16, and 4 a third less. Where others
keep it busy, 4 take a quarter longer than 16, since nobody is there to use what one waits for; 8 do not."""
PATIENCE = 0.02
"""Seconds after which one goes on although that many are at work: a disk that takes so long, being busy or far away, is
quicker the more it is asked for together."""

_room = threading.BoundedSemaphore(MOST)


@contextmanager
def few_at_once() -> Iterator[None]:
    """Wait a moment for others to end, where they end quickly; one that hangs holds nobody up for longer than that."""
    entered = _room.acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        if entered:
            _room.release()
