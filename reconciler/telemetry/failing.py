"""Why does the work of this process come to nothing just now, since when, and when is it tried again?

Kept in memory, since the store may be what does not answer; `vitals` shows it to other processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

_LONGEST = 2_000
"""Characters of what is said, of a file that anybody may have written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """Turn after turn fails (times in UTC)."""

    error: str
    """Why the last one did."""
    next_step: str
    """What helps, or what happens next."""
    turns: int
    """How many have failed, one after the other, the start among them."""
    since: datetime
    """When the first of them did."""
    again_at: datetime
    """When the next one is taken."""

    def as_json(self) -> dict[str, Any]:
        """For a file; times are Unix times."""
        return asdict(self) | {"since": self.since.timestamp(), "again_at": self.again_at.timestamp()}

    @classmethod
    def from_json(cls, written: object) -> Self | None:
        """What a file says; None where it says nothing that can be understood."""
        if not isinstance(written, Mapping):
            return None
        try:
            return cls(
                error=str(written["error"])[:_LONGEST],
                next_step=str(written["next_step"])[:_LONGEST],
                turns=int(written["turns"]),
                since=datetime.fromtimestamp(written["since"], UTC),
                again_at=datetime.fromtimestamp(written["again_at"], UTC),
            )
        except (KeyError, TypeError, ValueError, OverflowError, OSError):
            return None


_now: Failing | None = None


def tell(failing: Failing | None) -> None:
    """Another turn has failed; None: one went well."""
    global _now  # like the measures: one for the process
    _now = failing


def now() -> Failing | None:
    """What is the matter at this moment."""
    return _now
