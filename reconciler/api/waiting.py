"""How long does anybody wait for what is made one at a time? A few seconds; then they are told when to ask again.

Who waits holds a thread that others are answered in, so few may, and not for long.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from reconciler.api.problems import Refused

MOST = 3
"""So many wait at the same time; more are told at once to ask again."""
AGAIN_AFTER = 5.0
"""Seconds after which whoever was sent away is to ask again."""


class OneAtATime:
    """Lets through one, and the next when it is done; `what` is made, and nobody waits longer than `within` seconds."""

    def __init__(self, what: str, within: float) -> None:
        self._what, self._within = what, within
        self._making = threading.Lock()
        self._waiting = threading.BoundedSemaphore(MOST)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The only one that makes it. Raises Refused, with when to ask again."""
        if not self._making.acquire(blocking=False) and not self._waited():
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{self._what} is being made for somebody else, and one is made at a time; nothing was done",
                f"ask again in {AGAIN_AFTER:.0f} s",
                retry_after=AGAIN_AFTER,
            )
        try:
            yield
        finally:
            self._making.release()

    def _waited(self) -> bool:
        """Whether it is our turn now."""
        if not self._waiting.acquire(blocking=False):
            return False
        try:
            return self._making.acquire(timeout=self._within)
        finally:
            self._waiting.release()
