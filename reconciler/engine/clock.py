"""What time is it, and what does chance say? The only place that asks either."""

import secrets
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


def secret() -> str:
    """A secret of 256 bits, in 43 letters and digits."""
    return secrets.token_urlsafe(32)


def identifier() -> str:
    """Twelve hexadecimal digits that nobody has seen before."""
    return secrets.token_hex(6)
