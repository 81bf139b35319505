"""How long does a reconciler need from nothing to everything recorded (B4), and how much memory (B9)?

Every load is a process of its own, started like a user's, so that time and memory are those of nothing else.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import limits, memory
from benchmarks.children import ROOT, run
from benchmarks.figures import Figure, seconds
from benchmarks.world import World

SMALL, AGAIN = 10_000, 4
"""Up to so many app-environments a load is over so soon that whatever else the machine does weighs: it is repeated, as
its limit is."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a cold load took, and what it was made beside."""

    whole: float
    figures: list[Figure]


def cold(world: World) -> Loaded:
    """From an empty state to everything recorded and planned; measured inside, and beside it the bare steps."""
    started = time.perf_counter()
    found = memory.measure(json.dumps(world.given))
    size = world.size
    assert found.apps == size, f"{found.apps} app-environments are recorded, not {size}"
    parsed = 0

    def bare() -> None:
        nonlocal parsed
        parsed = limits.cold(world.state / "mirror.git", world.corpus.first)

    loads = [found, *_again(world)] if size <= SMALL else [found]
    # The quickest of several here as there.
    limit = min(seconds(bare) for _ in range(1 + AGAIN if size <= SMALL else 1))
    assert parsed >= size, parsed
    print(f"{size}: cold load {found.noted:.1f} + {found.turn - found.noted:.1f} s", flush=True)
    most = 60 if size <= 10_000 else 100
    figures = [
        _b4(size, "cold load: everything declared is recorded", min(one.noted for one in loads), limit, 1.4),
        _b4(size, "cold load: and planned, every intent durable", min(one.turn for one in loads), limit, None),
        Figure(
            section="targets",
            name="B9",
            size=size,
            what="memory after load",
            value=found.added,
            unit="MB",
            limit=found.imports,
            against="its imports",
            bound=most,
        ),
        Figure(
            section="targets", name="B9", size=size, what="its peak", value=found.peak, unit="MB", limit=found.imports
        ),
        _start(size, "cold start: process, clone, everything recorded, the first deployments begun", found.beginning),
        _start(size, "cold start: and the last of all is planned, with deployments going on meanwhile", found.whole),
        Figure(
            section="shown",
            name="memory",
            size=size,
            what="peak memory of the cold start",
            value=found.highest,
            unit="MB",
            sense="<",
            bound=1024 * 1024 * 1024 / 1e6,
        ),
    ]
    assert time.perf_counter() - started > found.whole
    return Loaded(found.turn, figures)


def _again(world: World) -> Iterator[memory.Load]:
    """The same load some more times, each from nothing."""
    for number in range(AGAIN):
        other = World(world.place.with_name(f"{world.place.name}-{number}"), world.corpus)
        yield memory.measure(json.dumps(other.given))
        shutil.rmtree(other.place)


def _b4(size: int, what: str, value: float, limit: float, bound: float | None) -> Figure:
    return Figure(
        section="targets", name="B4", size=size, what=what, value=value, unit="s", limit=limit, bound=bound, per="L"
    )


def _start(size: int, what: str, value: float) -> Figure:
    return Figure(section="shown", name="start", size=size, what=what, value=value, unit="s", sense="<", bound=60.0)


def restart(world: World) -> list[Figure]:
    """A process of its own over a store in which everything is done: until a turn has found nothing to do."""
    costs = [run(memory.command("restart", json.dumps(world.given)), cwd=ROOT) for _ in range(3)]
    answers = [json.loads(cost.output.splitlines()[-1]) for cost in costs]
    assert not any(answer["did_something"] for answer in answers), answers
    middle = sorted(cost.wall for cost in costs)[1]
    return [
        Figure(
            section="shown",
            name="restart",
            size=world.size,
            what="restart with nothing to do: process start to end",
            value=middle,
            unit="s",
            sense="<",
            bound=5.0,
        ),
        Figure(
            section="costs",
            name="resident",
            size=world.size,
            what="memory of a daemon that rests",
            value=answers[-1]["resident"],
            unit="MB",
        ),
    ]
