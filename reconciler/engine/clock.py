"""What time is it? The only place that asks."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system() -> datetime:
    """The present moment (UTC)."""
    return datetime.now(UTC)
