"""What does its group say about one app in one environment?

Values that `groups` works out from all members and `aim` obeys for one of them. Nothing is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.deployment import Allotment, Cause
from reconciler.model.plan import Refused, Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """Go back with a member of the group that moved in the same move and went back."""

    traffic: tuple[Allotment, ...]
    """What ran here before the move."""
    cause: Cause
    reason: str
    commit: str | None
    deployed_by: str
    reverts: tuple[str, ...] = ()
    left: str
    """The deployment that is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """Wait, go back, stay for a person to look at, or move together."""

    waiting: Waiting | None = None
    """What new versions wait for."""
    fallen: bool = False
    """Whether they wait since they went back with the group: a hold stays as long."""
    back: Back | None = None
    refused: Refused | None = None
    """Why the way back with the group cannot be gone; new versions may still enter."""
    lost: bool = False
    """Whether that way failed half-way: what is here is not known, and nothing old is released over it."""
    move: str = ""
    """The move that new versions enter with, for `Grounds.move`."""
    moved_with: tuple[str, ...] = ()
    """Names of all apps of that move."""


ALONE = Joint()
"""What is said of an app that is in no group, or whose group has nothing to say."""
