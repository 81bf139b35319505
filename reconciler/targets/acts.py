"""Which act came last here, and is this one older?

A daemon that was stopped and comes back still believes that it is its turn. Whoever carries something out notes it
by its numbers, and refuses what is older. Where the note lies is each target's affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.errors import Superseded
from reconciler.model.release import Release
from reconciler.targets.base import Work


@dataclass(frozen=True, slots=True)
class Act:
    """One act's place in the order of all on one app."""

    lineage: str = ""
    """Which recorded history the numbers were counted in."""
    number: int = 0
    fence: int = 0
    deployment: str = ""

    def refuse_older_than(self, last: Act) -> None:
        """Raises Superseded when `last` is newer than this act."""
        if self.lineage != last.lineage or (self.number, self.fence) >= (last.number, last.fence):
            return
        if not self.deployment:
            what = "newer triggers took effect"
        elif self.deployment == last.deployment:
            what = "this deployment was handed out again, and that took effect"
        else:
            what = f"a newer deployment took effect: {last.deployment[:100]}"
        raise Superseded(what, "nothing was done, and nothing is tried again")

    def plain(self) -> dict[str, Any]:
        """As it is noted."""
        return {
            "lineage": self.lineage,
            "number": self.number,
            "fence": self.fence,
            "deployment": self.deployment,
        }


def of_release(release: Release) -> Act:
    """A deployment's or retirement's place in the order."""
    return Act(release.lineage, release.number, release.fence, release.deployment)


def of_triggers(work: Work) -> Act:
    """The place of trigger settings, which have an order of their own."""
    return Act(work.lineage, 0, work.fence)


def read(noted: object) -> Act:
    """What was noted; where that cannot be read nothing is older."""
    if not isinstance(noted, Mapping):
        return Act()
    number, fence = noted.get("number"), noted.get("fence")
    if not isinstance(number, int) or not isinstance(fence, int):
        return Act()
    return Act(str(noted.get("lineage")), number, fence, str(noted.get("deployment")))
