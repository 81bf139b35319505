"""What does a commit change for apps without a change of their manifests, and how is it known when that is put back?"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reconciler.engine.commit import Arrival
from reconciler.engine.marks import touch_row
from reconciler.model.canonical import canonical
from reconciler.model.deployment import Place
from reconciler.planner.noting import Meaning


@dataclass(slots=True)
class Touching:
    """Rows that a commit's change of seasons and environments adds."""

    apps: set[str] = field(default_factory=set)
    placements: list[dict[str, Any]] = field(default_factory=list)
    touches: list[dict[str, Any]] = field(default_factory=list)
    beneath: dict[Place, list[tuple[str, str, str]]] = field(default_factory=dict)
    """What becomes another for an app in an environment without a change of its entry: what it is, before and after."""
    changed: set[Place] = field(default_factory=set)
    """Where that changes at once what runs."""
    left: int = 0
    """How much of that has left git: it is not among what git declares."""

    def lay(self, places: Iterable[Place], source: str, before: Any, after: Any) -> None:
        """Something that is not in their entries changes for these."""
        texts = canonical(before), canonical(after)
        for place in places:
            self.beneath.setdefault(place, []).append((source, *texts))

    def weighed(self, arrival: Arrival) -> list[dict[str, Any]]:
        """What all of this touches, where it waits for an acknowledgement: taken back, it need not wait any more."""
        changed = Meaning(look="changed")
        return [touch_row(arrival, *place, *self.marks(place), changed) for place in sorted(self.changed)]

    def marks(self, place: Place) -> tuple[str, str]:
        """All that changes beneath an entry, before and after: back as it was before, they are the same the other way
        round."""
        several = sorted(self.beneath[place])
        return digest([(name, was) for name, was, _ in several]), digest([(name, now) for name, _, now in several])


def digest(value: Any) -> str:
    """What two values have in common only where they are the same."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()
