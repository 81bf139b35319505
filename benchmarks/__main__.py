"""python -m benchmarks [--sizes 100,1000,10000] [--only B1,B3] [--no-document]

Prints a table and, unless told otherwise, writes it into docs/performance.md between its markers.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import measures
from benchmarks.measures import CHANGES, STEPS, Row, shown
from benchmarks.world import World, quiet

ALL = ("B1", "B3", "B5", "B6", "B8", "B9")
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--sizes", default="100,1000,10000", help="numbers of app-environments")
    parser.add_argument("--only", default=",".join(ALL), help="which measures")
    parser.add_argument("--no-document", action="store_true", help="leave docs/performance.md as it is")
    options = parser.parse_args(arguments)
    wanted = set(options.only.split(","))
    if unknown := wanted - set(ALL):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    quiet()
    rows = [row for size in map(int, options.sizes.split(",")) for row in measure(size, wanted)]
    lines = table(rows)
    print("\n".join(lines))
    if not options.no_document:
        write(DOCUMENT, lines)
    return 0 if all(row.met for row in rows) else 1


def measure(size: int, wanted: set[str]) -> list[Row]:
    """All wanted measures for one size, in a directory that is thrown away."""
    place = Path(tempfile.mkdtemp(prefix="reconciler-bench-"))
    rows: list[Row] = []
    try:
        world = World(place, size, CHANGES, STEPS)
        if "B9" in wanted:
            rows += told(measures.b9(world))
        if wanted - {"B9"}:
            cold = measures.cold_load(world)
            settled = measures.converge(world)
            print(f"{size}: cold load {shown(cold)}, everything released {shown(settled)} later", file=sys.stderr)
        if "B6" in wanted:
            rows += told(measures.b6(world))
        if "B5" in wanted:
            rows += told(measures.b5(world, cold))
        if "B1" in wanted:
            rows += told(measures.b1(world))
        if wanted & {"B3", "B8"}:
            rows += told(measures.b3_b8(world, wanted))
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return sorted(rows, key=lambda row: row.name)


def told(rows: list[Row]) -> list[Row]:
    """Say what was found as soon as it is known."""
    for row in rows:
        print(f"{row.size}: {row.name} {row.what}: {row.value}, limit {row.limit}, {row.ratio}", file=sys.stderr)
    return rows


def table(rows: Sequence[Row]) -> list[str]:
    """The figures as a Markdown table, by measure and then by size."""
    lines = [
        "| | app-environments | measure | here | limit (L) | ratio | target | met |",
        "|---|---:|---|---:|---:|---:|---|---|",
    ]
    for row in sorted(rows, key=lambda row: (row.name, row.size)):
        met = ("yes" if row.met else "**no**") if row.target else ""
        cells = (row.name, f"{row.size:,}", row.what, row.value, row.limit, row.ratio, row.target, met)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def machine() -> str:
    """What the figures were measured on, in words."""
    import os

    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    return (
        f"{os.cpu_count()} cores, {system}, Python {platform.python_version()}, git {git}, "
        f"SQLite {sqlite3.sqlite_version}; {datetime.now(UTC):%Y-%m-%d}"
    )


def write(document: Path, lines: Sequence[str]) -> None:
    """Put the table between the document's markers; a document without them is left alone."""
    text = document.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"docs/{document.name} has no place for the table: {BEGIN} … {END}")
    document.write_text(
        "\n".join([f"{before}{begin}", "", f"Measured on {machine()}.", "", *lines, "", f"{end}{after}"])
    )


if __name__ == "__main__":
    begun = time.perf_counter()
    status = main(sys.argv[1:])
    print(f"took {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    raise SystemExit(status)
