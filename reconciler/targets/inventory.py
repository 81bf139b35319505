"""Do a release's files still lie there as they were put?

The inventory is made when a release is written: for each file its kind and rights, its size, when the disk last
changed it, and the digest of its content. A quick look compares all but the content, which costs one call a file; the
content of what differs is read, since a copy of a directory has new times and the same files. What somebody added
beside them is not looked at: programs write caches and logs where they run.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator

from reconciler.targets import durable
from reconciler.targets.bundle import printable

MOST_TOLD = 3
_PIECE = 1 << 18
LARGEST = 256 * 1024 * 1024
"""An inventory of more bytes is not read."""

Line = tuple[str, int, int, int, str]
"""Path below the release (undecodable bytes as surrogates), mode, size, time of the last change in ns, digest."""


class Inventory:
    """An inventory that is being made of `files`, while they are open for something else, and of `links`."""

    def __init__(self, root: str, files: Iterable[str], links: Iterable[str]) -> None:
        self._root = root
        self._lines: dict[str, Line | None] = dict.fromkeys(files)
        self._links = links

    def look(self, path: str, file: int) -> None:
        """Take in an open file at its beginning, if it is one of those. Raises OSError."""
        if path in self._lines:
            kind = os.fstat(file)
            with durable.named(path):
                self._lines[path] = self._line(path, kind, _digest_of(file, kind.st_size))

    def made(self) -> bytes:
        """What is written of them, in the order in which they were given. Raises OSError."""
        for path in self._links:
            kind = os.lstat(path)
            self._lines[path] = self._line(path, kind, _digest(path, kind))
        assert None not in self._lines.values(), "a file was not looked at"
        return json.dumps(list(self._lines.values()), separators=(",", ":")).encode()

    def _line(self, path: str, kind: os.stat_result, digest: str) -> Line:
        return path[len(self._root) + 1 :], kind.st_mode, kind.st_size, kind.st_ctime_ns, digest


def read(path: str) -> list[Line]:
    """An inventory that was written; empty where there is none, so that nothing is said of those files."""
    try:
        return [(str(a), int(b), int(c), int(d), str(e)) for a, b, c, d, e in json.loads(_load(path))]
    except (ValueError, TypeError, RecursionError):
        return []


def _load(path: str) -> bytes:
    return durable.load(path, LARGEST) or b"[]"


def differences(root: str, lines: Iterable[Line], *, closely: bool = False) -> list[str]:
    """What differs from the inventory, a sentence each: the first ones and how many more. Changes nothing.

    `closely` reads the content of every file, else of those alone whose size or time is another.
    """
    found = list(_differences(root, lines, closely))
    more = len(found) - MOST_TOLD
    return found if more <= 1 else [*found[:MOST_TOLD], f"and {more} others"]


def _differences(root: str, lines: Iterable[Line], closely: bool) -> Iterator[str]:
    for name, mode, size, changed, digest in lines:
        path = f"{root}/{name}"
        try:
            kind = os.lstat(path)
        except OSError:
            yield f"{printable(name)} is missing"
            continue
        if kind.st_mode != mode:
            other = stat.S_IFMT(kind.st_mode) != stat.S_IFMT(mode)
            yield f"{printable(name)} {'is no longer a file of its kind' if other else _rights(mode, kind.st_mode)}"
        elif kind.st_size != size or ((closely or kind.st_ctime_ns != changed) and _content(path, kind) != digest):
            yield f"{printable(name)} was changed"


def _rights(before: int, now: int) -> str:
    return f"has the rights {stat.S_IMODE(now):04o} instead of {stat.S_IMODE(before):04o}"


def _content(path: str, kind: os.stat_result) -> str:
    """The digest; of what cannot be read, none that any file has."""
    try:
        return _digest(path, kind)
    except OSError:
        return ""


def _digest(path: str, kind: os.stat_result) -> str:
    if stat.S_ISLNK(kind.st_mode):
        return hashlib.sha256(os.fsencode(os.readlink(path))).hexdigest()
    with durable.named(path):
        file = os.open(path, durable.PEEK)
        try:
            return _digest_of(file, kind.st_size)
        finally:
            os.close(file)


def _digest_of(file: int, size: int) -> str:
    digest = hashlib.sha256()
    while piece := os.read(file, _PIECE):
        digest.update(piece)
        if len(piece) == size:  # that was all: most files are small
            break
    return digest.hexdigest()
