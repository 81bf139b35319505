"""Where is a branch of a repository on this disk? Read from its files, without starting git.

A look costs microseconds, so that a tick with nothing to do is nearly free: hence plain strings in place of `Path`
below the surface. Repositories whose references are in another format (reftable) are not read here: `Unreadable` says
so, and git is asked instead.
"""

from __future__ import annotations

import os
import re
from os.path import isdir, isfile, join
from pathlib import Path

_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_DEEPEST = 5


class Unreadable(Exception):
    """The references are not in files that we can read."""


class LocalRefs:
    """The references of one repository: bare, with a work tree, or a linked work tree."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # In git's own order: a work tree, the repository itself, and its name without the ending.
        self._places = [str(place) for place in (path / ".git", path, path.with_name(path.name + ".git"))]
        self._packed: tuple[tuple[int, int, int], bytes] = ((0, 0, 0), b"")

    def common_dir(self) -> Path | None:
        """The directory that holds the branches, now; None when there is no repository."""
        common = self._common_dir()
        return Path(common) if common is not None else None

    def _common_dir(self) -> str | None:
        for place in self._places:
            git_dir = _pointed_at(place)
            if git_dir is not None and isfile(join(git_dir, "HEAD")):
                return _common(git_dir)
        return None

    def read(self, name: str) -> str | None:
        """The commit id of a reference, symbolic ones followed; None when there is no such reference.

        Raises Unreadable, and FileNotFoundError when there is no repository.
        """
        common = self._common_dir()
        if common is None and self.path.is_file():
            raise Unreadable  # a bundle
        if common is None:
            raise FileNotFoundError(self.path)
        if isdir(join(common, "reftable")):
            raise Unreadable
        for _ in range(_DEEPEST):
            said = _loose(join(common, name))
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

    def _in_packed(self, common: str, name: str) -> str | None:
        content = self._packed_refs(join(common, "packed-refs"))
        at = content.find(b" " + name.encode("utf-8", "surrogateescape") + b"\n")
        if at < 0:
            return None
        found = content[content.rfind(b"\n", 0, at) + 1 : at].decode("ascii", "replace")
        if not _ID.fullmatch(found):
            raise Unreadable
        return found

    def _packed_refs(self, file: str) -> bytes:
        try:
            stat = os.stat(file)
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen != self._packed[0]:
                with open(file, "rb") as opened:
                    self._packed = (seen, b"\n" + opened.read())
        except FileNotFoundError:
            return b""
        return self._packed[1]


def _pointed_at(place: str) -> str | None:
    """The git directory that a path is, or that a `.git` file points at."""
    if isdir(place):
        return place
    directory, name = os.path.split(place)
    if name != ".git":
        return None
    try:
        said = _text(place)
    except OSError:
        return None
    if not said.startswith("gitdir:"):
        return None
    return join(directory, said.removeprefix("gitdir:").strip())


def _common(git_dir: str) -> str:
    """A linked work tree keeps its branches in the directory that `commondir` names."""
    try:
        return join(git_dir, _text(join(git_dir, "commondir")).strip())
    except OSError:
        return git_dir


def _loose(file: str) -> str | None:
    try:
        return _text(file).strip()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _text(file: str) -> str:
    with open(file, "rb") as opened:
        return opened.read().decode("utf-8", "surrogateescape")
