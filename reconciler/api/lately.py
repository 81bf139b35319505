"""What was made lately, to be given again: how much of it is kept, and what goes first?

Bounded in bytes, since one answer may be a thousand times another. Shared by the threads that answer. Whether what is
kept still holds is for those who keep it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Lately(Generic[K, V]):
    """Things by a key: what nobody has asked for the longest goes when they are too many, or too large together."""

    def __init__(self, size: Callable[[V], int], most_bytes: int, *, part: int = 8, most: int | None = None) -> None:
        """`size` tells how many bytes one takes; one that takes more than this `part` of all is not kept."""
        self.most_bytes = most_bytes
        self.most = most
        self._size = size
        self._part = part
        self._held: OrderedDict[K, V] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """What is kept for that key."""
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def put(self, key: K, made: V) -> None:
        """Keep it in the place of what was kept for that key."""
        with self._lock:
            old = self._held.pop(key, None)
            self._bytes -= self._size(old) if old is not None else 0
            if self._size(made) > self.most_bytes // self._part:
                return
            self._held[key] = made
            self._bytes += self._size(made)
            while self._bytes > self.most_bytes or (self.most is not None and len(self._held) > self.most):
                self._bytes -= self._size(self._held.popitem(last=False)[1])
