"""How is a commit made in a repository without touching anybody's checkout?

New objects are written and a branch is set, by git's plumbing, with an index of our own in a temporary directory: no
work tree, index or HEAD of the repository is read or changed, and none of its hooks is run. The same arguments give the
same commit, so whoever was killed just calls again. Nothing is visible before `set_branch`; that is one step.

Reverting is in `taking_back`, sending a branch to another repository in `pushing`. What is to be written, and when, is
the caller's to say: time is an argument.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from reconciler.errors import GitError, NotSo, WrongUse
from reconciler.git.addresses import branch as checked_branch
from reconciler.git.objects import Objects
from reconciler.git.processes import command, complaint, not_started, reading_environment
from reconciler.git.refs import LocalRefs
from reconciler.git.shapes import Entry, full_id
from reconciler.git.signatures import Signature, message_bytes
from reconciler.words import plain as printable

_FILE = "100644"
_FILES = (_FILE, "100755")
_MOST_NUMBERS = 1000
# No program that the repository names is run, and nothing of an index is kept outside of our own.
_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.splitIndex": "false",
    "core.untrackedCache": "false",
    "i18n.commitEncoding": "UTF-8",
}
# What some file system takes for `.git`: other case, dots and blanks at the end, short names, invisible letters.
_GIT = re.compile(r"(?:\.git|git~[0-9]+)[. ]*(?::.*)?", re.IGNORECASE)
_INVISIBLE = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_BESIDE = re.compile(r"'refs/heads/([^']*)' exists; cannot create")
_LOCKED = re.compile(r"Unable to create '([^']*\.lock)': File exists")


def commit_files(
    repository: Path, base: str, files: Mapping[str, bytes | None], message: str, signature: Signature
) -> str:
    """The id of a new commit on top of `base` in which files are others; None takes a file away.

    Files keep their modes, new ones are plain. No branch points at it yet. Raises WrongUse for a path that leaves the
    repository, goes into `.git` or over a link, or is a directory, a link or a submodule there; NotSo when nothing
    would be another, or there is no such commit; GitError.
    """
    with Workshop(repository) as workshop, Objects(workshop.git_dir) as objects:
        tree = workshop.tree_of(base)
        records = []
        for path, content in files.items():
            there = _checked(objects, tree, path, files)
            if content is None and there is None:
                raise NotSo(
                    f"There is no {path!r} to take away at {base[:12]}", "Look at the commit that it builds on."
                )
            mode = there.mode if there else _FILE
            blob = workshop.blob(content) if content is not None else "0" * len(base)
            records.append(f"{mode if content is not None else '0'} {blob}\t{path}\0")
        workshop.git(["read-tree", tree])
        workshop.git(["update-index", "-z", "--index-info"], "".join(records).encode("utf-8", "surrogateescape"))
        written = workshop.git(["write-tree"]).strip()
        if written == tree:
            raise NotSo(f"The files are as they should be at {base[:12]} already", "There is nothing to commit.")
        return workshop.commit(written, [base], message, signature)


def set_branch(
    repository: Path,
    name: str,
    commit: str,
    expected: str | None,
    *,
    followed: str,
    even_followed: bool = False,
    if_taken: Literal["refuse", "number"] = "refuse",
) -> str:
    """Put a branch of the repository at a commit in one step; the name that it has in the end.

    `expected` is where it is now, None for a new branch. Where there is such a branch already, `if_taken` says whether
    that is refused or a number is put behind the name (`-2`, `-3` …); one that is at `commit` already is taken as set.
    The branch `followed` is never set unless `even_followed`, and no branch that is checked out. Raises WrongUse for
    what cannot be a branch, NotSo when it is refused or was set by somebody else meanwhile, GitError.
    """
    plain = branch_name(name)
    if plain == branch_name(followed) and not even_followed:
        raise NotSo(f"{plain} is the branch that is followed", "Choose another name and open a pull request.")
    with Workshop(repository) as workshop:
        workshop.tree_of(commit)
        expected = expected and full_id(expected)
        numbers = range(1, _MOST_NUMBERS if expected is None and if_taken == "number" else 2)
        for candidate in (plain if number == 1 else f"{plain}-{number}" for number in numbers):
            if candidate != plain and candidate == branch_name(followed):
                continue
            if workshop.set_reference(candidate, commit, expected, give_way=len(numbers) > 1):
                return candidate
    raise NotSo(f"There are {_MOST_NUMBERS} branches {plain} already", "Remove those that are merged.")


def branch_name(name: str) -> str:
    """The plain name of a branch. Raises WrongUse for what git would refuse or take for something else."""
    try:
        plain = checked_branch(name)
        plain.encode()
    except (WrongUse, UnicodeEncodeError) as error:
        raise WrongUse(
            f"{name[:80]!a} cannot be the name of a branch", "Choose a name such as promote-shop."
        ) from error
    if plain == "HEAD" or plain.startswith("refs/"):
        raise WrongUse(f"{plain[:80]!r} is no good name for a branch", "Choose a name such as promote-shop.")
    return plain


@dataclass
class Workshop:
    """A temporary directory with an index, from which a repository is written. Killed, it leaves nothing in the way."""

    repository: Path
    git_dir: Path = field(init=False)
    """Where branches and objects are, for a linked work tree too."""

    def __enter__(self) -> Workshop:
        found = LocalRefs(self.repository.absolute()).common_dir()
        if found is None:
            raise WrongUse(f"There is no repository in {self.repository}", "Name the directory of one.")
        self.git_dir = found.resolve()
        try:
            self._room = tempfile.TemporaryDirectory(prefix="reconciler-", ignore_cleanup_errors=True)
        except OSError as error:
            raise unwritten(self.repository, f"no temporary directory: {error.strerror or error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._room.cleanup()

    def run(
        self, arguments: Sequence[str], given: bytes = b"", more: Mapping[str, str] | None = None
    ) -> tuple[int, str, str]:
        """Exit status, output and messages of git."""
        environment = {
            **reading_environment(),
            **_configured(),
            "GIT_INDEX_FILE": f"{self._room.name}/index",
            **(more or {}),
        }
        try:
            done = subprocess.run(
                command(self.git_dir, arguments),
                input=given,
                capture_output=True,
                check=False,
                # Not the directory that we run in: it might be the work tree of this repository.
                cwd=self._room.name,
                env=environment,
                # An interrupt meant for us must not end git between taking a lock and giving it back.
                start_new_session=True,
            )
        except OSError as error:
            raise not_started(error) from error
        return done.returncode, done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode("utf-8", "replace")

    def git(self, arguments: Sequence[str], given: bytes = b"", more: Mapping[str, str] | None = None) -> str:
        """What git prints. Raises GitError with its own words."""
        status, printed, said = self.run(arguments, given, more)
        if status != 0:
            raise unwritten(self.repository, said)
        return printed

    def tree_of(self, commit: str) -> str:
        """The id of a commit's tree. Raises NotSo when the repository does not have the commit."""
        status, printed, _ = self.run(["rev-parse", "--verify", "--quiet", f"{full_id(commit)}^{{commit}}^{{tree}}"])
        if status != 0:
            raise NotSo(f"{self.repository} has no commit {commit}", "Fetch it first.")
        return printed.strip()

    def blob(self, content: bytes) -> str:
        """The id of a file's content, which is stored as it is."""
        return self.git(["hash-object", "-w", "--no-filters", "--stdin"], content).strip()

    def commit(self, tree: str, parents: Sequence[str], message: str, signature: Signature) -> str:
        """The id of a new commit. Raises WrongUse for a message or a name that no commit can hold."""
        above = [f"-p{parent}" for parent in parents]
        return self.git(
            ["commit-tree", *above, "-F", "-", tree], message_bytes(message), signature.environment()
        ).strip()

    def set_reference(self, name: str, commit: str, expected: str | None, *, give_way: bool) -> bool:
        """Set a branch. False when the name is taken and another is to be tried. Raises NotSo, GitError."""
        reference = f"refs/heads/{name}"
        there = self._at(reference)
        if there == commit:
            return True
        if there != expected:
            if give_way:
                return False
            raise _taken(name, there, expected)
        if name in self._checked_out():
            raise NotSo(f"The branch {name} is checked out", "Choose another name, or check another branch out.")
        old = expected or "0" * len(commit)
        # Who set it is in the log of the branch only.
        who = {"GIT_COMMITTER_NAME": "reconciler", "GIT_COMMITTER_EMAIL": "reconciler@localhost"}
        status, _, said = self.run(["update-ref", "--no-deref", "-m", "reconciler", reference, commit, old], more=who)
        if status == 0 or self._at(reference) == commit:
            return True
        locked = _LOCKED.search(said)
        if give_way and (locked or "reference already exists" in said):
            return False
        if locked:
            raise GitError(
                f"The branch {name} is being written by somebody else",
                f"Try again; if no git runs there, one was killed: remove {locked[1]}.",
            )
        if beside := _BESIDE.search(said):
            raise NotSo(f"There cannot be a branch {name} beside {beside[1]}", "Choose another name.")
        if "but expected" in said or "already exists" in said:
            raise _taken(name, self._at(reference), expected)
        raise unwritten(self.repository, said)

    def _at(self, reference: str) -> str | None:
        status, printed, _ = self.run(["rev-parse", "--verify", "--quiet", reference])
        return printed.strip() if status == 0 else None

    def _checked_out(self) -> set[str]:
        printed = self.git(["worktree", "list", "--porcelain"])
        lines = (line.partition(" ") for line in printed.splitlines())
        return {value.removeprefix("refs/heads/") for key, _, value in lines if key == "branch"}


def _configured() -> dict[str, str]:
    variables = {"GIT_CONFIG_COUNT": str(len(_SETTINGS))}
    for number, (key, value) in enumerate(_SETTINGS.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def unwritten(repository: Path, said: str) -> GitError:
    """The error for a repository that git could not write to."""
    what = printable(complaint(said)).removeprefix("fatal: ").removeprefix("error: ")
    remedy = "See to its rights and to the space on the disk, then try again; nothing was changed."
    return GitError(f"The repository {repository} could not be written: {what}", remedy)


def _taken(name: str, there: str | None, expected: str | None) -> NotSo:
    if there is None:
        return NotSo(f"There is no branch {name} any more", "Look at it again, then repeat.")
    if expected is None:
        return NotSo(f"There is a branch {name} already, at {there[:12]}", "Choose another name, or remove it.")
    return NotSo(
        f"The branch {name} is at {there[:12]} by now, not at {expected[:12]}", "Look at it again, then repeat."
    )


def _checked(objects: Objects, tree: str, path: str, files: Mapping[str, bytes | None]) -> Entry | None:
    """What a path is in a tree. Raises WrongUse when it is none that we write to."""
    parts = path.split("/")
    if "\0" in path or any(_is_bad(part) for part in parts):
        raise WrongUse(f"{path[:200]!a} is no path inside a repository", "Give one relative to its root.")
    for depth in range(1, len(parts)):
        above = "/".join(parts[:depth])
        there = objects.entry(tree, above)
        if files.get(above) is not None or (there is not None and there.mode != "040000"):
            raise WrongUse(f"{path!r} goes through {above!r}, which is no directory", "Give a path without links.")
    there = objects.entry(tree, path)
    if there is not None and there.mode not in _FILES:
        kind = {"040000": "a directory", "120000": "a link", "160000": "a submodule"}.get(there.mode, "no plain file")
        raise WrongUse(f"{path!r} is {kind}", "Give the path of a file.")
    return there


def _is_bad(part: str) -> bool:
    plain = _INVISIBLE.sub("", part)
    return plain in ("", ".", "..") or "\\" in plain or bool(_GIT.fullmatch(plain))
