"""How long do the daemon's own steps take, and what is the limit of each?

Every measure ends in a `Row`: what was measured, its limit from the same run, and the target between them. B1, B3,
B5, B6, B8 and B9 are the names of the performance targets. Figures are medians unless they say otherwise.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import limits, memory
from benchmarks.limits import OpenGit, RawReleases, RawStore, seconds
from benchmarks.repository import publish
from benchmarks.world import World, now
from reconciler.engine.perform import Job
from reconciler.wiring import Running

CHANGES = 40
WARM = 10
STEPS = 15
TICKS = 300


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `value` and `limit` have the same unit; `ratio` says how they compare."""

    name: str
    size: int
    what: str
    value: str
    limit: str
    ratio: str
    target: str
    met: bool


@dataclass
class Times:
    """Seconds of several runs of the same thing."""

    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def p95(self) -> float:
        return sorted(self.values)[max(round(len(self.values) * 0.95) - 1, 0)]


def shown(value: float) -> str:
    """A duration as people read it."""
    if value >= 1:
        return f"{value:.2f} s"
    return f"{value * 1e3:.1f} ms" if value >= 1e-3 else f"{value * 1e6:.0f} µs"


def cold_load(world: World) -> float:
    """From an empty state to everything recorded and planned; what git holds was fetched before."""
    with world.running() as found:
        found.following.mirror.fetch()
        begun = time.perf_counter()
        found.cycle.turn(now())
        return time.perf_counter() - begun


def converge(world: World) -> float:
    """Until everything that was asked for runs."""
    with world.running() as found:
        return seconds(found.daemon.settle)


def b1(world: World) -> list[Row]:
    """The ref moved: until the plan is durable, one app-environment of all changed."""
    commits = [world.first, *(commit for _, commit in world.changes)]
    trees = _trees(world.home, commits)
    turns, limit = Times(), Times()
    raw = RawStore(world.place / "raw-b1.db")
    with world.running() as found:
        git = OpenGit(found.following.mirror.git_dir)
        found.daemon.settle()
        handed = _handed_over(found)
        for number, (placed, commit) in enumerate(world.changes):
            publish(world.home, commit)
            found.following.mirror.fetch()

            def bare(step: int = number, spec: str = f"{commit}:{placed.path}") -> None:
                git.diff(trees[step], trees[step + 1])
                limits.parse(git.blob(spec))
                raw.commit()

            floor = seconds(bare)
            handed.clear()
            begun = time.perf_counter()
            turn = found.cycle.turn(now())
            took = handed[0] - begun
            assert (turn.commits, turn.begun) == (1, 1), turn
            if number >= WARM:
                turns.values.append(took)
                limit.values.append(floor)
            found.daemon.settle()
        git.close()
    raw.close()
    rows = []
    for word, value, factor in (("median", turns.median, 3.0), ("p95", turns.p95, 6.0)):
        ratio = value / limit.median
        what = f"ref moved → plan durable ({word})"
        rows.append(
            Row(
                "B1",
                world.size,
                what,
                shown(value),
                shown(limit.median),
                f"{ratio:.2f} L",
                f"≤ {factor:g} L",
                ratio <= factor,
            )
        )
    return rows


def b3_b8(world: World, wanted: set[str]) -> list[Row]:
    """Push until completed on the directory target, with the daemon watching; then the revert of it."""
    forward, back, limit = Times(), Times(), Times()
    raw, releases = RawStore(world.place / "raw-b3.db"), RawReleases(world.place / "raw-releases")
    clone = world.place / "clone.git"
    limits.filtered_clone(world.home, clone)

    def bare() -> None:
        limits.fetch(clone)
        for _ in range(3):
            raw.commit()
        releases.switch()

    with world.daemon() as watcher:
        for number, step in enumerate(world.steps):
            took = []
            for commit in (step.forward, step.back):
                begun = time.perf_counter()
                publish(world.home, commit)
                took.append(watcher.completed(step.placed.name, commit) - begun)
                floor = seconds(bare)
                if number >= 3:
                    limit.values.append(floor)
            if number >= 3:
                forward.values.append(took[0])
                back.values.append(took[1])
    raw.close()
    rows = []
    if "B3" in wanted:
        for word, value in (("median", forward.median), ("p95", forward.p95)):
            ratio = value / limit.median
            what = f"push → completed ({word})"
            target, met = ("≤ 2 L", ratio <= 2) if word == "median" else ("", True)
            rows.append(Row("B3", world.size, what, shown(value), shown(limit.median), f"{ratio:.2f} L", target, met))
    if "B8" in wanted:
        ratio = back.median / forward.median
        what = "revert → old version running"
        rows.append(
            Row(
                "B8",
                world.size,
                what,
                shown(back.median),
                shown(forward.median),
                f"{ratio:.2f} ×",
                "≤ 1.2 ×",
                ratio <= 1.2,
            )
        )
    return rows


def b5(world: World, cold: float) -> list[Row]:
    """A restart, until a turn has found that there is nothing to do."""
    times = Times()
    for _ in range(5):
        begun = time.perf_counter()
        with world.running() as found:
            turn = found.cycle.turn(now())
            while turn.did_something or not found.pool.idle:
                turn = found.cycle.turn(now())
            times.values.append(time.perf_counter() - begun)
    ratio = times.median / cold
    return [
        Row(
            "B5",
            world.size,
            "restart → ready",
            shown(times.median),
            shown(cold),
            f"{ratio:.3f} ×",
            "≤ 0.1 ×",
            ratio <= 0.1,
        )
    ]


def b6(world: World) -> list[Row]:
    """A turn with nothing to do: no process is started and nothing is written."""
    started: list[str] = []
    counting = [False]

    def hook(event: str, _arguments: object) -> None:
        if counting[0] and event in ("subprocess.Popen", "os.fork", "os.posix_spawn"):
            started.append(event)

    sys.addaudithook(hook)
    with world.running() as found:
        found.daemon.settle()
        ticks, reads = Times(), Times()
        before = _files(world.state)
        counting[0] = True
        for _ in range(TICKS):
            ticks.values.append(seconds(lambda: _tick(found)))
            reads.values.append(seconds(found.following.mirror.remote_head))
        counting[0] = False
        written = _files(world.state) != before
    clean = not started and not written
    rows = []
    for word, value in (("median", ticks.median), ("p95", ticks.p95)):
        met = clean and value <= 1e-3
        said = "no process, nothing written" if clean else f"{len(started)} processes, written: {written}"
        what = f"tick with nothing to do ({word}): {said}"
        target, met = ("≤ 1 ms", met) if word == "median" else ("", True)
        ratio = f"{value / reads.median:.1f} L"
        rows.append(Row("B6", world.size, what, shown(value), shown(reads.median), ratio, target, met))
    return rows


def b9(world: World) -> list[Row]:
    """Memory after a cold load, on top of what importing the same modules costs."""
    found = memory.measure(world.home, world.place / "state-b9")
    met = found["added"] <= 60
    imports = f"{found['imports']:.0f} MB"
    return [
        Row("B9", world.size, "memory after load", f"+{found['added']:.1f} MB", imports, "", "≤ +60 MB", met),
        Row("B9", world.size, "its peak", f"+{found['peak']:.1f} MB", imports, "", "", True),
    ]


def _handed_over(found: Running) -> list[float]:
    """When jobs are handed to the pool: the very next thing after the plan is durable."""
    moments: list[float] = []
    begin = found.pool.begin

    def noting(job: Job) -> None:
        moments.append(time.perf_counter())
        begin(job)

    found.pool.begin = noting  # type: ignore[method-assign]
    return moments


def _tick(found: Running) -> None:
    turn = found.cycle.turn(now())
    assert not turn.did_something, turn


def _files(place: Path) -> list[tuple[str, int, int]]:
    """Every file of a directory with its size and the moment of its last change."""
    return sorted(
        (str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in place.rglob("*") if path.is_file()
    )


def _trees(repository: Path, commits: Sequence[str]) -> list[str]:
    specs = [f"{commit}^{{tree}}" for commit in commits]
    done = subprocess.run(["git", "-C", str(repository), "rev-parse", *specs], capture_output=True, check=True)
    return done.stdout.decode().split()
