"""How long does one change take: until its plan is durable (B1), until it is released (B3), and taken back (B8)?"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks import costs, limits
from benchmarks.figures import Figure, Times, seconds
from benchmarks.limits import OpenGit, RawReleases
from benchmarks.repository import publish
from benchmarks.stores import RawStore
from benchmarks.world import World, handed_over, now

WARM, WARM_PUSHES = 10, 3


@dataclass
class Noted:
    """B1, and what the bare steps took."""

    turns: Times = field(default_factory=Times)
    limit: Times = field(default_factory=Times)
    cpu: Times = field(default_factory=Times)
    """Seconds of processor from the push until everything about it had settled."""
    log: float = 0.0
    """Bytes of PostgreSQL's log for each change; 0 on SQLite."""


def noted(world: World, raw: RawStore) -> Noted:
    """The ref of the mirror moved: until the plan is durable, one app-environment of all changed."""
    corpus, found_times = world.corpus, Noted()
    before = corpus.small[-1][1]
    trees = corpus.trees([before, *(commit for _, commit in corpus.changes)])
    world.advance(before)
    with world.running() as found:
        git = OpenGit(found.following.mirror.git_dir)
        found.daemon.settle()
        handed = handed_over(found)
        log = costs.log_of_postgres(world)
        for number, (placed, commit) in enumerate(corpus.changes):
            publish(corpus.home, commit)
            found.following.mirror.fetch()

            def bare(step: int = number, spec: str = f"{commit}:{placed.path}") -> None:
                git.diff(trees[step], trees[step + 1])
                limits.parse(git.blob(spec))
                raw.commit()

            floor = seconds(bare)
            handed.clear()
            begun, worked = time.perf_counter(), time.process_time()
            turn = found.cycle.turn(now())
            took = handed[0] - begun
            assert (turn.commits, turn.begun) == (1, 1), turn
            found.daemon.settle()
            if number >= WARM:
                found_times.turns.values.append(took)
                found_times.limit.values.append(floor)
                found_times.cpu.values.append(time.process_time() - worked)
        git.close()
    found_times.log = (costs.log_of_postgres(world) - log) / len(corpus.changes)
    raw.close()
    return found_times


def b1(world: World, raw: RawStore, section: Literal["targets", "stores"] = "targets") -> list[Figure]:
    """Until the plan of one change is durable."""
    times = noted(world, raw)
    figures = [
        Figure(
            section=section,
            name="B1",
            size=world.size,
            what=f"ref moved → plan durable ({word})",
            value=value,
            unit="s",
            limit=times.limit.median,
            bound=bound if section == "targets" else None,
            per="L",
        )
        for word, value, bound in (("median", times.turns.median, 3.0), ("p95", times.turns.p95, 6.0))
    ]
    if section == "targets":
        cost = "processor of one change, from the moved ref to completed"
        figures.append(
            Figure(section="costs", name="change", size=world.size, what=cost, value=times.cpu.median, unit="s")
        )
    else:
        cost = "bytes written to PostgreSQL's log of a deployment: one app changed in one commit"
        figures.append(Figure(section="costs", name="log", size=world.size, what=cost, value=times.log, unit="B"))
    return figures


@dataclass
class Pushed:
    """B3 and B8, and what the bare steps took."""

    forward: Times = field(default_factory=Times)
    back: Times = field(default_factory=Times)
    limit: Times = field(default_factory=Times)
    """Fetch, three commits, writing and switching the release."""
    bare: Times = field(default_factory=Times)
    """Fetch, diff and three commits alone."""
    fetch: Times = field(default_factory=Times)
    diff: Times = field(default_factory=Times)


def pushed(world: World, raw: RawStore) -> Pushed:
    """Push until completed on the directory target, with the daemon watching; then the revert of it."""
    corpus, times = world.corpus, Pushed()
    releases, clone = RawReleases(world.scratch / "releases-b3"), world.scratch / "clone.git"
    world.advance(corpus.changes[-1][1])
    limits.filtered_clone(corpus.home, clone)
    commits = [corpus.changes[-1][1], *(commit for step in corpus.steps for commit in (step.forward, step.back))]
    trees = corpus.trees(commits)
    git = OpenGit(clone)
    with world.daemon() as watcher:
        at = 0
        for number, step in enumerate(corpus.steps):
            for commit, into in ((step.forward, times.forward), (step.back, times.back)):
                begun = time.perf_counter()
                publish(corpus.home, commit)
                took = watcher.completed(step.placed.name, commit) - begun
                _bare(times, number, clone, git, (trees[at], trees[at + 1]), raw, releases)
                at += 1
                if number >= WARM_PUSHES:
                    into.values.append(took)
    git.close()
    raw.close()
    return times


def _bare(
    times: Pushed, number: int, clone: Path, git: OpenGit, trees: tuple[str, str], raw: RawStore, releases: RawReleases
) -> None:
    fetch = seconds(lambda: limits.fetch(clone))
    diff = seconds(lambda: git.diff(*trees))
    commits = seconds(lambda: [raw.commit() for _ in range(3)])
    switch = seconds(releases.switch)
    if number >= WARM_PUSHES:
        times.limit.values.append(fetch + commits + switch)
        times.bare.values.append(fetch + diff + commits)
        times.fetch.values.append(fetch)
        times.diff.values.append(diff)


def b3_b8(world: World, raw: RawStore, section: Literal["targets", "stores"] = "targets") -> list[Figure]:
    """Until one push, and its revert, run on the directory target."""
    times, size = pushed(world, raw), world.size
    limit = times.limit.median
    targets = section == "targets"

    def figure(word: str, value: float, bound: float | None) -> Figure:
        what = f"push → completed ({word})"
        return Figure(
            section=section, name="B3", size=size, what=what, value=value, unit="s", limit=limit, bound=bound, per="L"
        )

    found = [
        figure("median", times.forward.median, 2.0 if targets else None),
        figure("p95", times.forward.p95, None),
    ]
    if targets:
        found += [
            Figure(
                section="targets",
                name="B8",
                size=size,
                what="revert → old version running",
                value=times.back.median,
                unit="s",
                limit=times.forward.median,
                against="the forward change",
                bound=1.2,
                per="×",
            ),
            Figure(
                section="shown",
                name="bare-push",
                size=size,
                what="push → completed, beside bare fetch, diff and 3 commits",
                value=times.forward.median,
                unit="s",
                limit=times.bare.median,
                against="fetch + diff + 3 commits",
                sense="<",
                bound=3.0,
                per="L",
            ),
            _git(size, "`git fetch` of one commit, filtered clone", times.fetch.median),
            _git(size, "tree diff of one change, open `git diff-tree`", times.diff.median),
        ]
    return found


def _git(size: int, what: str, value: float) -> Figure:
    return Figure(section="bare", name="git", size=size, what=what, value=value, unit="s")
