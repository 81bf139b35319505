"""How quickly are the pages and the API answered while fifty people read, and is reconciling slowed by that?

A daemon and its `serve`, as a user has them, over 10,000 apps. The readers are a process of their own, see `readers`:
they stand for other machines, so they stand back (nice 19) and keep to the last processor. What they used of it is
told, since near all of it they would be what is measured. Beside each answer stands the bare framework with as many
bytes, asked by the same readers.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks import beside, slowing
from benchmarks.beside import Listening
from benchmarks.figures import Figure
from benchmarks.readers import Read, Readers, Wanted
from benchmarks.repository import Writer, publish
from benchmarks.world import World

SIZE = 10_000
SECONDS, SECONDS_OF_LIMIT = 30.0, 8.0
APPS = 50
"""So many app pages are read by turns."""
PAUSE = 0.5
"""Seconds between two changes, where something goes on in the store."""
HOW = {"50 read": 0.0, "50 ask ten times a second each": 0.1}
"""How reconciling is met, and how long each reader pauses then."""
_MATRIX, _DEPLOYMENTS = "/ui/", "/deployments"


def paths(world: World) -> dict[str, list[str]]:
    """What is read, by what it is called."""
    names = [placed.name for placed in world.corpus.many]
    pages = [f"/ui/apps/{name}" for name in names]
    return {
        "matrix": [_MATRIX],
        "app page, one of 50": pages[:APPS],
        "app page, one of 1,000": pages,
        "deployments": [_DEPLOYMENTS],
        "all three": [path for page in pages[:APPS] for path in (_MATRIX, page, _DEPLOYMENTS)],
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """How the readers fared, and what that took of the process that answered."""

    read: Read
    cpu: float
    """Seconds of processor for an answer."""


def faces(world: World) -> list[Figure]:
    """Readers at rest and with changes, then what they do to reconciling."""
    after = _tip(world)
    world.advance(after)
    changes = 2 * len(paths(world)) * round(SECONDS / PAUSE)
    with Writer(world.corpus.home, after=after) as writer:
        single = [writer.change(world.corpus.many[n % APPS], 1_000 + n) for n in range(changes)]
        blocks = slowing.blocks(writer, world.corpus.many, len(HOW))
    with beside.daemon(world) as face, Readers() as readers:
        found = _reading(world, face, readers, iter(single))
        found += _memory(world, face)
        publish(world.corpus.home, single[-1])
        each = len(blocks) // len(HOW)
        for number, (how, pause) in enumerate(HOW.items()):
            mixed = Wanted(face.port, paths(world)["all three"], pause=pause)
            found += slowing.figures(world, face, readers, mixed, blocks[number * each : (number + 1) * each], how)
    return found


def _tip(world: World) -> str:
    """The last commit that was made for this world, pushed or not."""
    command = ["git", "-C", str(world.corpus.home), "rev-parse", "refs/heads/coming"]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def _reading(world: World, face: Listening, readers: Readers, commits: Iterator[str]) -> list[Figure]:
    found: list[Figure] = []
    with beside.framework(world.scratch) as bare:
        for what, asked in paths(world).items():
            resting = _asked(face, readers, Wanted(face.port, asked), SECONDS)
            with _changing(world, commits):
                changing = _asked(face, readers, Wanted(face.port, asked), SECONDS)
            sizes = resting.read.sizes
            fixed = [f"/bytes/{sizes.get(path) or max(sizes.values())}" for path in asked]
            limit = _asked(bare, readers, Wanted(bare.port, fixed), SECONDS_OF_LIMIT)
            found += _figures(world.size, what, resting, limit)
            found += _figures(world.size, f"{what}, a change every {PAUSE:g} s", changing, limit)
    return found


def _asked(face: Listening, readers: Readers, wanted: Wanted, seconds: float) -> Asked:
    before = face.cpu
    read = readers.during(wanted, seconds)
    beside.require_answers(face, read)
    return Asked(read, (face.cpu - before) / read.requests)


@contextmanager
def _changing(world: World, commits: Iterator[str]) -> Iterator[None]:
    """Something is pushed all the time."""
    ended = threading.Event()

    def push() -> None:
        while not ended.wait(PAUSE):
            if (commit := next(commits, None)) is not None:
                publish(world.corpus.home, commit)

    thread = threading.Thread(target=push)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _figures(size: int, what: str, asked: Asked, limit: Asked) -> list[Figure]:
    read, bare = asked.read, limit.read

    def figure(word: str, value: float, unit: str, floor: float | None = None, bound: float | None = None) -> Figure:
        name, against = "reading", "fixed bytes" if floor is not None else ""
        return Figure(
            section="faces",
            name=name,
            size=size,
            what=f"{what}: {word}",
            value=value,
            unit=unit,
            limit=floor,
            against=against,
            bound=bound,
            per="L" if floor is not None else "",
        )

    return [
        figure("median", read.median, "s", bare.median),
        figure("p99", read.p99, "s", bare.p99),
        figure("answers in a second", read.rate, "/s", bare.rate),
        figure("processor of an answer", asked.cpu, "s", limit.cpu),
        figure("part of the time that the readers worked", read.busy, "", bare.busy),
        figure("errors", float(read.errors), "", bound=0.0),
    ]


def _memory(world: World, face: Listening) -> list[Figure]:
    told = {"VmRSS": "memory of `serve` after all that", "VmHWM": "its peak"}
    return [
        Figure(section="faces", name="memory", size=world.size, what=what, value=face.memory(which), unit="MB")
        for which, what in told.items()
    ]
