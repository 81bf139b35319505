"""Which commits of a history are to be noted, and what is at hand for each?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from reconciler.engine.commit import Arrival
from reconciler.git.history import History
from reconciler.git.objects import Objects
from reconciler.git.shapes import Change, Commit, Entry

NOTHING = "0" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Arriving:
    """Commits on their way into the store."""

    objects: Objects
    found: History
    now: datetime
    adopting: bool

    def commits(self, head: str) -> list[Commit]:
        """The states that the branch was in: not those before a merge that was made the wrong way round."""
        if not self.found.commits:
            return [self.objects.commit(head)]
        return [self.found.commits[-1]] if self.found.aside else list(self.found.commits)

    def arrival(self, commit: Commit, since: str | None, tree: str | None, position: int) -> Arrival:
        """A commit that follows on `tree`, the one of the commit `since` that was noted before it."""
        if tree is None:
            entries = {entry.path: entry for entry in self.objects.tree(commit.tree)}
            changes: Sequence[Change] = [
                Change(entry.path, "000000", entry.mode, NOTHING, entry.id, "A") for entry in entries.values()
            ]
            lookup: Callable[[str], Entry | None] = entries.get
        else:
            changes = self.objects.diff_since(since, tree, commit)
            lookup = partial(self.objects.entry, commit.tree)
        return Arrival(
            commit=commit,
            position=position,
            merged=self.found.merged.get(commit.id, ()),
            changes=changes,
            objects=self.objects,
            lookup=lookup,
            now=self.now,
            first=tree is None,
            adopting=self.adopting,
        )
