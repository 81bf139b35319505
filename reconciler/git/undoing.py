"""How does a commit look like a revert by its content? Does it take back what other commits did?

Content is compared path by path: a path that returns to what it was before is restored; where other commits
came in between no blob returns, but its lines may be the inverse. `compare` is pure, `undoing` reads for it.
What messages say is in `reverts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.git.claims import Content
from reconciler.git.objects import Objects
from reconciler.git.shapes import Commit, is_zero

# Files of more bytes are compared as wholes only.
_LONGEST_FILE = 1 << 20
_HALF = 0.5
File = tuple[str, str]
"""Mode and id of what a path is; None where it is nothing."""
Lines = Counter[bytes]


@dataclass(frozen=True, slots=True)
class Touched:
    """What a commit, or several one after the other, did to a path."""

    before: File | None
    after: File | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much of what the targets did was taken back. Paths are in order."""

    content: Content
    """`full` when everything was, `partial` when something was, else `none`."""
    exact: bool
    """Nothing but whole files returned to what they were: the old content, and no new one."""
    restored: tuple[str, ...] = ()
    """Paths that are as they were before the targets."""
    inverse: tuple[str, ...] = ()
    """Paths of which more than half of the targets' lines were taken back."""
    left: tuple[str, ...] = ()
    """Paths that the targets touched and that were not, or not wholly, taken back."""
    beyond: tuple[str, ...] = ()
    """Paths that this commit touches and the targets did not."""


def compare(
    targets: Mapping[str, Touched],
    commit: Mapping[str, Touched],
    elsewhere: Mapping[str, File | None],
    taken_back: Mapping[str, float],
) -> Evidence:
    """The evidence that `commit` takes `targets` back.

    `elsewhere` holds what the paths are now that only the targets touched; `taken_back` the share of the
    targets' lines that was taken back, for the paths that both touched and that were not restored.
    """
    common = [path for path in targets if path in commit]
    restored = [path for path in common if commit[path].after == targets[path].before]
    inverse = [path for path in common if taken_back.get(path, 0) > _HALF and path not in set(restored)]
    done = {*restored, *(path for path in inverse if taken_back[path] >= 1)}
    left = [path for path in targets if path not in done and elsewhere.get(path, ()) != targets[path].before]
    content: Content = "none"
    if restored or inverse:
        content = "partial" if left else "full"
    return Evidence(
        content,
        exact=content == "full" and not inverse,
        restored=tuple(sorted(restored)),
        inverse=tuple(sorted(inverse)),
        left=tuple(sorted(left)),
        beyond=tuple(sorted(path for path in commit if path not in targets)),
    )


def share_taken_back(before: Lines, after: Lines, found: Lines, made: Lines) -> float:
    """The share of the lines changed from `before` to `after` that the step from `found` to `made` undoes.

    Lines are counted wherever they stand, so that what came in between does not matter. 0.0 to 1.0.
    """
    added, removed = after - before, before - after
    undone = (added & (found - made)).total() + (removed & (made - found)).total()
    changed = added.total() + removed.total()
    return undone / changed if changed else 0.0


def touched(objects: Objects, commit: Commit, within: Callable[[str], bool] = lambda _: True) -> dict[str, Touched]:
    """What a commit did to each path, against its first parent. Raises GitCorrupt."""
    parent = objects.commit(commit.first_parent).tree if commit.first_parent else None
    return {
        change.path: Touched(_file(change.old_mode, change.old_id), _file(change.new_mode, change.new_id))
        for change in objects.diff(parent, commit.tree)
        if "040000" not in (change.old_mode, change.new_mode) and within(change.path)
    }


def undoing(
    objects: Objects,
    targets: Sequence[Commit],
    commit: Commit,
    within: Callable[[str], bool] = lambda _: True,
) -> Evidence:
    """The evidence that `commit` takes back what `targets` did, taken together, as far as `within` says yes.

    Raises GitCorrupt.
    """
    wanted: dict[str, Touched] = {}
    for target in sorted(targets, key=lambda one: one.committed_at):
        for path, step in touched(objects, target, within).items():
            wanted[path] = Touched(wanted[path].before if path in wanted else step.before, step.after)
    made = touched(objects, commit, within)
    elsewhere: dict[str, File | None] = {}
    for path in wanted.keys() - made.keys():
        now = objects.entry(commit.tree, path)
        elsewhere[path] = (now.mode, now.id) if now else None
    shares = {
        path: _share(objects, wanted[path], made[path])
        for path in wanted.keys() & made.keys()
        if made[path].after != wanted[path].before
    }
    return compare(wanted, made, elsewhere, shares)


def _file(mode: str, object_id: str) -> File | None:
    return None if is_zero(object_id) else (mode, object_id)


def _share(objects: Objects, target: Touched, made: Touched) -> float:
    lines = [_lines(objects, file) for file in (target.before, target.after, made.before, made.after)]
    before, after, found, left = lines
    if before is None or after is None or found is None or left is None:
        return 0.0
    return share_taken_back(before, after, found, left)


def _lines(objects: Objects, file: File | None) -> Lines | None:
    """The lines of a file, none for a file that is not there; None for what has no lines to compare."""
    if file is None:
        return Counter()
    if file[0] == "160000":
        return None
    ((_, data),) = objects.blobs([file[1]], _LONGEST_FILE)
    if not isinstance(data, bytes) or b"\0" in data[:8000]:
        return None
    return Counter(data.splitlines())
