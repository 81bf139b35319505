"""In which repository is a change of the desired state written, on top of which commit, and where is it pushed to?

The checkout that a person stands in, when it is a clone of the followed repository; else the followed repository
itself, when it lies on this machine; else only a push brings it anywhere. A commit is made in a repository that is
thrown away, so that all can be looked at before anything is written: no work tree, index or HEAD is ever touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reconciler.drafting import scratch as scratches
from reconciler.errors import GitError, NotSo, WrongUse

if TYPE_CHECKING:
    from reconciler.config import Settings
    from reconciler.drafting.scratch import Scratch

_MOST_NAMES = 50
_TRIES = 5
_RACED = "where it was seen last"
_FETCH = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules"]


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a branch is pushed to. `name` is what a person types for it, `base` where a relative `url` begins."""

    url: str
    name: str
    base: Path

    @property
    def shown(self) -> str:
        """The address without credentials."""
        from reconciler.git.addresses import address

        return address(self.url, self.base).url


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Where a commit lies. `where` is the repository, as people name it."""

    branch: str
    where: str
    pushed: bool
    remote: Remote


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """Where commits are made and put. `head` is the newest commit of the followed branch, which they build on."""

    scratch: Scratch
    head: str
    followed: str
    clone: Path | None
    """The top of the clone that a person stands in."""
    git_dir: Path | None
    """The repository that a branch is set in; None where only a push reaches it."""
    remote: Remote
    """Where a new branch is pushed to."""
    source: Remote
    """The followed repository itself."""

    @property
    def room(self) -> Path:
        """The repository that is thrown away, in which commits are made first."""
        return self.scratch.git_dir

    @property
    def where(self) -> str:
        """The repository that a branch is set in, as people name it."""
        return str(self.clone) if self.clone else self.scratch.mirror.url

    def require_reachable(self, *, push: bool) -> None:
        """Raise WrongUse where nothing but a push brings a branch anywhere, NotSo where nothing does."""
        if self.git_dir is None and self.scratch.mirror.is_local:
            raise NotSo(f"there is no repository at {self.scratch.mirror.url} any more", "type this in a clone of it")
        if self.git_dir is None and not push:
            raise WrongUse(
                f"the desired repository is elsewhere, at {self.scratch.mirror.url}, and this is no clone of it",
                "add --push, or type this in a clone",
            )

    def put(self, commit: str, name: str, *, push: bool, numbered: bool) -> Put:
        """Put a new branch at a commit of `room`: here, and there with `push`.

        With `numbered` a name that is taken gets a number behind it. Where the push is refused, nothing is put here
        either. Raises NotSo, WrongUse, GitError, GitUnreachable.
        """
        from reconciler.git.writing import branch_name, set_branch

        self.require_reachable(push=push)
        name = branch_name(name)
        if name == self.followed and not numbered:
            raise NotSo(
                f"{name} is the branch that is followed",
                "choose another name, and open a pull request; or say --onto-followed-branch",
            )
        local = self.git_dir if self.clone or not push else None
        if local is not None:
            self._bring(commit, local)
        if push:
            name = self._pushed(commit, name, local or self.room, numbered=numbered)
        if local is not None:
            taken: Literal["number", "refuse"] = "number" if numbered and not push else "refuse"
            name = set_branch(local, name, commit, None, followed=self.followed, if_taken=taken)
        return Put(branch=name, where=self.remote.shown if push else self.where, pushed=push, remote=self.remote)

    def _pushed(self, commit: str, name: str, source: Path, *, numbered: bool) -> str:
        """The name under which a new branch was pushed; another one where somebody else took it in the same moment."""
        from reconciler.git.pushing import push

        there = self.remote
        for left in reversed(range(_TRIES)):
            free = self._free(name, commit, numbered=numbered)
            try:
                push(source, there.url, commit, free, None, followed=self.followed, base=there.base)
            except NotSo as error:
                if not (left and numbered and _RACED in error.message):
                    raise
            else:
                return free
        raise AssertionError

    def put_onto_followed(self, commit: str) -> Put:
        """Move the followed branch itself forward, where it lies. Raises NotSo where it has moved meanwhile."""
        from reconciler.git.pushing import push as pushed

        try:
            pushed(
                self.room,
                self.source.url,
                commit,
                self.followed,
                self.head,
                followed=self.followed,
                even_followed=True,
                base=self.source.base,
            )
        except NotSo as error:
            if _RACED not in error.message:
                raise
            raise NotSo(
                f"{self.followed} has moved on from {self.head[:10]} meanwhile, and nothing was written",
                "type this again: it then builds on what is there by now",
            ) from error
        return Put(branch=self.followed, where=self.scratch.mirror.url, pushed=True, remote=self.source)

    def _free(self, plain: str, commit: str, *, numbered: bool) -> str:
        """The name, or with a number behind it, that nobody has taken here or there."""
        for number in range(1, _MOST_NAMES + 1):
            candidate = plain if number == 1 else f"{plain}-{number}"
            there = self._at(candidate) if candidate != self.followed else {self.head}
            if there <= {commit}:
                return candidate
            if not numbered:
                raise NotSo(f"There is a branch {candidate} already", "choose another name, or remove it")
        raise NotSo(f"There are {_MOST_NAMES} branches {plain} already", "remove those that are merged")

    def _at(self, name: str) -> set[str]:
        """What the branch of a name is at, here and where it is pushed to."""
        from reconciler.git import addresses
        from reconciler.git.mirror import Mirror
        from reconciler.git.refs import LocalRefs, Unreadable

        found: set[str | None] = set()
        if self.git_dir is not None and self.clone is not None:
            with suppress(Unreadable, OSError):  # setting it tells
                found.add(LocalRefs(self.git_dir).read(f"refs/heads/{name}"))
        place = addresses.address(self.remote.url, self.remote.base)
        found.add(Mirror(place, self.room, name, self.scratch.mirror.timeout).remote_head())
        return {commit for commit in found if commit}

    def _bring(self, commit: str, into: Path) -> None:
        """Let a repository have a commit of `room`, and nothing point at it yet."""
        arguments = [f"--git-dir={into}", "-c", "fetch.prune=false", *_FETCH, str(self.room), commit]
        done = scratches.run(arguments, environment=scratches.own_environment())
        if done.returncode != 0:
            raise GitError(
                f"{into} takes in no commit: {scratches.last_line(done.stderr)}",
                "see to its rights and to the space on the disk, then try again; nothing was changed",
            )


@contextmanager
def workplace(settings: Settings, tell: Callable[[str], object], *, in_clone: bool = True) -> Iterator[Workplace]:
    """Where a change is written; with `in_clone` in the clone that the process stands in, if it does.

    Raises NotSo where there is no branch to build on. `tell` is told what a person should know besides.
    """
    with scratches.scratch(settings, tell) as made:
        if made.head is None:
            url, branch = made.mirror.url, made.mirror.branch
            raise NotSo(f"{url} has no branch {branch}", "push to it, or set repository.branch")
        # Commits are taken from here by their ids.
        scratches.run([f"--git-dir={made.git_dir}", "config", "uploadpack.allowAnySHA1InWant", "true"])
        source = Remote(settings.repository.url, made.mirror.url, Path.cwd())
        clone, git_dir = _clone(made) if in_clone else None, _local(made)
        if clone is not None and (git_dir is None or clone[1].resolve() != git_dir.resolve()):
            remote = _remote(clone[0], made.mirror.branch) or source
            yield _place(made, made.head, clone[0], clone[1], remote, source)
        else:
            yield _place(made, made.head, None, git_dir, source, source)


def _place(
    made: Scratch, head: str, clone: Path | None, git_dir: Path | None, remote: Remote, source: Remote
) -> Workplace:
    return Workplace(
        scratch=made,
        head=head,
        followed=made.mirror.branch,
        clone=clone,
        git_dir=git_dir,
        remote=remote,
        source=source,
    )


def _local(made: Scratch) -> Path | None:
    from reconciler.git.refs import LocalRefs

    return LocalRefs(Path(made.mirror.url)).common_dir() if made.mirror.is_local else None


def _clone(made: Scratch) -> tuple[Path, Path] | None:
    """Top and git directory of the repository around the working directory, if it has the followed history."""
    common = _said(["rev-parse", "--path-format=absolute", "--git-common-dir"])
    if common is None or made.head is None:
        return None
    top = _said(["rev-parse", "--path-format=absolute", "--show-toplevel"]) or common
    if not _has(common, made.head) and not any(_has(common, root) for root in _roots(made)):
        return None
    return Path(top), Path(common)


def _has(git_dir: str, commit: str) -> bool:
    return scratches.run([f"--git-dir={git_dir}", "cat-file", "-e", f"{commit}^{{commit}}"]).returncode == 0


def _roots(made: Scratch) -> list[str]:
    """The first commits of the followed history."""
    assert made.head is not None
    done = scratches.run([f"--git-dir={made.git_dir}", "rev-list", "--max-parents=0", made.head])
    return done.stdout.decode("ascii", "replace").split() if done.returncode == 0 else []


def _remote(top: Path, followed: str) -> Remote | None:
    """The remote that a clone has its followed branch from, else `origin`, else the only one."""
    names = (_said(["-C", str(top), "remote"]) or "").split()
    chosen = _said(["-C", str(top), "config", "--get", f"branch.{followed}.remote"])
    wanted = [name for name in (chosen, "origin") if name in names] or (names if len(names) == 1 else [])
    if not wanted or wanted[0] is None:
        return None
    url = _said(["-C", str(top), "remote", "get-url", "--push", wanted[0]])
    return Remote(url, wanted[0], top) if url else None


def _said(arguments: list[str]) -> str | None:
    """What git answers in the working directory, in one line; None when it answers with an error or not at all."""
    done = scratches.run(arguments, environment=scratches.own_environment())
    said = done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")
    return said if done.returncode == 0 and said else None
