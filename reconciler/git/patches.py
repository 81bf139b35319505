"""What does `git diff` say of two trees or commits: as a text, and file by file?

Read from a mirror that may lack either; what nobody can tell is None. Who changed what is not asked here.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reconciler.git.processes import command, not_started, reading_environment
from reconciler.git.shapes import full_id

LONGEST = 4 << 20
"""Bytes of a difference that are read."""
_OPTIONS = ["--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", "--src-prefix=a/", "--dst-prefix=b/"]
_EVERY_LINE = "--unified=1000000"
Kind = Literal["added", "deleted", "changed", "renamed"]
_KINDS: dict[str, Kind] = {"A": "added", "C": "added", "D": "deleted", "R": "renamed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePatch:
    """What became of one file. Lines are None for one that is no text."""

    path: str
    kind: Kind
    before: str | None = None
    """What it was called before, where it was renamed."""
    added: int | None = None
    deleted: int | None = None


def trees_diff(before: str | None, after: str | None, mirror: Path) -> tuple[str | None, bool]:
    """How two trees (None: nothing) differ, as a text, and whether that was cut; None where git cannot tell."""
    if before == after:
        return "", False
    if not is_there(mirror):
        return None, False
    return _text(_trees(before, after), mirror)


def file_diff(before: str | None, after: str | None, paths: Sequence[str], mirror: Path) -> tuple[str | None, bool]:
    """As `trees_diff`, of the one file that has or had these paths, with every line that is the same."""
    if before == after or not is_there(mirror):
        return None, False
    return _text(_trees(before, after), mirror, [f":(top,literal){path}" for path in paths], [_EVERY_LINE])


def trees_files(before: str | None, after: str | None, mirror: Path) -> tuple[FilePatch, ...]:
    """Which files of two trees (None: nothing) differ; none where git cannot tell, or there are too many."""
    if before == after or not is_there(mirror):
        return ()
    printed, cut = _printed(["--raw", "--numstat", "-z", "--abbrev=40"], _trees(before, after), mirror)
    return () if printed is None or cut else tuple(_files(printed.decode("utf-8", "surrogateescape").split("\0")))


def files_diff(before: str, after: str, paths: Sequence[str], mirror: Path) -> tuple[str, bool]:
    """How some files differ between two commits, and whether that was cut short."""
    said, cut = _text([before, after], mirror, [f":(top,literal){path}" for path in paths]) if paths else ("", False)
    return said or "", cut


def is_there(mirror: Path) -> bool:
    """Whether there is a mirror at all."""
    return (mirror / "objects").is_dir()


def _trees(before: str | None, after: str | None) -> list[str]:
    return [tree or _empty_tree(before or after or "") for tree in (before, after)]


def _empty_tree(like: str) -> str:
    """The id of the tree without entries, in the hash that the other id is made with."""
    made = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return made(b"tree 0\0", usedforsecurity=False).hexdigest()


def _text(
    ends: list[str], mirror: Path, paths: Sequence[str] = (), options: Sequence[str] = ()
) -> tuple[str | None, bool]:
    printed, cut = _printed(options, ends, mirror, paths)
    return (None if printed is None else printed.decode("utf-8", "replace")), cut


def _printed(
    options: Sequence[str], ends: list[str], mirror: Path, paths: Sequence[str] = ()
) -> tuple[bytes | None, bool]:
    """What git prints, and whether it was cut; None where it cannot tell. Raises GitError where there is no git."""
    arguments = ["diff", *_OPTIONS, *options, *(full_id(end) for end in ends), *(["--", *paths] if paths else [])]
    try:
        process = subprocess.Popen(
            command(mirror, arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=reading_environment(),
        )
    except OSError as error:
        raise not_started(error) from error
    with process:
        assert process.stdout is not None
        printed = process.stdout.read(LONGEST + 1)
        if len(printed) > LONGEST:
            process.kill()
            return printed[:LONGEST], True
    return (printed if process.returncode == 0 else None), False


def _files(words: Sequence[str]) -> Iterator[FilePatch]:
    """What `--raw --numstat -z` prints: first what became of each file, then how many lines of it."""
    rest = iter(words)
    kinds: dict[str, tuple[Kind, str | None]] = {}
    unknown: tuple[Kind, str | None] = ("changed", None)
    for word in rest:
        if word.startswith(":"):
            letter, first = word.rpartition(" ")[2][:1], next(rest)
            kind = _KINDS.get(letter, "changed")
            renamed = letter in "RC"
            path = next(rest) if renamed else first
            kinds[path] = (kind, first if kind == "renamed" else None)
        elif word:
            added, deleted, path = word.split("\t", 2)
            if not path:
                _, path = next(rest), next(rest)
            kind, before = kinds.get(path, unknown)
            yield FilePatch(path=path, kind=kind, before=before, added=_lines(added), deleted=_lines(deleted))


def _lines(text: str) -> int | None:
    return int(text) if text.isdigit() else None
