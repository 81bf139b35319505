"""How is a commit reverted in a repository without touching anybody's checkout?

As `git revert` does it: the difference to the first parent is taken back by a merge of three trees, renames found,
and the message is git's own, so that everybody who reads histories understands it. What a revert means for versions is
the planner's question, and which commits to take back the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reconciler.errors import NotSo, WrongUse
from reconciler.git.objects import Objects
from reconciler.git.shapes import Commit
from reconciler.git.signatures import Person, Signature
from reconciler.git.trailers import TRAILER
from reconciler.git.writing import Workshop, unwritten
from reconciler.words import plain

_NOBODY = Signature(Person("reconciler", "reconciler@localhost"), datetime(2000, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Why a commit cannot be taken back by itself: later commits changed the same lines of these files."""

    commit: str
    paths: tuple[str, ...]

    def __str__(self) -> str:
        return f"taking {self.commit[:12]} back conflicts in {', '.join(map(plain, self.paths))}"


def revert_commit(
    repository: Path,
    base: str,
    commits: Sequence[str],
    signature: Signature,
    *,
    message: str | None = None,
    trailers: Sequence[tuple[str, str]] = (),
) -> str | Conflicts:
    """The id of a new commit on top of `base` that takes `commits`, the newest first, back; or what is in the way.

    Merges are taken back to their first parent. `message` is for what git's own form does not say; `trailers` are put
    below either. Raises NotSo for a commit that the repository does not have, or when nothing is left to take back;
    WrongUse, GitError.
    """
    if not commits:
        raise WrongUse("There is no commit to take back", "Name at least one.")
    with Workshop(repository) as workshop, Objects(workshop.git_dir) as objects:
        before = tree = workshop.tree_of(base)
        for name in commits:
            workshop.tree_of(name)
        undone = list(objects.commits(commits))
        for commit in undone:
            result = _without(workshop, tree, commit)
            if isinstance(result, Conflicts):
                return result
            tree = result
        if tree == before:
            raise NotSo(f"Nothing of {commits[0][:12]} is left at {base[:12]}", "There is nothing to take back.")
        said = message if message is not None else revert_message(undone)
        return workshop.commit(tree, [base], with_trailers(said, trailers), signature)


def revert_message(undone: Sequence[Commit]) -> str:
    """What git itself writes for a revert; for several commits, the newest gives the title."""
    newest, *others = undone
    more = f" and {len(others)} more" if others else ""
    lines = "\n".join(_reverts(commit) for commit in undone)
    return f'Revert "{newest.subject}"{more}\n\n{lines}'


def with_trailers(message: str, trailers: Iterable[tuple[str, str]]) -> str:
    """A message with `Key: value` lines as its last paragraph. Raises WrongUse for what is no trailer."""
    lines = [f"{key}: {value}" for key, value in trailers]
    if any(not TRAILER.match(line) or "\n" in line or "\r" in line for line in lines):
        raise WrongUse("A trailer is a key of letters and dashes, and a value on one line", "Correct it.")
    return "\n\n".join([message.strip(), *(["\n".join(lines)] if lines else [])])


def _reverts(commit: Commit) -> str:
    if len(commit.parents) < 2:
        return f"This reverts commit {commit.id}."
    return f"This reverts commit {commit.id}, reversing\nchanges made to {commit.parents[0]}."


def _without(workshop: Workshop, tree: str, commit: Commit) -> str | Conflicts:
    """A tree without what a commit changed.

    `git merge-tree` takes the base of a merge as an argument only since 2.40, so three commits are made that nobody
    will ever see, the first being the parent of the others; git throws them away in time.
    """
    parent = commit.first_parent
    earlier = workshop.tree_of(parent) if parent else workshop.git(["mktree"]).strip()
    with_it = workshop.commit(commit.tree, [], "with it", _NOBODY)
    ours = workshop.commit(tree, [with_it], "now", _NOBODY)
    theirs = workshop.commit(earlier, [with_it], "without it", _NOBODY)
    status, printed, said = workshop.run(
        ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs]
    )
    merged, *paths = printed.rstrip("\0").split("\0")
    if status == 0:
        return merged
    if status != 1:
        raise unwritten(workshop.repository, said)
    return Conflicts(commit.id, tuple(dict.fromkeys(path for path in paths if path)))
