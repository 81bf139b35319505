"""What did a person ask for, as it is told back in words and in JSON?

The shapes alone: what may be asked for is decided in `wishes`.
"""

from typing import Any, Literal

from pydantic import TypeAdapter

from reconciler.model.deployment import Allotment
from reconciler.model.shape import Instant, shape

WishKind = Literal["approve", "abort", "retry", "checks", "pause", "resume", "accept", "release", "rollback"]


@shape
class Way:
    """Where an environment goes back to, and how far that is."""

    app: str
    environment: str
    traffic: tuple[Allotment, ...]
    rolled_back_from: str
    """The id of the deployment that is left."""
    deployments_back: int
    limit: int
    """So many deployments back it may go at most."""


@shape
class Recorded:
    """A wish that has been written down. Whoever leads acts on it with its next look."""

    kind: WishKind
    """`checks`: those of a gate that failed are run again."""
    detail: str
    """What was asked for, in one line."""
    actor: str
    at: Instant
    app: str | None = None
    environment: str | None = None
    """None where it is about every environment of the app."""
    subject: str | None = None
    """The deployment, commit, version or plan at a gate that it is about."""
    reason: str = ""
    until: Instant | None = None
    number: int | None = None
    """The wish's number, where somebody is still to act on it."""
    way: Way | None = None
    """Where a rollback goes to."""
    warnings: tuple[str, ...] = ()
    """What to mind of it, such as that what was approved went wrong in another environment."""


RECORDED = TypeAdapter(Recorded)
WAY = TypeAdapter(Way)


def recorded_json(recorded: Recorded) -> dict[str, Any]:
    """A wish that has been written down."""
    dumped: dict[str, Any] = RECORDED.dump_python(recorded, mode="json")
    return dumped


def way_json(way: Way) -> dict[str, Any]:
    """Where an environment goes back to."""
    dumped: dict[str, Any] = WAY.dump_python(way, mode="json")
    return dumped
