"""Where can a plan read commits that the daemon has not fetched, without touching what is the daemon's?

In a bare repository in a temporary directory, which borrows the objects of the daemon's mirror and of the followed
repository, and is thrown away afterwards.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import GitUnreachable, NotSo, UnknownReference, WrongUse
from reconciler.git import trouble

if TYPE_CHECKING:
    from reconciler.config import Settings
    from reconciler.git.mirror import Mirror

Done = subprocess.CompletedProcess[bytes]
_PATIENCE = 20.0
"""Seconds that an exchange with the repository may take, since a person waits; what is fetched for the first time has
thirty times as long."""
_SHA1 = 40
_DIGITS = re.compile(r"[0-9a-f]{4,64}")
_NOBODY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "reconciler"), ("EMAIL", "reconciler@localhost"))
}


class Scratch:
    """The followed branch and whatever else was asked for, to be read and thrown away."""

    def __init__(self, settings: Settings, directory: Path, tell: Callable[[str], object]) -> None:
        from reconciler.git.refs import LocalRefs

        self._tell = tell
        self._url = settings.repository.url
        self._kept = settings.mirror
        self.git_dir = directory / "scratch.git"
        self.mirror = self._of_branch(settings.repository.branch, self.git_dir)
        made = run(["init", "--quiet", "--bare", "--template=", str(self.git_dir)])
        if made.returncode != 0:
            raise trouble.unwritable(self.git_dir, last_line(made.stderr))
        self._place = LocalRefs(Path(self.mirror.url)).common_dir() if self.mirror.is_local else None
        self.head = self._fetched()
        """What the followed branch is at; None where there is no such branch."""

    def _fetched(self) -> str | None:
        self._borrow()
        try:
            head = self.mirror.fetch(self._found())
        except GitUnreachable as error:
            head = self._of_branch(self.mirror.branch, self._kept).head()
            if head is None:
                raise
            self._tell(f"{error.message}. This is about the commit that was fetched last, {head[:10]}.")
        # Once more, since a fetch may have had to begin anew.
        self._borrow()
        return head

    def _found(self) -> str | None:
        """What the branch of a repository on this machine is at. Where the daemon has fetched that, it is borrowed."""
        if self._place is None:
            return None
        there = self.mirror.remote_head()
        kept = self._of_branch(self.mirror.branch, self._kept).head()
        if there is not None and there == kept and len(there) == _SHA1:  # of another hash, nothing can be borrowed
            self.mirror.point(there)
        return there

    def _borrow(self) -> None:
        borrow(self.git_dir, [git_dir / "objects" for git_dir in (self._kept, self._place) if git_dir is not None])

    def _of_branch(self, branch: str, git_dir: Path) -> Mirror:
        """A mirror of another branch, or one that is elsewhere; nothing is made or fetched. Raises WrongUse."""
        from reconciler.git import addresses
        from reconciler.git.mirror import Mirror

        place = addresses.address(self._url, Path.cwd())
        return Mirror(place, git_dir, addresses.branch(branch), _PATIENCE)

    def resolve(self, reference: str) -> str:
        """The commit that a branch, tag or commit id means. Raises UnknownReference, GitUnreachable."""
        found = self._in_place(reference) if self._place else self._far(reference)
        if found is None:
            remedy = "name a branch, a tag or a commit of it"
            raise UnknownReference(f"{self.mirror.url} has no commit {reference[:100]}", remedy)
        return found

    def checked_out(self) -> str | None:
        """What HEAD is in the followed repository; of one elsewhere, what the followed branch is at."""
        return (self._in_place("HEAD") if self._place else None) or self.head

    def _in_place(self, reference: str) -> str | None:
        assert self._place is not None
        asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}"]
        done = run([f"--git-dir={self._place}", *asked])
        return done.stdout.decode("ascii", "replace").strip() if done.returncode == 0 else None

    def _far(self, reference: str) -> str | None:
        if _DIGITS.fullmatch(reference):
            asked = ["rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}"]
            done = run([f"--git-dir={self.git_dir}", *asked])
            if done.returncode == 0:
                return done.stdout.decode("ascii", "replace").strip()
        try:
            return self._of_branch(reference, self.git_dir).fetch()
        except WrongUse:
            return None

    def descends(self, commit: str, ancestor: str) -> bool:
        """Whether a commit has another one in its history, or is that one."""
        return run([f"--git-dir={self.git_dir}", "merge-base", "--is-ancestor", ancestor, commit]).returncode == 0

    def _is_next(self, head: str, base: str) -> bool:
        said = run([f"--git-dir={self.git_dir}", "rev-list", "--parents", "--max-count=1", head]).stdout
        return said.decode().split()[1:] == [base]

    def merged(self, base: str, head: str) -> str:
        """`head` itself where it is `base` or one commit on top of it, else a merge of both: so a pull request is
        weighed as the one change that it becomes. Raises NotSo on a conflict."""
        if head == base or self._is_next(head, base):
            return head
        done = run(
            [f"--git-dir={self.git_dir}", "merge-tree", "--write-tree", "--no-messages", "--name-only", base, head]
        )
        said = done.stdout.decode("utf-8", "replace").split("\n")
        if done.returncode == 1:
            files = ", ".join(name for name in said[1:6] if name)
            raise NotSo(
                f"{head[:10]} cannot be merged into {base[:10]}: conflicts in {files}", "merge or rebase it first"
            )
        if done.returncode != 0:
            raise NotSo(f"{head[:10]} and {base[:10]} have no history in common", "name another --base or --head")
        parents = ["-p", base, "-p", head]
        # The same merge has the same id, whenever it is asked about.
        when = run([f"--git-dir={self.git_dir}", "show", "--no-patch", "--format=%cI", head]).stdout.decode().strip()
        return committed(self.git_dir, said[0], parents, f"Merge {head[:10]}", when)


@contextmanager
def scratch(settings: Settings, tell: Callable[[str], object]) -> Iterator[Scratch]:
    """The followed branch as it is now; where the repository does not answer, as it was fetched last, which is told."""
    with tempfile.TemporaryDirectory(prefix="reconciler-") as directory:
        yield Scratch(settings, Path(directory), tell)


def borrow(git_dir: Path, lenders: Sequence[Path]) -> None:
    """Let a repository read the objects of others."""
    found = [str(lender.absolute()) for lender in lenders if lender.is_dir()]
    (git_dir / "objects" / "info").mkdir(parents=True, exist_ok=True)
    (git_dir / "objects" / "info" / "alternates").write_text("".join(f"{line}\n" for line in found), encoding="utf-8")


def committed(git_dir: Path, tree: str, parents: Sequence[str], message: str, when: str = "") -> str:
    """A commit in a repository that is thrown away, made now or at a moment (ISO 8601); its id."""
    arguments = [f"--git-dir={git_dir}", "commit-tree", tree, *parents, "-m", message]
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when} if when else {}
    done = run(arguments, more={**_NOBODY, **dates})
    if done.returncode != 0:
        raise NotSo(f"git cannot make a commit of it: {last_line(done.stderr)}", "look at the repository with git fsck")
    return done.stdout.decode("ascii").strip()


def run(
    arguments: Sequence[str], *, more: Mapping[str, str] | None = None, environment: Mapping[str, str] | None = None
) -> Done:
    """Run git once, with the environment of a process that only reads unless another one is given."""
    from reconciler.git.processes import not_started, reading_environment

    try:
        return subprocess.run(
            ["git", "--no-pager", *arguments],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**(environment or reading_environment()), **(more or {})},
        )
    except (OSError, ValueError) as error:
        raise not_started(error if isinstance(error, OSError) else OSError(str(error))) from error


def last_line(said: bytes) -> str:
    """The line of git's messages that says most."""
    from reconciler.git.processes import complaint

    return complaint(said.decode("utf-8", "replace")).removeprefix("fatal: ")


def own_environment() -> dict[str, str]:
    """What git gets in a person's own work tree: their configuration, and no repository that a hook has named."""
    from reconciler.git.processes import quiet_environment

    named = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX"}
    inherited = {name: value for name, value in os.environ.items() if name not in named}
    return inherited | quiet_environment()
