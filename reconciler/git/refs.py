"""Where is a branch of a repository on this disk? Read from its files, without starting git.

A look costs microseconds, so that a tick with nothing to do is nearly free. Repositories whose references are
in another format (reftable) are not read here: `Unreadable` says so, and git is asked instead.
"""

from __future__ import annotations

import re
from pathlib import Path

_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_DEEPEST = 5


class Unreadable(Exception):
    """The references are not in files that we can read."""


class LocalRefs:
    """The references of one repository: bare, with a work tree, or a linked work tree."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._packed: tuple[tuple[int, int, int], bytes] = ((0, 0, 0), b"")

    def common_dir(self) -> Path | None:
        """The directory that holds the branches, now; None when there is no repository."""
        # In git's own order: a work tree, the repository itself, and its name without the ending.
        for place in (self.path / ".git", self.path, self.path.with_name(self.path.name + ".git")):
            git_dir = _pointed_at(place)
            if git_dir is not None and (git_dir / "HEAD").is_file():
                return _common(git_dir)
        return None

    def read(self, name: str) -> str | None:
        """The commit id of a reference, symbolic ones followed; None when there is no such reference.

        Raises Unreadable, and FileNotFoundError when there is no repository.
        """
        common = self.common_dir()
        if common is None and self.path.is_file():
            raise Unreadable  # a bundle
        if common is None:
            raise FileNotFoundError(self.path)
        if (common / "reftable").is_dir():
            raise Unreadable
        for _ in range(_DEEPEST):
            said = _loose(common / name)
            if said is None:
                return self._in_packed(common, name)
            if not said.startswith("ref:"):
                if not _ID.fullmatch(said):
                    raise Unreadable
                return said
            name = said.removeprefix("ref:").strip()
            if not name.startswith("refs/") or ".." in name:
                raise Unreadable
        raise Unreadable

    def _in_packed(self, common: Path, name: str) -> str | None:
        content = self._packed_refs(common / "packed-refs")
        at = content.find(b" " + name.encode("utf-8", "surrogateescape") + b"\n")
        if at < 0:
            return None
        found = content[content.rfind(b"\n", 0, at) + 1 : at].decode("ascii", "replace")
        if not _ID.fullmatch(found):
            raise Unreadable
        return found

    def _packed_refs(self, file: Path) -> bytes:
        try:
            stat = file.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen != self._packed[0]:
                self._packed = (seen, b"\n" + file.read_bytes())
        except FileNotFoundError:
            return b""
        return self._packed[1]


def _pointed_at(place: Path) -> Path | None:
    """The git directory that a path is, or that a `.git` file points at."""
    try:
        if place.is_dir():
            return place
        if place.name != ".git":
            return None
        said = place.read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    if not said.startswith("gitdir:"):
        return None
    return place.parent / said.removeprefix("gitdir:").strip()


def _common(git_dir: Path) -> Path:
    """A linked work tree keeps its branches in the directory that `commondir` names."""
    try:
        return git_dir / (git_dir / "commondir").read_text("utf-8", "surrogateescape").strip()
    except OSError:
        return git_dir


def _loose(file: Path) -> str | None:
    try:
        return file.read_text("utf-8", "surrogateescape").strip()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
