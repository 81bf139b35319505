"""How do two versions look side by side, in colours on a terminal? What differs is found out in `views/comparison`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from reconciler.cli import printing
from reconciler.model.comparison import SECTIONS, ChangedBy, Comparison, FileChange, Section
from reconciler.model.version import Version, canonical, label
from reconciler.words import plain

_MARKS = {"added": ("+", "green"), "deleted": ("-", "red"), "changed": ("~", "yellow"), "renamed": ("~", "yellow")}


def show(found: Comparison, before: Version, after: Version) -> None:
    """Print the difference, coloured on a terminal."""
    ends = [f"{label(end.number, end.name)} ({end.created_at:%Y-%m-%d}, {end.author.email})" for end in (before, after)]
    printing.heading(f"{found.app}: {ends[0]} → {ends[1]}")
    for name in SECTIONS:
        section, by = found.section(name), found.changed_by.get(name, {})
        if section.size:
            printing.heading(name)
        for kind, key, text in sorted(_lines(name, section), key=lambda line: line[1]):
            mark, colour = _MARKS[kind]
            shown = "" if name in ("migrations", "image", "name") else f"{key}: "
            click.secho(plain(f"  {mark} {shown}{text}{_by(by.get(key))}"), fg=colour)
    _show_code(found)
    if found.empty:
        printing.echo("they are the same")


def _lines(name: str, section: Section) -> Iterator[tuple[str, str, str]]:
    """Kind, key and what is shown of each that differs."""

    def spelled(value: Any) -> str:
        return value if isinstance(value, str) and name != "config" else canonical(value)

    for key, value in section.added.items():
        yield "added", key, spelled(value)
    for key, value in section.deleted.items():
        yield "deleted", key, spelled(value)
    for key, edit in section.changed.items():
        yield "changed", key, f"{spelled(edit.before)} → {spelled(edit.after)}"


def _by(who: ChangedBy | None) -> str:
    return f"  ({who.name or who.email}, {who.commit[:10]})" if who else ""


def _show_code(found: Comparison) -> None:
    code = found.code
    if code.diff is None:
        printing.note(f"the code cannot be compared here: {code.missing}")
    elif code.diff:
        printing.heading("code")
        for one in code.files:
            mark, colour = _MARKS[one.kind]
            click.secho(plain(f"  {mark} {_file(one)}"), fg=colour)
        _show_text(code.diff)
        if code.cut:
            printing.note("the difference goes on; the rest is left out")


def _file(one: FileChange) -> str:
    path = f"{one.before} → {one.path}" if one.before else one.path
    size = "" if one.added is None else f" (+{one.added} -{one.deleted})"
    writers = ", ".join(dict.fromkeys(who.name or who.email for who in one.by))
    return f"{path}{size}{f'  ({writers})' if writers else ''}"


def _show_text(code: str) -> None:
    for line in code.split("\n"):
        colour = "green" if line.startswith("+") else "red" if line.startswith("-") else None
        colour = "cyan" if line.startswith("@@") else colour
        bold = line.startswith(("diff --git", "+++", "---"))
        click.secho(plain(line.expandtabs(4)), fg=None if bold else colour, bold=bold)
