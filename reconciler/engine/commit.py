"""What is at hand while one commit is noted?

A value that the steps of noting share; what they do with it is in `declaring`, `contents`, `reverting` and
`intake`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from reconciler.git.objects import Objects
from reconciler.git.shapes import Change, Commit, Entry


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A commit that is being noted, and what changed between the tree noted before and its own."""

    commit: Commit
    position: int
    """Its place on the followed branch."""
    merged: Sequence[Commit]
    """Commits that it brings in, when it is a merge."""
    changes: Sequence[Change]
    objects: Objects
    lookup: Callable[[str], Entry | None]
    """What a path is in the commit's tree."""
    now: datetime
    first: bool
    """It is the first commit ever noted: everything is new, nothing can be braked."""
    adopting: bool
    """It is history from before the store existed: facts are noted, nothing is weighed."""

    @cached_property
    def changed(self) -> frozenset[str]:
        """The paths of all changes, directories included."""
        return frozenset(change.path for change in self.changes)

    @cached_property
    def replaced(self) -> frozenset[str]:
        """Paths that came, went, or became another kind of thing."""
        return frozenset(change.path for change in self.changes if change.kind != "M")
