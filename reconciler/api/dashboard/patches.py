"""How is the difference of two trees laid out, line by line, with every gap and the very letters that changed?

From the text that `git diff` prints. Nothing is guessed: what is left out is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from reconciler.model.comparison import FileChange

MOST_LINES = 1_500
"""Of one file."""
MOST_FILES = 60
"""Whose lines are shown."""
LONGEST = 2_000
"""Letters of a line."""
_HUNK = re.compile(r"@@ -(?P<old>\d+)(?:,(?P<olds>\d+))? \+(?P<new>\d+)(?:,\d+)? @@")
_WORD = re.compile(r"\w+|\s+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line or value, and whether it is what changed."""

    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a difference; or a gap, with how many lines are the same there."""

    sign: str
    """` `, `+`, `-`, and `…` for a gap."""
    old: int | None = None
    new: int | None = None
    pieces: tuple[Piece, ...] = ()
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """What became of one file; without lines where it is no text."""

    change: FileChange
    lines: tuple[Line, ...] = ()
    cut: bool = False
    """Whether there are more lines than are shown."""
    whole: bool = False
    """Whether every line stands there that is the same."""


@dataclass(slots=True)
class _Text:
    """The lines of one file as they are read."""

    lines: list[Line] = field(default_factory=list)
    old: int = 1
    new: int = 1
    deleted: list[tuple[int, str]] = field(default_factory=list)
    added: list[tuple[int, str]] = field(default_factory=list)

    def hunk(self, old: int, new: int) -> None:
        """A hunk begins; what lies between is the same."""
        self.flush()
        if old > self.old:
            self.lines.append(Line(sign="…", skipped=old - self.old))
        self.old, self.new = old, new

    def add(self, line: str) -> None:
        """A line of a hunk."""
        sign, text = line[:1], line[1:][:LONGEST]
        if sign == "-":
            self.deleted.append((self.old, text))
            self.old += 1
        elif sign == "+":
            self.added.append((self.new, text))
            self.new += 1
        elif sign == " ":
            self.flush()
            self.lines.append(Line(sign=" ", old=self.old, new=self.new, pieces=(Piece(text),)))
            self.old, self.new = self.old + 1, self.new + 1
        elif sign == "\\":
            self.flush()
            self.lines.append(Line(sign="…", pieces=(Piece("no line end at the end of the file"),)))

    def flush(self) -> None:
        """Lay out what was deleted and added in one place."""
        pairs = list(zip_longest(self.deleted, self.added))
        alike = len(self.deleted) == len(self.added)
        marked = [marks(old[1], new[1]) if alike and old and new else None for old, new in pairs]
        for number, (at, text) in enumerate(self.deleted):
            found = marked[number]
            self.lines.append(Line(sign="-", old=at, pieces=found[0] if found else (Piece(text),)))
        for number, (at, text) in enumerate(self.added):
            found = marked[number]
            self.lines.append(Line(sign="+", new=at, pieces=found[1] if found else (Piece(text),)))
        self.deleted, self.added = [], []


def patches(diff: str, files: Sequence[FileChange]) -> tuple[Patch, ...]:
    """The files of a difference, in its order, with their lines."""
    texts = list(_split(diff))
    found = []
    for number, change in enumerate(files[:MOST_FILES]):
        lines = _lines(texts[number]) if number < len(texts) else ()
        found.append(Patch(change=change, lines=tuple(lines[:MOST_LINES]), cut=len(lines) > MOST_LINES))
    return tuple(found)


def whole(diff: str, change: FileChange) -> Patch | None:
    """One file with every line, from a difference that has no gaps; None where it is none of a text."""
    (found,) = patches(diff, [change])
    return replace(found, whole=True) if found.lines else None


def _split(diff: str) -> Iterator[list[str]]:
    """The lines of each file."""
    file: list[str] | None = None
    for line in diff.split("\n"):
        # Every line of content begins with a sign, so no file can fake the head of another.
        if line.startswith("diff --git "):
            if file is not None:
                yield file
            file = []
        elif file is not None:
            file.append(line)
    if file is not None:
        yield file


def _lines(text: Sequence[str]) -> list[Line]:
    found, inside = _Text(), False
    for line in text:
        hunk = _HUNK.match(line)
        if hunk is not None:
            inside = True
            # Where a side has no lines, git names the line before.
            found.hunk(int(hunk["old"]) + (hunk["olds"] == "0"), int(hunk["new"]))
        elif inside:
            found.add(line)
        if len(found.lines) > MOST_LINES:
            break
    found.flush()
    return found.lines


def marks(before: str, after: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]] | None:
    """What exactly differs between two lines, word by word from both ends; None where hardly anything is the same."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    same = sum(map(len, old[:start])) + sum(map(len, old[len(old) - end :]))
    if 3 * same < min(len(before), len(after)) or not same:
        return None
    return _pieces(old, start, end), _pieces(new, start, end)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _pieces(words: Sequence[str], start: int, end: int) -> tuple[Piece, ...]:
    last = len(words) - end
    parts = ((words[:start], False), (words[start:last], True), (words[last:], False))
    return tuple(Piece("".join(part), changed) for part, changed in parts if part)
