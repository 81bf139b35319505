"""Which commits are new, in what order, and what did their merges bring in?

The history of a branch is its chain of first parents: each is a state that the branch was in. What lies
behind a merge was never deployed on its own, but its messages tell what the merge means. What a commit does
to an app, and how a revert looks, do not belong here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType

from reconciler.git.objects import Objects
from reconciler.git.processes import ask
from reconciler.git.shapes import Commit, full_id

MERGED_LIMIT = 1_000
WHOLE = 2**31 - 2
"""A limit that no history reaches: git counts no further, and is asked for one more than the limit."""
# So many commits are followed by asking the open process, which costs less than starting one.
_STEPS = 32


@dataclass(frozen=True, slots=True)
class History:
    """The commits that a branch took since it was last seen."""

    commits: tuple[Commit, ...]
    """First parents, oldest first."""
    merged: Mapping[str, tuple[Commit, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """What each merge of `commits` brings in that nothing before it held, newest first, at most 1,000."""
    rewritten: bool = False
    """The commit last seen is no ancestor of the head: somebody forced the branch."""
    aside: bool = False
    """The commit last seen is an ancestor, but no first parent: a merge was made the wrong way round (a
    foxtrot), so the branch never was in the states before the merge that `commits` lists."""
    cut: bool = False
    """There are older commits, left out because of the limit."""


def history(objects: Objects, since: str | None, head: str, limit: int) -> History:
    """The first-parent commits after `since` up to `head`, at most the newest `limit`.

    With `since` None, the last `limit` ones. A history that was rewritten lists what the old head did not
    have. One new commit costs no new process. Both are full ids. Raises GitCorrupt.
    """
    full_id(head)
    if since is None:
        # A young history is at hand without a process of its own.
        found = _walk(objects, None, head, min(limit, _STEPS)) or _first_parents(objects, head, None, limit)
        return _told(objects, found, None, limit)
    full_id(since)
    if since == head:
        return History(())
    walked = _walk(objects, since, head, min(limit, _STEPS))
    if walked:
        return _told(objects, walked, since, limit)
    ancestor = _is_ancestor(objects, since, head)
    known = since if ancestor or objects.read(since, limit=0) is not None else None
    found = _first_parents(objects, head, known, limit)
    aside = ancestor and len(found) <= limit and found[-1].first_parent != since
    return replace(_told(objects, found, known, limit), rewritten=not ancestor, aside=aside)


def _walk(objects: Objects, since: str | None, head: str, steps: int) -> list[Commit]:
    """First parents from the head, newest first, down to the child of `since`, or to the very first with None; empty
    when that was not met."""
    walked: list[Commit] = []
    at: str | None = head
    while at is not None and len(walked) < steps:
        walked.append(objects.commit(at))
        at = walked[-1].first_parent
        if at == since:
            return walked
    return []


def _first_parents(objects: Objects, head: str, without: str | None, limit: int) -> list[Commit]:
    """Newest first; one more than the limit when there are more."""
    _, printed = ask(
        objects.git_dir,
        ["rev-list", "--first-parent", f"--max-count={limit + 1}", head, *_except([without])],
    )
    return list(objects.commits(printed.split()))


def _is_ancestor(objects: Objects, since: str, head: str) -> bool:
    # 1: it is none; 128: the mirror does not even have it.
    status, _ = ask(objects.git_dir, ["merge-base", "--is-ancestor", since, head], good=(0, 1, 128))
    return status == 0


def holds(git_dir: Path, head: str, several: Sequence[str]) -> bool:
    """Whether all these commits lead to `head`."""
    status, printed = ask(git_dir, ["rev-list", "--max-count=1", *several, f"^{head}"], good=(0, 128))
    return status == 0 and not printed


def _told(objects: Objects, newest_first: Sequence[Commit], since: str | None, limit: int) -> History:
    """The history that these commits make, with what their merges bring in: one process for all merges."""
    cut = len(newest_first) > limit
    commits = tuple(reversed(newest_first[:limit]))
    merges = [commit for commit in commits if len(commit.parents) > 1]
    if not merges:
        return History(commits, cut=cut)
    bounds = _except([since, commits[0].first_parent])
    _, printed = ask(objects.git_dir, ["rev-list", "--parents", commits[-1].id, *bounds])
    parents = {ids[0]: ids[1:] for ids in map(str.split, printed.splitlines())}
    taken = {commit.id for commit in commits}
    brought = {merge.id: _brought(merge, parents, taken) for merge in merges}
    found = iter(list(objects.commits(chain.from_iterable(brought.values()))))
    merged = {merge: tuple(islice(found, len(ids))) for merge, ids in brought.items()}
    return History(commits, MappingProxyType(merged), cut=cut)


def _brought(merge: Commit, parents: Mapping[str, list[str]], taken: set[str]) -> list[str]:
    """Ids behind the other parents of a merge that nothing before it had; they count as taken from now on."""
    brought: list[str] = []
    coming = list(merge.parents[:0:-1])
    while coming:
        at = coming.pop()
        if at in taken or at not in parents:
            continue
        taken.add(at)
        brought.append(at)
        coming.extend(reversed(parents[at]))
    return brought[:MERGED_LIMIT]


def _except(ids: Iterable[str | None]) -> list[str]:
    return [f"^{commit_id}" for commit_id in ids if commit_id]
