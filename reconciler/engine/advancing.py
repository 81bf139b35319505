"""What have the commits that arrived changed, once all of them are noted, one after another?

Apart from `following`, since it brings along all that reads manifests: a look that finds nothing new does without it.
"""

from dataclasses import dataclass, field

from reconciler.engine.arriving import Arriving
from reconciler.engine.intake import note
from reconciler.engine.weighing import Weight
from reconciler.store.database import Transaction


@dataclass(slots=True, kw_only=True)
class Advanced:
    """How far the branch was taken, and what that concerned."""

    tree: str | None
    position: int
    commits: int = 0
    touched: set[str] = field(default_factory=set)
    """Apps whose plan can be another one now."""
    files: set[str] = field(default_factory=set)
    """Files of which it was looked at again what they declare, after the first commit."""
    braked: list[Weight] = field(default_factory=list)
    """Commits that change too much at once."""


def advance(
    transaction: Transaction,
    arriving: Arriving,
    head: str,
    root: str,
    *,
    since: str | None,
    tree: str | None,
    position: int,
) -> Advanced:
    """Note what arrived up to `head`, from the commit, the tree and the position on that were noted last."""
    found = Advanced(tree=tree, position=position)
    for commit in arriving.commits(head):
        found.commits += 1
        found.position += 1
        arrival = arriving.arrival(commit, since, found.tree, found.position)
        noted = note(transaction, arrival, root)
        found.touched |= noted.apps
        found.braked += [noted.braked] if noted.braked else []
        found.files |= noted.files
        since, found.tree = commit.id, commit.tree
    return found
