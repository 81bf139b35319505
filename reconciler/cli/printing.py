"""How does an answer look: on a terminal, in a pipe, as JSON?

Text from git and from people is shown so that it cannot move a cursor or fake a line. Colours and tables only where
somebody looks; in a pipe the same words in aligned columns. What is said is decided by the verbs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice
from typing import Any

import click

from reconciler.words import counted as counted
from reconciler.words import plain

AT_ONCE = 1000
"""So many rows of a table are laid out together."""
COLOURS = {
    "completed": "green",
    "failed": "red",
    "aborted": "yellow",
    "started": "cyan",
    "pending": "blue",
    "error": "red",
    "warning": "yellow",
    "good": "green",
    "bad": "red",
    "quiet": "bright_black",
}
"""By what a piece of text says."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of text and what it says, by a name of `COLOURS`."""

    text: str
    says: str = ""


def on_terminal() -> bool:
    """Whether somebody looks at standard output."""
    return sys.stdout.isatty()


def lines(text: str) -> list[str]:
    """The lines of a longer text, each safe to show; tabs become spaces."""
    return [plain(line.expandtabs(4)) for line in text.splitlines()]


def as_json(value: Any) -> None:
    """One JSON value on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def as_json_list(values: Iterable[Any]) -> None:
    """A JSON list on standard output, each value as soon as it is there."""
    open_yet = False
    for value in values:
        text = json.dumps(value, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        click.echo(f"{',' if open_yet else '['}\n  {text}", nl=False)
        open_yet = True
    click.echo("\n]" if open_yet else "[]")


def echo(text: str = "", says: str = "") -> None:
    """One line on standard output, coloured on a terminal."""
    click.secho(plain(text), fg=COLOURS.get(says))


def heading(text: str) -> None:
    """What the next lines are about."""
    click.secho(plain(text), bold=True)


def note(text: str) -> None:
    """Something besides the answer, on standard error."""
    click.secho(plain(text), fg="yellow", err=True)


def table(headings: Sequence[str], rows: Iterable[Sequence[Cell | str]]) -> None:
    """Rows under headings: a table on a terminal, aligned columns in a pipe.

    Shown in pieces, so that very many rows need no memory: within a piece, columns stand below each other.
    """
    found = iter([_cell(cell) for cell in row] for row in rows)
    shown = list(islice(found, AT_ONCE))
    widths = [len(name) for name in headings]
    if not on_terminal():
        widths = _aligned([[Cell(name) for name in headings], *shown], widths)
    else:
        _drawn(headings, shown)
    while shown := list(islice(found, AT_ONCE)):
        widths = _aligned(shown, widths)


def _cell(value: Cell | str) -> Cell:
    return Cell(plain(value.text), value.says) if isinstance(value, Cell) else Cell(plain(value))


def _drawn(headings: Sequence[str], rows: list[list[Cell]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for name in headings:
        drawn.add_column(name, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell.text, style=COLOURS.get(cell.says, "")) for cell in row))
    Console(highlight=False).print(drawn)


def _aligned(rows: Sequence[Sequence[Cell]], least: Sequence[int]) -> list[int]:
    """Rows in columns of at least these widths; the widths that they have."""
    widths = [max(width, *(len(row[column].text) for row in rows)) for column, width in enumerate(least)]
    for row in rows:
        line = "  ".join(cell.text.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())
    return widths


def when(moment: datetime, zone: tzinfo | None = None) -> str:
    """A moment in local time (or in `zone`) and in UTC."""
    here, there = moment.astimezone(zone), moment.astimezone(UTC)
    if here.utcoffset() == timedelta():
        return f"{there:%Y-%m-%d %H:%M:%S} UTC"
    shown = f"{there:%H:%M}" if here.date() == there.date() else f"{there:%Y-%m-%d %H:%M}"
    return f"{here:%Y-%m-%d %H:%M:%S %Z} ({shown} UTC)"


def age(length: timedelta) -> str:
    """How long something takes or has lasted, in its largest unit or two."""
    seconds = max(int(length.total_seconds()), 0)
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 2 * 3600:
        return f"{seconds // 60} min"
    if seconds < 2 * 86_400:
        return f"{seconds // 3600} h"
    return f"{seconds // 86_400} days"
