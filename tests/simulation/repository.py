"""A git repository and its mirrors in memory: real objects with real ids, and what may go wrong on the way to them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from reconciler.errors import GitUnreachable, NotSo
from reconciler.git import parsing
from reconciler.git.objects import Objects, _Trees
from reconciler.git.processes import damaged
from reconciler.git.shapes import Change, Entry, Object, TooLarge
from reconciler.git.taking_back import Conflicts

NOTHING = "0" * 40
Files = dict[str, bytes]


class Repository:
    """The desired repository where people push."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[str, bytes]] = {}
        self.branches: dict[str, str] = {}
        self._listed: dict[str, Files] = {}
        self._written: dict[tuple[Any, ...], str] = {}

    def put(self, kind: str, data: bytes) -> str:
        """Keep an object; its id."""
        made = hashlib.sha1(b"%s %d\0%s" % (kind.encode(), len(data), data)).hexdigest()
        self.objects[made] = (kind, data)
        return made

    def tree(self, files: Mapping[str, bytes]) -> str:
        """The tree of these files."""
        inside: dict[str, Any] = {}
        for path, data in files.items():
            *parents, name = path.split("/")
            place = inside
            for parent in parents:
                place = place.setdefault(parent, {})
            place[name] = data
        made = self._tree(inside)
        self._listed[made] = dict(files)
        return made

    def _tree(self, inside: Mapping[str, Any]) -> str:
        entries = []
        for name, one in inside.items():
            is_tree = isinstance(one, dict)
            made = self._tree(one) if is_tree else self.put("blob", one)
            key = f"{name}/" if is_tree else name
            entries.append((key.encode(), b"40000" if is_tree else b"100644", name.encode(), made))
        raw = [b"%s %s\0%s" % (mode, name, bytes.fromhex(made)) for _, mode, name, made in sorted(entries)]
        return self.put("tree", b"".join(raw))

    def commit(self, tree: str, parents: Sequence[str], message: str, author: str, at: datetime) -> str:
        """A commit, on no branch yet."""
        who = f"{author.partition('@')[0]} <{author}> {int(at.timestamp())} +0000"
        lines = [f"tree {tree}", *(f"parent {one}" for one in parents), f"author {who}", f"committer {who}"]
        return self.put("commit", ("\n".join(lines) + f"\n\n{message}\n").encode())

    def files(self, commit: str) -> Files:
        """The files of a commit."""
        tree = self.tree_of(commit)
        if tree not in self._listed:
            self._listed[tree] = {e.path: self.objects[e.id][1] for e in self.list(tree) if e.type == "blob"}
        return dict(self._listed[tree])

    def tree_of(self, commit: str) -> str:
        """The tree of a commit."""
        return parsing.commit(commit, self.objects[commit][1]).tree

    def parents(self, commit: str) -> tuple[str, ...]:
        """The parents of a commit."""
        return parsing.commit(commit, self.objects[commit][1]).parents

    def list(self, tree: str, prefix: str = "") -> Iterator[Entry]:
        """Every path below a tree, directories included."""
        for name, (mode, made) in parsing.tree(self.objects[tree][1], 20).items():
            path = prefix + parsing.text(name)
            yield parsing.entry(path, mode, made)
            if mode == "040000":
                yield from self.list(made, f"{path}/")

    def diff(self, old: str | None, new: str | None, prefix: str = "") -> Iterator[Change]:
        """What differs, as `git diff-tree -r -t` tells it."""
        before = parsing.tree(self.objects[old][1], 20) if old else {}
        after = parsing.tree(self.objects[new][1], 20) if new else {}
        for name in sorted({*before, *after}):
            was, now = before.get(name, ("000000", NOTHING)), after.get(name, ("000000", NOTHING))
            if was == now:
                continue
            path = prefix + parsing.text(name)
            kind = "A" if name not in before else "D" if name not in after else "M" if was[0] == now[0] else "T"
            yield Change(path, was[0], now[0], was[1], now[1], kind)  # type: ignore[arg-type]
            below = [one[1] if one[0] == "040000" else None for one in (was, now)]
            if any(below):
                yield from self.diff(below[0], below[1], f"{path}/")

    def ancestors(self, commits: Iterable[str]) -> set[str]:
        """These and all before them."""
        found: set[str] = set()
        coming = list(commits)
        while coming:
            at = coming.pop()
            if at not in found:
                found.add(at)
                coming.extend(self.parents(at))
        return found


class SimulatedMirror:
    """The mirror of one branch, as `reconciler.git.mirror.Mirror`; `trouble` is `gone`, `slow` or ''."""

    is_local = False
    url = "https://git.example/desired.git"

    def __init__(self, repository: Repository, branch: str, name: str, wait: Callable[[], None]) -> None:
        self.repository = repository
        self.branch = branch
        self.git_dir = Path("/nowhere") / name
        self.trouble = ""
        self.corrupt = False
        self.opened: Callable[[], None] = wait

    def remote_head(self) -> str | None:
        """The commit that the branch is at."""
        self.opened()
        if self.trouble == "gone":
            raise GitUnreachable(f"{self.url} does not answer: {self.trouble}", "tried again")
        return self.repository.branches.get(self.branch)

    def fetch(self, _there: str | None = None) -> str | None:
        """All objects are at hand afterwards."""
        return self.remote_head()

    def renew(self) -> str | None:
        """Make the mirror anew."""
        head = self.remote_head()
        self.corrupt = False
        return head

    def tidy(self) -> bool:
        """There are no packs."""
        return False

    def sound(self) -> None:
        """Raise GitCorrupt where the mirror is damaged."""
        if self.corrupt:
            raise damaged("a pack is cut off")


class _Batches:
    def __init__(self, mirror: SimulatedMirror) -> None:
        self._mirror = mirror

    def close(self) -> None:
        """Nothing is open."""

    def one(self, spec: str, limit: int) -> Object | TooLarge | None:
        """The object of an id, of a reference, or the tree of a commit."""
        self._mirror.sound()
        name, _, kind = spec.partition("^")
        repository = self._mirror.repository
        made = repository.branches.get(name.removeprefix("refs/heads/"), name)
        if kind == "{tree}" and made in repository.objects and repository.objects[made][0] == "commit":
            made = repository.tree_of(made)
        found = repository.objects.get(made)
        if found is None:
            return None
        return Object(made, *found) if len(found[1]) <= limit else TooLarge(made, found[0], len(found[1]), limit)

    def asked_ahead(self, _spec: str, _limit: int) -> None:
        """Nothing is slow here, and so nothing is asked ahead."""

    def many(self, specs: Iterable[str], limit: int) -> Iterator[tuple[str, Object | TooLarge | None]]:
        """Many of them."""
        return ((spec, self.one(spec, limit)) for spec in specs)


class _Comparing:
    def __init__(self, mirror: SimulatedMirror) -> None:
        self._mirror = mirror

    def close(self) -> None:
        """Nothing is open."""

    def asked_ahead(self, _since: str, _commit: str) -> None:
        """As of batches."""

    def diff(self, old_tree: str | None, new_tree: str) -> list[Change]:
        """What differs between two trees."""
        self._mirror.sound()
        return list(self._mirror.repository.diff(old_tree, new_tree))


class SimulatedObjects(Objects):
    """The daemon's own reader of objects, on a mirror in memory."""

    def __init__(self, mirror: SimulatedMirror) -> None:
        self.git_dir = mirror.git_dir
        self._mirror = mirror
        self._batches = _Batches(mirror)  # type: ignore[assignment]
        self._comparing = _Comparing(mirror)  # type: ignore[assignment]
        self._trees = _Trees()

    def ask_ahead(self, since: str, commit_id: str) -> None:
        """Nobody need."""

    def _listed(self, tree_id: str, prefix: str) -> Iterator[Entry]:
        self._mirror.sound()
        return self._mirror.repository.list(tree_id, prefix)


def ask(mirror: SimulatedMirror, arguments: Sequence[str], good: Sequence[int] = (0,)) -> tuple[int, str]:
    """What `git rev-list` and `git merge-base` answer on a mirror."""
    mirror.sound()
    repository = mirror.repository
    if arguments[0] == "merge-base":
        since, head = arguments[2:]
        return (128 if since not in repository.objects else int(since not in repository.ancestors([head]))), ""
    names = [one for one in arguments[1:] if not one.startswith("-")]
    without = repository.ancestors(one[1:] for one in names if one.startswith("^"))
    (head,) = (one for one in names if not one.startswith("^"))
    if "--parents" in arguments:
        found = [one for one in _newest_first(repository, head) if one not in without]
        return 0, "".join(f"{' '.join([one, *repository.parents(one)])}\n" for one in found)
    most = next(int(one.partition("=")[2]) for one in arguments if one.startswith("--max-count="))
    line: list[str] = []
    at: str | None = head
    while at is not None and at not in without and len(line) < most:
        line.append(at)
        at = next(iter(repository.parents(at)), None)
    return 0, "".join(f"{one}\n" for one in line)


def _newest_first(repository: Repository, head: str) -> list[str]:
    found: dict[str, None] = {}
    coming = [head]
    while coming:
        at = coming.pop(0)
        if at not in found:
            found[at] = None
            coming.extend(repository.parents(at))
    return list(found)


def taken_back(repository: Repository, base: str, commits: Sequence[str]) -> Files | Conflicts:
    """The files at `base` without what `commits` changed, file by file. Raises NotSo when nothing of it is left."""
    files = start = repository.files(base)
    files = dict(files)
    for commit in commits:
        after = repository.files(commit)
        before = repository.files(repository.parents(commit)[0]) if repository.parents(commit) else {}
        changed = [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
        crossed = [p for p in changed if files.get(p) not in (after.get(p), before.get(p))]
        if crossed:
            return Conflicts(commit, tuple(crossed))
        for path in chain(changed):
            if path in before:
                files[path] = before[path]
            else:
                files.pop(path, None)
    if files == start:
        raise NotSo(f"Nothing of {commits[0][:12]} is left at {base[:12]}", "There is nothing to take back.")
    return files
