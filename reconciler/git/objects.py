"""What does the repository hold? Objects, paths, and what differs between two trees, over open git processes.

Asking an open process costs tens of microseconds where starting git costs milliseconds. They notice new packs,
survive `git gc`, and are started again when they died. All methods may be called from several threads, and
while an iterator of this class is half read. Which commits follow which belongs to `history`.
"""

from __future__ import annotations

import subprocess
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.git import parsing
from reconciler.git.batches import Batches
from reconciler.git.comparing import Comparing
from reconciler.git.processes import command, damaged, not_started, reading_environment
from reconciler.git.shapes import Change, Commit, Entry, Missing, Object, TooLarge, full_id, is_full_id

DEFAULT_LIMIT = 64 << 20
_TREE_ENTRIES_KEPT = 50_000
_Tree = dict[bytes, tuple[str, str]]


class Objects:
    """The objects of one git directory. Close it, or use it as a context manager."""

    def __init__(self, git_dir: Path) -> None:
        self.git_dir = git_dir
        self._batches = Batches(git_dir)
        self._comparing = Comparing(git_dir)
        self._trees = _Trees()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the open processes; asking afterwards starts them anew."""
        self._batches.close()
        self._comparing.close()

    def read(self, spec: str, limit: int = DEFAULT_LIMIT) -> Object | TooLarge | None:
        """The object that an id, a short id, a reference or `<commit>:<path>` names; None when there is none.

        An object of more than `limit` bytes is not held. Paths are looked up in the trees and not by git's
        own syntax, so any name that a repository can hold works. Raises GitCorrupt.
        """
        revision, colon, path = spec.partition(":")
        if not colon:
            return self._batches.one(spec, limit)
        root = self._batches.one(f"{revision}^{{tree}}", DEFAULT_LIMIT)
        found = self.entry(root.id, path) if root else None
        return self._batches.one(found.id, limit) if found else None

    def blobs(self, ids: Iterable[str], limit: int = DEFAULT_LIMIT) -> Iterator[tuple[str, bytes | TooLarge | Missing]]:
        """The contents of many files in the order asked, with up to 256 requests under way."""
        for asked, answer in self._batches.many(ids, limit):
            if answer is None:
                yield asked, Missing(asked)
            else:
                yield asked, answer.data if isinstance(answer, Object) else answer

    def commit(self, commit_id: str) -> Commit:
        """A commit by its id or another name. Raises GitCorrupt when the mirror does not have it."""
        ahead = self._batches.asked_ahead(commit_id, DEFAULT_LIMIT)
        if isinstance(ahead, Object) and ahead.type == "commit":
            return parsing.commit(ahead.id, ahead.data)
        (found,) = self.commits([commit_id])
        return found

    def commits(self, ids: Iterable[str]) -> Iterator[Commit]:
        """Many commits in the order asked, with up to 256 requests under way. Raises GitCorrupt."""
        # git would not take some malformed commits for one; by their id they can be read.
        specs = (name if is_full_id(name) else f"{name}^{{commit}}" for name in ids)
        for asked, answer in self._batches.many(specs, DEFAULT_LIMIT):
            if not isinstance(answer, Object) or answer.type != "commit":
                raise damaged(f"there is no commit {asked.removesuffix('^{commit}')}")
            yield parsing.commit(answer.id, answer.data)

    def ask_ahead(self, since: str, commit_id: str) -> None:
        """Have git look for a commit, and for what differs since another one, while something else is done.

        Both are full ids. It is an offer: `commit` and `diff_since` give the same without it, only later.
        """
        self._batches.ask_ahead(full_id(commit_id))
        self._comparing.ask_ahead(full_id(since), commit_id)

    def entry(self, tree_id: str, path: str | bytes) -> Entry | None:
        """What a path is in a tree (or in a commit's tree); None when there is nothing of that name.

        Raises GitCorrupt when the mirror lacks a tree on the way.
        """
        parts = parsing.raw_path(path).split(b"/")
        inside = self._tree(tree_id)
        for part in parts[:-1]:
            mode, object_id = inside.get(part, ("", ""))
            if mode != "040000":
                return None
            inside = self._tree(object_id)
        found = inside.get(parts[-1])
        return parsing.entry(parsing.text(b"/".join(parts)), *found) if found else None

    def diff(self, old_tree: str | None, new_tree: str) -> list[Change]:
        """What differs between two trees, directories included, in git's order; None is the empty tree.

        Renames are a deletion and an addition. Raises GitCorrupt when a tree is missing.
        """
        return self._comparing.diff(old_tree, new_tree)

    def diff_since(self, since: str | None, old_tree: str, new: Commit) -> list[Change]:
        """What differs between `old_tree`, which is the tree of the commit `since`, and that of a commit; as `diff`."""
        ahead = self._comparing.asked_ahead(since, new.id) if since is not None else None
        return self.diff(old_tree, new.tree) if ahead is None else ahead

    def tree(self, tree_id: str, prefix: str = "") -> Iterator[Entry]:
        """Every path below a tree, directories included, in git's order; with `prefix` only below that one.

        Paths are whole, beginning at the root. A prefix that is no directory has nothing below it. Raises
        GitCorrupt.
        """
        prefix = prefix.strip("/")
        below = self.entry(tree_id, prefix) if prefix else parsing.entry("", "040000", full_id(tree_id))
        if below is not None and below.type == "tree":
            yield from self._listed(below.id, f"{prefix}/" if prefix else "")

    def walk(self, tree_id: str, prefix: str = "") -> Iterator[Entry]:
        """Every path below a tree, directories before what is in them, as `tree` has them; no process is started.

        One question for each directory that was not asked about lately: for a tree of which most is known, or that has
        few. Raises GitCorrupt.
        """
        for name, (mode, object_id) in self._tree(tree_id).items():
            entry = parsing.entry(f"{prefix}{parsing.text(name)}", mode, object_id)
            yield entry
            if entry.type == "tree":
                yield from self.walk(object_id, f"{entry.path}/")

    def _tree(self, tree_id: str) -> _Tree:
        kept = self._trees.get(full_id(tree_id))
        if kept is None:
            answer = self._batches.one(f"{tree_id}^{{tree}}", DEFAULT_LIMIT)
            if not isinstance(answer, Object):
                raise damaged(f"there is no tree {tree_id}")
            kept = parsing.tree(answer.data, len(answer.id) // 2)
            self._trees.keep(tree_id, kept)
        return kept

    def _listed(self, tree_id: str, prefix: str) -> Iterator[Entry]:
        try:
            process = subprocess.Popen(
                command(self.git_dir, ["ls-tree", "-r", "-t", "-z", "--full-tree", tree_id]),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=reading_environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise not_started(error) from error
        assert process.stdout is not None
        try:
            rest = b""
            while chunk := process.stdout.read(1 << 18):
                records, end, rest = (rest + chunk).rpartition(b"\0")
                yield from parsing.listing(records + end, prefix)
            if process.wait() != 0:
                raise damaged(f"tree {tree_id} cannot be listed")
        finally:
            process.stdout.close()
            process.kill()
            process.wait()


class _Trees:
    """Trees taken apart, the least recently used forgotten first; bounded by the number of their entries."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: OrderedDict[str, _Tree] = OrderedDict()
        self._entries = 0

    def get(self, tree_id: str) -> _Tree | None:
        with self._guard:
            if tree_id in self._kept:
                self._kept.move_to_end(tree_id)
            return self._kept.get(tree_id)

    def keep(self, tree_id: str, tree: _Tree) -> None:
        with self._guard:
            if tree_id in self._kept or len(tree) > _TREE_ENTRIES_KEPT:
                return
            self._kept[tree_id] = tree
            self._entries += len(tree)
            while self._entries > _TREE_ENTRIES_KEPT:
                self._entries -= len(self._kept.popitem(last=False)[1])
