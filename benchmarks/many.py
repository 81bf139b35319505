"""How fast are many at once: changed in one commit (B7), carried out (B12), taken back, and in which order?"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

from benchmarks import limits
from benchmarks.figures import Figure, Times, seconds
from benchmarks.limits import OpenGit, RawReleases
from benchmarks.repository import ENVIRONMENTS, publish
from benchmarks.stores import RawStore
from benchmarks.world import Round, Watcher, World, now

WORKERS = 16
"""How many deployments a daemon carries out at the same time, unless it is told otherwise."""
RAW_WORKERS = (1, 4, WORKERS)
"""Bare releases are made one after another, 4 at once and as many as a daemon does: the quickest is the limit."""


@dataclass
class Many:
    """What each round of one change and its revert took, in seconds for all of them together."""

    noted: Times = field(default_factory=Times)
    bare_noted: Times = field(default_factory=Times)
    carried: Times = field(default_factory=Times)
    bare_carried: Times = field(default_factory=Times)
    back: Times = field(default_factory=Times)
    first: dict[str, float] = field(default_factory=dict)
    """When the first of each environment had been taken back, as a part of the whole time; the latest of all rounds."""
    halfway: float = 1.0
    """When half of all had been taken back: how many the slowest environment had, beside its fair part."""
    causes: set[str] = field(default_factory=set)


def many(world: World, raw: RawStore) -> Many:
    """Rounds of a commit that changes 1,000 apps, or all where there are fewer, and of its revert."""
    found, corpus = Many(), world.corpus
    releases = RawReleases(world.scratch / "releases-b12", len(corpus.many))
    world.advance(corpus.singles[-1].back)
    for one in corpus.rounds:
        _forward(world, one, found)
        git = OpenGit(world.state / "mirror.git")
        texts = git.blobs([f"{one.forward}:{placed.path}" for placed in corpus.many])
        git.close()

        def parse_and_insert(texts: list[bytes] = texts) -> None:
            for text in texts:
                limits.parse(text)
            raw.batch(len(texts))

        found.bare_noted.values.append(seconds(parse_and_insert))
        ways = [seconds(lambda workers=workers: releases.switch_all(workers)) for workers in RAW_WORKERS]  # type: ignore[misc]
        found.bare_carried.values.append(min(ways))
        _back(world, one, found)
    raw.close()
    return found


def _forward(world: World, one: Round, found: Many) -> None:
    count = len(world.corpus.many)
    with world.watching() as watcher, world.running() as made:
        made.daemon.settle()
        before = watcher.newest()
        publish(world.corpus.home, one.forward)
        made.following.mirror.fetch()
        workers, made.pool.workers = made.pool.workers, 0  # nothing begins before all of it stands in line
        begun = time.perf_counter()
        planned = 0
        while planned < count:
            turn = made.cycle.turn(now())
            assert turn.planned, f"{planned} of {count} are planned, and no more"
            planned += turn.planned
        found.noted.values.append(time.perf_counter() - begun)
        with world.living(made):
            begun = time.perf_counter()
            made.pool.workers = workers
            world.nudge()
            found.carried.values.append(watcher.all_completed(before, count) - begun)
        assert watcher.count(before) == count, f"{watcher.count(before)} of {count} have been released"


def _back(world: World, one: Round, found: Many) -> None:
    count = len(world.corpus.many)
    with world.daemon() as watcher:
        before = watcher.newest()
        begun = time.perf_counter()
        publish(world.corpus.home, one.back)
        found.back.values.append(watcher.all_completed(before, count) - begun)
        _order(watcher, before, count, found)


def _order(watcher: Watcher, before: int, count: int, found: Many) -> None:
    query = (
        "SELECT environment, cause, finished_at FROM deployments WHERE sequence > ? ORDER BY finished_at, environment"
    )
    rows = watcher.store.rows(query, (before,))
    assert len(rows) == count, f"{len(rows)} deployments for {count} reverts"
    found.causes |= {str(cause) for _, cause, _ in rows}
    order = [str(environment) for environment, _, _ in rows]
    for name in ENVIRONMENTS:
        first = rows[order.index(name)][2]
        earlier = sum(1 for _, _, at in rows if at < first)
        found.first[name] = max(found.first.get(name, 0.0), earlier / count)
    half = order[: count // 2]
    fair = len(half) / len(ENVIRONMENTS)
    found.halfway = min(found.halfway, *(half.count(name) / fair for name in ENVIRONMENTS))


def figures(world: World, found: Many, section: Literal["targets", "stores"] = "targets") -> list[Figure]:
    """B7, B12 and the revert of many."""
    count, size = len(world.corpus.many), world.size
    targets = section == "targets"
    rows = [
        Figure(
            section=section,
            name="B12",
            size=size,
            what=f"deployments carried out in a second, {count:,} at once",
            value=count / found.carried.median,
            unit="/s",
            limit=count / found.bare_carried.median,
            against="raw write, fsync and rename",
            sense="≥",
            bound=0.5 if targets else None,
            per="×",
        )
    ]
    if not targets:
        return rows
    latest = max(found.first.values())
    return [
        *rows,
        Figure(
            section="targets",
            name="B7",
            size=size,
            what=f"{count:,} manifests changed in one commit → durable",
            value=found.noted.median,
            unit="s",
            limit=found.bare_noted.median,
            bound=1.5,
            per="L",
        ),
        Figure(
            section="shown",
            name="revert",
            size=size,
            what=f"revert of {count:,} apps, push → all run the old version ({', '.join(sorted(found.causes))})",
            value=count / found.back.median,
            unit="/s",
            sense=">",
            bound=200.0,
        ),
        Figure(
            section="shown",
            name="order",
            size=size,
            what="its order: how many of all were back before the first of the last environment",
            value=latest * count,
            unit="",
            bound=max(0.2 * count, len(ENVIRONMENTS) * WORKERS),
        ),
        Figure(
            section="shown",
            name="order",
            size=size,
            what="its order: what the slowest environment has at half time, beside its fair part",
            value=found.halfway,
            unit="",
            sense="≥",
            bound=0.5,
        ),
    ]
