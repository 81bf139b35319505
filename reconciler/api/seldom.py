"""What has the log said of late that anybody outside can bring about?

Such a line is written once in a while, however often somebody asks: else they could fill the log.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

PAUSE = timedelta(minutes=1)


class Seldom:
    """Remembers the last words about each thing. The things are few; shared by the threads that answer."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, datetime]] = {}
        self._lock = threading.Lock()

    def due(self, about: str, words: str, now: datetime) -> bool:
        """Whether it is to be said (now: UTC): it is something else than last time, or a minute has passed."""
        with self._lock:
            last = self._said.get(about)
            # A clock that was set back silences nothing.
            if last is not None and last[0] == words and timedelta() <= now - last[1] < PAUSE:
                return False
            self._said[about] = (words, now)
            return True
