"""Which rows say that a commit touched something? The same for an app's own files and a season that lies over them."""

from typing import Any

from reconciler.engine.commit import Arrival
from reconciler.planner.noting import Meaning


def placement_row(app: str, environment: str, entry: str | None, arrival: Arrival, meaning: Meaning) -> dict[str, Any]:
    """Where an app is placed since a commit; `entry` is the digest of its entry, None where it has left."""
    return {
        "app": app,
        "environment": environment,
        "declared": entry is not None,
        "entry": entry,
        "touch": arrival.position,
        "look": meaning.look,
        "reverts": list(meaning.reverts),
    }


def touch_row(
    arrival: Arrival, app: str, environment: str, before: str | None, after: str | None, meaning: Meaning
) -> dict[str, Any]:
    """What a commit changed, and what stood there before."""
    return {
        "position": arrival.position,
        "app": app,
        "environment": environment,
        "before": before,
        "after": after,
        "look": meaning.look,
        "reverts": list(meaning.reverts),
        "braked": False,
    }
