"""How do two versions differ, by section: code by git, everything else by value?"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from reconciler.cli import printing
from reconciler.model.version import Version, canonical, label
from reconciler.words import plain

LONGEST = 4 << 20
"""Bytes of a code difference that are shown."""
_MARKS = {"added": ("+", "green"), "deleted": ("-", "red"), "changed": ("~", "yellow")}


@dataclass(frozen=True, slots=True)
class Difference:
    """One key of one section: before and after, None where it is missing."""

    section: str
    key: str
    kind: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Compared:
    """Two versions of one app, and how they differ. `code` is None where git could not tell."""

    before: Version
    after: Version
    values: tuple[Difference, ...]
    code: str | None
    cut: bool
    without: str = ""
    """Why there is no code, and what a person can do about it."""

    def as_json(self) -> dict[str, Any]:
        """By section; the difference of the code is a text as `git diff` prints it."""
        sections: dict[str, dict[str, Any]] = {
            name: {"added": {}, "deleted": {}, "changed": {}}
            for name in ("config", "bindings", "secrets", "migrations", "image", "name")
        }
        for one in self.values:
            shown = {"before": one.before, "after": one.after} if one.kind == "changed" else one.after or one.before
            sections[one.section][one.kind][one.key] = shown
        ends = {"from": self.before, "to": self.after}
        named = {key: {"id": end.id, "number": end.number, "name": end.name} for key, end in ends.items()}
        code = {
            "before": self.before.bundle,
            "after": self.after.bundle,
            "diff": self.code,
            "cut": self.cut,
            "missing": self.without or None,
        }
        return {"app": self.before.app, **named, "code": code, **sections}


def compared(before: Version, after: Version, mirror: Path) -> Compared:
    """Compare two versions; the code in the mirror, which may not be there."""
    code, cut = _code(before.bundle, after.bundle, mirror)
    without = _without(before, after, mirror) if code is None else ""
    return Compared(before, after, tuple(_values(before, after)), code, cut, without)


def _without(before: Version, after: Version, mirror: Path) -> str:
    by_hand = f"`git diff {before.commit[:10]} {after.commit[:10]}` in a clone that has both commits shows it"
    if not (mirror / "objects").is_dir():
        return f"there is no mirror in the data directory; `reconciler run --once` fetches it again, or {by_hand}"
    return f"the mirror does not have the content of both, perhaps since the branch was rewritten; {by_hand}"


def _values(before: Version, after: Version) -> list[Difference]:
    found: list[Difference] = []
    for section, was, becomes in zip(_NAMES, _sections(before), _sections(after), strict=True):
        for key in sorted({*was, *becomes}):
            if key not in was:
                found.append(Difference(section, key, "added", None, becomes[key]))
            elif key not in becomes:
                found.append(Difference(section, key, "deleted", was[key], None))
            elif was[key] != becomes[key]:
                found.append(Difference(section, key, "changed", was[key], becomes[key]))
    return found


_NAMES = ("config", "bindings", "secrets", "migrations", "image", "name")


def _sections(version: Version) -> tuple[Mapping[str, Any], ...]:
    return (
        version.config,
        {one.name: f"{one.type} {one.resource}" for one in version.bindings},
        {one.name: one.source for one in version.secrets},
        {name: name for name in version.migrations},
        {"image": version.image} if version.image else {},
        {"name": version.name} if version.name else {},
    )


def _code(before: str | None, after: str | None, mirror: Path) -> tuple[str | None, bool]:
    """What `git diff` says, and whether it was cut short."""
    if before == after:
        return "", False
    if not (mirror / "objects").is_dir():
        return None, False
    ends = [tree or _empty_tree(before or after or "") for tree in (before, after)]
    return _diff(ends, mirror)


def _empty_tree(like: str) -> str:
    """The id of the tree without entries, in the hash that the other id is made with."""
    made = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return made(b"tree 0\0", usedforsecurity=False).hexdigest()


def files_diff(before: str, after: str, paths: Sequence[str], mirror: Path) -> tuple[str, bool]:
    """What `git diff` says of some files between two commits, and whether it was cut short."""
    said, cut = _diff([before, after], mirror, [f":(top,literal){path}" for path in paths]) if paths else ("", False)
    return said or "", cut


def _diff(ends: list[str], mirror: Path, paths: Sequence[str] = ()) -> tuple[str | None, bool]:
    from reconciler.git.processes import command, not_started, reading_environment
    from reconciler.git.shapes import full_id

    options = ["--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", "--src-prefix=a/", "--dst-prefix=b/"]
    arguments = ["diff", *options, *(full_id(end) for end in ends), *(["--", *paths] if paths else [])]
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
            return printed[:LONGEST].decode("utf-8", "replace"), True
    return (printed.decode("utf-8", "replace"), False) if process.returncode == 0 else (None, False)


def show(found: Compared) -> None:
    """Print the difference, coloured on a terminal."""
    ends = [f"{label(end.number, end.name)} ({end.created_at:%Y-%m-%d}, {end.author.email})" for end in _ends(found)]
    printing.heading(f"{found.before.app}: {ends[0]} → {ends[1]}")
    section = ""
    for one in found.values:
        if one.section != section:
            section = one.section
            printing.heading(section)
        _show_value(one)
    if found.code is None:
        printing.note(f"the code cannot be compared here: {found.without}")
    elif found.code:
        printing.heading("code")
        _show_code(found.code)
        if found.cut:
            printing.note("the difference goes on; the rest is left out")
    if not found.values and found.code == "":
        printing.echo("they are the same")


def _ends(found: Compared) -> tuple[Version, Version]:
    return found.before, found.after


def _show_value(one: Difference) -> None:
    mark, colour = _MARKS[one.kind]
    shown = [value if isinstance(value, str) and one.section != "config" else canonical(value) for value in _both(one)]
    text = f"{shown[0]} → {shown[1]}" if one.kind == "changed" else shown[1] if one.kind == "added" else shown[0]
    key = "" if one.section in ("migrations", "image", "name") else f"{one.key}: "
    click.secho(plain(f"  {mark} {key}{text}"), fg=colour)


def _both(one: Difference) -> tuple[Any, Any]:
    return one.before, one.after


def _show_code(code: str) -> None:
    for line in code.split("\n"):
        colour = "green" if line.startswith("+") else "red" if line.startswith("-") else None
        colour = "cyan" if line.startswith("@@") else colour
        bold = line.startswith(("diff --git", "+++", "---"))
        click.secho(plain(line.expandtabs(4)), fg=None if bold else colour, bold=bold)
