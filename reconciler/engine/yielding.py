"""Does this daemon leave what waits to the others, since its own place hinders it, and for how long?

A full disk, or a mirror that cannot be read: who takes everything first and gets nowhere keeps it from those who could.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from reconciler import telemetry
from reconciler.engine.outcomes import Outcome

log = telemetry.logger("daemon")

LULL = timedelta(minutes=1)
"""For so long nothing is taken; then one, to see."""


class Yielding:
    """What the last answers say of this daemon's own place."""

    def __init__(self) -> None:
        self._until: datetime | None = None

    def heed(self, answers: Sequence[object], now: datetime, others: Callable[[], bool]) -> None:
        """These were answered by `now` (UTC); `others` says whether any other daemon lives."""
        outcomes = [one for one in answers if isinstance(one, Outcome)]
        hindered = next((one for one in outcomes if one.ours), None)
        if hindered is not None and others():
            if self._until is None:
                log.warning("work.left-to-others", error=hindered.message, next="one is tried again in a minute")
            self._until = now + LULL
        elif outcomes and hindered is None:
            self._until = None

    def most(self, now: datetime) -> int | None:
        """How many deployments may be taken at `now`; None: as many as there are threads for."""
        if self._until is None:
            return None
        # A clock that was set back would keep it waiting for as long.
        return 0 if self._until - LULL <= now < self._until else 1

    def wakes_at(self, now: datetime) -> datetime | None:
        """When one is tried again, where that is still to come (UTC)."""
        return self._until if self._until is not None and self._until > now else None

    def forget(self) -> None:
        """A new life begins."""
        self._until = None
