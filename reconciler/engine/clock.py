"""What time is it? The only place that asks."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
Ticks = Callable[[], float]


def system() -> datetime:
    """The present moment (UTC)."""
    return datetime.now(UTC)


def ticks() -> float:
    """Seconds since some moment, counted steadily: setting the clock changes nothing. They go on while a process is
    stopped."""
    return time.monotonic()
