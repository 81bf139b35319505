"""Which parts are there, and in which order are they measured on one repository?

A part may rely on what an earlier one has pushed: history only goes forward, from one world of a size to its end.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks import changing, costs, faces, loading, many, oneshot, resting, seasons
from benchmarks.figures import Figure
from benchmarks.repository import publish
from benchmarks.stores import RawPostgres, RawSqlite, Server
from benchmarks.world import Corpus, World

PARTS = {
    "bare": "bare commits of both databases",
    "load": "B4, B9, cold start and its memory",
    "costs": "what docs/scale.md computes with",
    "B6": "a tick with nothing to do",
    "B5": "restart",
    "B1": "one change until its plan is durable (B2 is made of it)",
    "B3": "one push until it is released, and B8, the way back",
    "B10": "one-shot `plan` beside OctoDNS",
    "B11": "one-shot `run --once` beside Salt and ansible-pull",
    "many": "B7, B12, the revert of 1,000",
    "seasons": "1,000 season edges at one instant",
    "faces": "50 readers of pages and lists over 10,000 apps, and reconciling meanwhile",
    "stores": "B1, B3 and B12 on PostgreSQL beside SQLite",
    "peers": "nothing to do and one change, with ansible-pull, OctoDNS and Salt",
}
B10_SIZES, B11_SIZE, POSTGRES_MOST = (1_000, 10_000), 1_000, 10_000
Part = Callable[[str, Callable[[], Iterable[Figure]]], bool]
ON_A_WORLD = PARTS.keys() - {"bare", "peers", "stores"}


def at_size(wanted: set[str], size: int, sizes: Sequence[int]) -> set[str]:
    """What is measured at one size of several: readers once, at the largest that is not above theirs."""
    fitting = [one for one in sizes if one <= faces.SIZE]
    return wanted if fitting and size == max(fitting) else wanted - {"faces"}


def of_size(part: Part, place: Path, size: int, wanted: set[str], server: Server) -> None:
    """All wanted parts for one size."""
    if not wanted & (ON_A_WORLD | {"stores"}):
        return
    place.mkdir(parents=True)
    begun = time.perf_counter()
    corpus = Corpus(place / "desired.git", size)
    print(f"{size}: repository made in {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    if wanted & ON_A_WORLD:
        world = World(place / "sqlite", corpus)
        if begin(part, world, wanted):
            _parts(part, world, wanted, place)
        shutil.rmtree(world.place, ignore_errors=True)
    if "stores" in wanted and size <= POSTGRES_MOST:
        publish(corpus.home, corpus.first)
        other = World(place / "postgresql", corpus, server.database("measured").replace("://", "+psycopg://", 1))
        on_postgres(part, other, server)


def begin(part: Part, world: World, wanted: set[str]) -> bool:
    """From nothing to everything released; most parts need it."""
    loaded: list[loading.Loaded] = []

    def load() -> list[Figure]:
        loaded.append(loading.cold(world))
        return loaded[-1].figures if "load" in wanted else []

    def release() -> list[Figure]:
        begun = time.perf_counter()
        world.advance(world.corpus.first)
        took = time.perf_counter() - begun
        with world.watching() as watcher:
            assert watcher.count(0) == world.size, f"{watcher.count(0)} of {world.size} have been released"
        what = "first release of everything, deployments in a second"
        value = world.size / took
        return [Figure(section="costs", name="first", size=world.size, what=what, value=value, unit="/s")]

    if not part(f"load at {world.size:,}", load):
        return False
    if not part(f"first release at {world.size:,}", release):
        return False
    if "B5" in wanted:
        part(f"B5 at {world.size:,}", lambda: [*resting.b5(world, loaded[-1].whole), *loading.restart(world)])
    return True


def _parts(part: Part, world: World, wanted: set[str], place: Path) -> None:
    size = world.size

    def raw(name: str) -> RawSqlite:
        return RawSqlite(world.scratch / f"{name}.db")

    def b10() -> list[Figure]:
        return oneshot.b10(world, octodns(place / "octodns", size) if size in B10_SIZES else None)

    def b11() -> list[Figure]:
        found = oneshot.b11(world, *files_peers(place, size)) if size == B11_SIZE else []
        return [*found, *oneshot.ours_among_peers(world)]

    parts: dict[str, Callable[[], list[Figure]]] = {
        "B6": lambda: resting.b6(world),
        "costs": lambda: [*costs.held(world), *resting.full_pass(world), *costs.of_a_change(world)],
        "B1": lambda: changing.b1(world, raw("b1")),
        "B3": lambda: changing.b3_b8(world, raw("b3")),
        "B10": b10,
        "B11": b11,
        "many": lambda: many.figures(world, many.many(world, raw("many"))),
        "seasons": lambda: seasons.edges(world),
        "faces": lambda: faces.faces(world),
    }
    for name, measure in parts.items():
        if name in wanted:
            part(f"{name} at {size:,}", measure)


def octodns(place: Path, size: int):
    """OctoDNS over as many records."""
    from benchmarks.peers.octodns import Octodns

    return Octodns(place, size)


def files_peers(place: Path, size: int):
    """Salt and ansible-pull over as many files; without what cannot be installed here."""
    from benchmarks.peers.ansible import Ansible
    from benchmarks.peers.salt import Salt

    return Salt(place / "salt", size), Ansible(place / "ansible", size, "loop", only_changed=True, only_git=True)


def on_postgres(part: Part, world: World, server: Server) -> None:
    """B1, B3 and B12 with the same repository on PostgreSQL."""

    def raw() -> RawPostgres:
        return RawPostgres(server.database("raw"))

    def all_of_it() -> list[Figure]:
        world.advance(world.corpus.first)
        with world.watching() as watcher:
            assert watcher.count(0) == world.size, f"{watcher.count(0)} of {world.size} have been released"
        held = costs.held_in_postgres(world)
        world.advance(world.corpus.small[-1][1])
        return [
            *held,
            *changing.b1(world, raw(), "stores"),
            *changing.b3_b8(world, raw(), "stores"),
            *many.figures(world, many.many(world, raw()), "stores"),
        ]

    part(f"PostgreSQL at {world.size:,}", all_of_it)
