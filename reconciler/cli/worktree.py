"""What would git hold if the work tree were committed as it is?

A commit of it is made in a bare repository in a temporary directory, with an index of its own: the person's repository
is read and stays as it is. A directory without git becomes a repository for the moment.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.cli import printing
from reconciler.drafting import scratch
from reconciler.errors import NotSo

_SETTINGS = ["core.fsmonitor=false", "core.splitIndex=false", "core.safecrlf=false", "advice.addEmbeddedRepo=false"]
_OPTIONS = [word for setting in _SETTINGS for word in ("-c", setting)]


@dataclass(frozen=True, slots=True)
class Taken:
    """A work tree as a commit. `head` is the commit that it is based on, `root` the path that was asked about."""

    git_dir: Path
    commit: str
    head: str | None
    root: str
    top: Path | None
    """Where the work tree begins; None for a bare repository."""

    def path_of(self, file: Path) -> str:
        """A file's path in the repository; a link is itself, and not what it leads to."""
        return (file.parent.resolve() / file.name).relative_to(self.top).as_posix() if self.top else file.name


@dataclass(frozen=True, slots=True)
class _Home:
    """The repository that a directory is in. `top` is None for a bare one."""

    git_dir: Path
    common: Path
    top: Path | None
    made_with: str


@contextmanager
def taken(directory: Path) -> Iterator[Taken]:
    """The state of the files in a directory and around it; of a bare repository, its head. Raises NotSo."""
    place = directory.resolve()
    home = _home(place)
    with tempfile.TemporaryDirectory(prefix="reconciler-") as temporary:
        bare = Path(temporary) / "taken.git"
        _make(bare, home.made_with if home else "sha1")
        if home is None:
            yield Taken(bare, _commit(bare, bare, place, None), None, "", place)
            return
        scratch.borrow(bare, [home.common / "objects"])
        shallow = home.common / "shallow"
        if shallow.is_file():
            shutil.copyfile(shallow, bare / "shallow")
        head = _said(["-C", str(home.git_dir), "rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
        if home.top is None:
            if head is None:
                raise NotSo(f"{directory} is a repository without a commit", "push to it first")
            yield Taken(bare, head, head, "", None)
            return
        root = "" if place == home.top else place.relative_to(home.top).as_posix()
        yield Taken(bare, _commit(bare, home.git_dir, home.top, head), head, root, home.top)


@contextmanager
def taken_around(file: Path, followed: str) -> Iterator[tuple[Taken, str]]:
    """The work tree that a file is in, as far as it is `followed` if the file is, and the file's path. Raises NotSo."""
    with taken(file.parent) as tree:
        path = tree.path_of(file)
        yield replace(tree, root=followed if path.startswith(f"{followed}/") else ""), path


def _said(arguments: Sequence[str]) -> str | None:
    """What git answers, without the line's end; None when it answers with an error."""
    done = scratch.run(arguments, environment=scratch.own_environment())
    return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n") if done.returncode == 0 else None


def _home(place: Path) -> _Home | None:
    here = ["-C", str(place), "rev-parse", "--path-format=absolute"]
    git_dir, common = _said([*here, "--git-dir"]), _said([*here, "--git-common-dir"])
    if git_dir is None or common is None:
        return None
    made_with = _said([*here, "--show-object-format"]) or "sha1"
    if _said([*here, "--is-bare-repository"]) == "true":
        return _Home(Path(git_dir), Path(common), None, made_with)
    top = _said([*here, "--show-toplevel"])
    # What git ignores is not part of the repository, but may be looked at on its own.
    if top is None or _said(["-C", str(place), "check-ignore", "--quiet", "--", str(place)]) is not None:
        return None
    return _Home(Path(git_dir), Path(common), Path(top), made_with)


def _make(bare: Path, made_with: str) -> None:
    done = scratch.run(["init", "--quiet", "--bare", "--template=", f"--object-format={made_with}", str(bare)])
    if done.returncode != 0:
        raise NotSo(f"git cannot make a temporary repository: {scratch.last_line(done.stderr)}", "free some space")


def _commit(bare: Path, git_dir: Path, top: Path, head: str | None) -> str:
    """A commit of everything in the work tree that is not ignored, made in `bare`."""
    index = bare / "index"
    own = git_dir / "index"
    if head is not None and own.is_file():
        # It knows which files are unchanged, so that only the others are read.
        # With its moment: git looks again into files that are no older than their index.
        shutil.copy2(own, index)
    added = _in(bare, git_dir, top, ["add", "--all", "--ignore-errors", "."])
    if added.returncode not in (0, 1):
        raise NotSo(
            f"git cannot take in {top}: {scratch.last_line(added.stderr)}", "see what `git add --all` says there"
        )
    if added.returncode == 1:
        printing.note(f"git leaves something out: {scratch.last_line(added.stderr)}")
    written = _in(bare, git_dir, top, ["write-tree"])
    if written.returncode != 0:
        raise NotSo(
            f"git cannot take in {top}: {scratch.last_line(written.stderr)}", "see what `git status` says there"
        )
    parents = ["-p", head] if head else []
    return scratch.committed(bare, written.stdout.decode("ascii").strip(), parents, "The work tree as it is")


def _in(bare: Path, git_dir: Path, top: Path, arguments: list[str]) -> scratch.Done:
    lent = "" if git_dir == bare else str((bare / "objects" / "info" / "alternates").read_text("utf-8").strip())
    places = {
        "GIT_DIR": str(git_dir),
        "GIT_WORK_TREE": str(top),
        "GIT_INDEX_FILE": str(bare / "index"),
        "GIT_OBJECT_DIRECTORY": str(bare / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": lent,
    }
    command = ["-C", str(top), *_OPTIONS, *arguments]
    return scratch.run(command, environment=scratch.own_environment(), more=places)
