"""How do time and memory grow with the number of apps? Log-log plots of what was measured, drawn from the record."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Record

Value = Callable[[Figure], float | None]
# Told apart by people who see colours differently, and on white by their darkness.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a5c00", "#56b4e9", "#444444", "#a00000")
MARKERS = "osD^vPXd"
OURS = 3
"""So many of the colours are for ourselves."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot: which figures, and what of them. `limit` draws what they were measured beside."""

    label: str
    section: Any
    name: str
    what: str = ""
    limit: str = ""
    of: str = "value"


@dataclass(frozen=True, slots=True)
class Plot:
    """One picture, with targets as horizontal lines."""

    file: str
    title: str
    lines: tuple[Line, ...]
    targets: tuple[tuple[float, str], ...] = ()
    unit: str = "seconds"
    items: str = "app-environments in one repository"


_PEERS = {
    "OctoDNS": "OctoDNS, one zone",
    "salt-call": "salt-call",
    "ansible-pull, task each": "ansible-pull, a task for each",
    "ansible-pull, loop": "ansible-pull, one task with a loop",
    "ansible-pull -o": "ansible-pull -o",
}


def _peers(doing: str, of: str = "value") -> tuple[Line, ...]:
    return tuple(Line(label, "peers", name, f"{name}: {doing}", of=of) for label, name in _PEERS.items())


PLOTS = (
    Plot(
        "change.svg",
        "One change: how long until it is durable, and until it runs",
        (
            Line(
                "push → completed",
                "targets",
                "B3",
                "push → completed (median)",
                limit="bare fetch, commits and release",
            ),
            Line(
                "ref moved → plan durable",
                "targets",
                "B1",
                "ref moved → plan durable (median)",
                limit="bare diff, parse, commit",
            ),
        ),
    ),
    Plot(
        "start.svg",
        "From nothing to everything recorded, and a restart",
        (
            Line("cold start, process and clone, all planned", "shown", "start", "cold start: and"),
            Line(
                "everything declared recorded",
                "targets",
                "B4",
                "cold load: everything",
                limit="bare list, read and parse",
            ),
            Line("restart, process start to end", "shown", "restart"),
        ),
        ((60, "target of the cold start: 60 s"), (5, "target of a restart: 5 s")),
    ),
    Plot(
        "idle.svg",
        "Nothing to do: this, and others over as many items",
        (
            Line("tick of the daemon", "targets", "B6", "tick with nothing to do (median)"),
            Line("reconciler plan", "peers", "reconciler", "`reconciler plan`"),
            Line("reconciler run --once, files read", "peers", "reconciler", "`reconciler run --once --check-drift`"),
            *_peers("nothing to do"),
        ),
        ((1e-3, "target of a tick: 1 ms"),),
        items="app-environments, records or files",
    ),
    Plot(
        "peers.svg",
        "One change: this, and others over as many items",
        (
            Line("push → completed, daemon", "targets", "B3", "push → completed (median)"),
            Line("reconciler run --once", "peers", "reconciler", "`reconciler run --once`: one"),
            *_peers("one change"),
        ),
        items="app-environments, records or files",
    ),
    Plot(
        "memory.svg",
        "The most memory of a process",
        (
            Line("cold start", "shown", "memory"),
            Line("daemon at rest", "costs", "resident"),
            Line("reconciler plan", "peers", "reconciler", "`reconciler plan`", of="memory"),
            *_peers("nothing to do", "memory"),
        ),
        ((1073.7, "target of the cold start: 1 GiB"),),
        unit="MB",
        items="app-environments, records or files",
    ),
    Plot(
        "rate.svg",
        "1,000 at once: deployments in a second",
        (
            Line("carried out", "targets", "B12", limit="bare write, fsync and rename"),
            Line("revert, push → all back", "shown", "revert"),
            Line("carried out, PostgreSQL", "stores", "B12"),
        ),
        ((200, "target of a revert: 200 in a second"),),
        unit="deployments in a second",
    ),
)


def draw(record: Record, place: Path) -> list[Path]:
    """Draw every plot for which there are figures; the files."""
    import matplotlib as mpl

    mpl.use("Agg")
    # The same figures give the same file, so that git shows what has changed.
    mpl.rcParams["svg.hashsalt"] = "reconciler"
    place.mkdir(parents=True, exist_ok=True)
    return [path for plot in PLOTS if (path := _draw(plot, record, place)) is not None]


def _draw(plot: Plot, record: Record, folder: Path) -> Path | None:
    from matplotlib import pyplot

    # On white throughout, so that it is read in a dark page as well.
    figure, axes = pyplot.subplots(figsize=(8, 4.8), facecolor="white")
    drawn = 0
    for number, line in enumerate(plot.lines):
        # Others look the same in every plot.
        place_of = OURS + list(_PEERS).index(line.label) if line.label in _PEERS else number
        drawn += _line(axes, line, record, COLOURS[place_of], MARKERS[place_of])
    if not drawn:
        pyplot.close(figure)
        return None
    for at, what in plot.targets:
        axes.axhline(at, color="#777777", linewidth=1, linestyle=(0, (6, 3)))
        axes.annotate(
            what, (0.01, at), xycoords=("axes fraction", "data"), ha="left", va="bottom", fontsize=8, color="#444444"
        )
    axes.set(xscale="log", yscale="log", xlabel=plot.items, ylabel=plot.unit, title=plot.title)
    axes.xaxis.set_major_formatter(lambda value, _position: f"{value:,.0f}")
    axes.yaxis.set_major_formatter(lambda value, _position: f"{value:,.9f}".rstrip("0").rstrip("."))
    axes.yaxis.set_minor_formatter("")
    low, high = axes.get_ylim()
    axes.set_ylim(10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high)))
    axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    path = folder / plot.file
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
    return path


def _line(axes: Any, line: Line, record: Record, colour: str, marker: str) -> int:
    found = _by_size(record.of(line.section, line.name, what=line.what))
    points = [(one.size, getattr(one, line.of)) for one in found if getattr(one, line.of)]
    if not points:
        return 0
    axes.plot(*zip(*points, strict=True), marker=marker, markersize=5, linewidth=1.8, color=colour, label=line.label)
    limits = [(one.size, one.limit) for one in found if one.limit]
    if line.limit and limits:
        axes.plot(*zip(*limits, strict=True), linewidth=1.3, linestyle=":", color=colour, label=f"limit: {line.limit}")
    return len(points)


def _by_size(figures: Sequence[Figure]) -> list[Figure]:
    """One figure of each size, the first that was named."""
    first: dict[int, Figure] = {}
    for one in figures:
        first.setdefault(one.size, one)
    return [first[size] for size in sorted(first)]
