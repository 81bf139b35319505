"""What does a reconciler cost that has nothing to do: a turn (B6), a restart (B5), a look at every app?"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.figures import Figure, Times, seconds
from benchmarks.world import World, now
from reconciler.wiring import Running

TICKS = 300


def b6(world: World) -> list[Figure]:
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
    said = "no process, nothing written" if clean else f"{len(started)} processes, written: {written}"

    def figure(word: str, value: float, bound: float | None) -> Figure:
        what = f"tick with nothing to do ({word}): {said}"
        limit = reads.median
        return Figure(
            section="targets",
            name="B6",
            size=world.size,
            what=what,
            value=value,
            unit="s",
            limit=limit,
            bound=bound,
            sound=clean,
        )

    worst = Figure(
        section="shown",
        name="idle",
        size=world.size,
        what="cycle with nothing to do, the slowest of 300",
        value=max(ticks.values),
        unit="s",
        sense="<",
        bound=20e-3,
    )
    return [figure("median", ticks.median, 1e-3), figure("p95", ticks.p95, None), worst]


def b5(world: World, cold: float) -> list[Figure]:
    """A restart, until a turn has found that there is nothing to do."""
    times = Times()
    for _ in range(5):
        begun = time.perf_counter()
        with world.running() as found:
            turn = found.cycle.turn(now())
            while turn.did_something or not found.pool.idle:
                turn = found.cycle.turn(now())
            times.values.append(time.perf_counter() - begun)
    return [
        Figure(
            section="targets",
            name="B5",
            size=world.size,
            what="restart → ready",
            value=times.median,
            unit="s",
            limit=cold,
            against="cold load",
            bound=0.1,
            per="×",
        )
    ]


def full_pass(world: World) -> list[Figure]:
    """The hourly look at every app, a piece a turn: everything is planned anew with nothing to do."""
    turns: list[float] = []
    planned = 0
    with world.running() as found:
        found.daemon.settle()
        found.cycle.look_at_all()
        while planned < world.size:
            begun = time.perf_counter()
            turn = found.cycle.turn(now())
            turns.append(time.perf_counter() - begun)
            planned += turn.planned
            assert turn.planned, turn
            assert not turn.begun, turn
    return [
        Figure(section="costs", name=name, size=world.size, what=what, value=value, unit="s")
        for name, what, value in (
            ("full-pass", "hourly look at every app, all its turns", sum(turns)),
            ("full-turn", "the longest of its turns", max(turns)),
        )
    ]


def _tick(found: Running) -> None:
    turn = found.cycle.turn(now())
    assert not turn.did_something, turn


def _files(place: Path) -> list[tuple[str, int, int]]:
    """Every file of a directory with its size and the moment of its last change, but for what was released."""
    return sorted(
        (str(path), path.stat().st_size, path.stat().st_mtime_ns)
        for top in place.iterdir()
        if top.name != "releases"
        for path in (top.rglob("*") if top.is_dir() else [top])
        if path.is_file()
    )
