"""How do figures become tables in the documents?"""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.children import ROOT
from benchmarks.figures import Figure, Record, shown

DOCS = ROOT / "docs"
PERFORMANCE = DOCS / "performance.md"
MEASURED = DOCS / "plots" / "measured.json"


def machine() -> str:
    """What the figures were measured on, in words."""
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    python, sqlite = platform.python_version(), sqlite3.sqlite_version
    return f"{os.cpu_count()} cores, {system}, Python {python}, git {git}, SQLite {sqlite}"


def beside_limits(figures: Sequence[Figure]) -> list[str]:
    """Figures beside their limits and targets."""
    lines = [
        "| | app-environments | measure | here | limit (L) | ratio | target | met |",
        "|---|---:|---|---:|---:|---:|---|---|",
    ]
    for one in figures:
        limit = "" if one.limit is None else shown(one.limit, one.unit)
        limit = f"{limit} ({one.against})" if one.against else limit
        ratio = _ratio(one) if one.per or one.name == "B6" else ""
        met = {True: "yes", False: "**no**", None: ""}[one.met]
        size = f"{one.size:,}" if one.size else ""
        cells = [one.name, size, one.what, shown(one.value, one.unit), limit, ratio, one.target, met]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def processes(figures: Sequence[Figure]) -> list[str]:
    """What processes cost, from their start to their end."""
    lines = ["| | items | time | processor | memory at most |", "|---|---:|---:|---:|---:|"]
    for one in figures:
        cpu, memory = shown(one.cpu or 0, "s"), shown(one.memory or 0, "MB")
        lines.append(f"| {one.what} | {one.size:,} | {shown(one.value, one.unit)} | {cpu} | {memory} |")
    return lines


def both_stores(record: Record) -> list[str]:
    """The same measures on both databases, each beside the limit of its own."""
    lines = [
        "| | app-environments | measure | SQLite | ratio | PostgreSQL | ratio |",
        "|---|---:|---|---:|---:|---:|---:|",
    ]
    for one in record.of("stores"):
        beside = record.of("targets", one.name, one.size, one.what)
        pairs = [cell for figure in (*beside[:1], one) for cell in (shown(figure.value, figure.unit), _ratio(figure))]
        cells = [one.name, f"{one.size:,}", one.what, *([""] * (4 - len(pairs))), *pairs]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _ratio(one: Figure) -> str:
    return "" if one.ratio is None else f"{one.ratio:.3g} {one.per or 'L'}"


def plain(figures: Sequence[Figure]) -> list[str]:
    """Figures that have no limit."""
    lines = ["| app-environments | | |", "|---:|---|---:|"]
    for one in figures:
        size = f"{one.size:,}" if one.size else ""
        lines.append(f"| {size} | {one.what} | {shown(one.value, one.unit)} |")
    return lines


def tables(record: Record) -> dict[str, list[str]]:
    """Every table of docs/performance.md, by its name there."""
    days = sorted({one.day for one in record.figures})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}" if days else "never"
    peers = sorted(record.of("peers"), key=lambda one: (one.what.partition(":")[2], one.size, one.value))
    return {
        "machine": [f"Measured on {record.machine}; {when}."],
        "targets": beside_limits(record.of("targets")),
        "shown": beside_limits(record.of("shown")),
        "faces": beside_limits(record.of("faces")),
        "stores": both_stores(record),
        "peers": processes(peers),
        "bare": plain(record.of("bare")),
        "costs": plain(record.of("costs")),
    }


def write(document: Path, found: dict[str, list[str]]) -> None:
    """Put each table between its markers in a document. Raises SystemExit where there is no place for one."""
    text = document.read_text("utf-8")
    for name, lines in found.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, here, rest = text.partition(begin)
        _, there, after = rest.partition(end)
        if not here or not there:
            raise SystemExit(f"docs/{document.name} has no place for a table: {begin} … {end}")
        text = "\n".join([f"{before}{begin}", "", *lines, "", f"{end}{after}"])
    document.write_text(text, "utf-8")
