"""What is left of the processes beside the daemon when they are killed, when it is, and when nobody asks any more?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.engine.hands import MANY, PAUSE
from tests.gitrepo import Repo
from tests.processes import beside, dead_children
from tests.waiting import until
from tests.with_hands import HERE, Daemon, shop, threads_begun

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("held_up", ["before", "after"])
def test_what_a_killed_one_was_at_is_carried_out_here(daemon: Daemon, bundles: Repo, held_up: str) -> None:
    daemon.begin()
    told = {"type": "noting-files", "notes": str(daemon.notes), "path": "out", "held": held_up}
    releases = [shop(bundles, f"d-{number}", f"shop-{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        under_way = [pool.submit(daemon.perform, one, **told) for one in releases]
        until(lambda: all(daemon.called(one.deployment) for one in releases))
        elsewhere = {pid for one in releases for pid in daemon.called(one.deployment)}
        for pid in daemon.others:
            os.kill(pid, signal.SIGKILL)
        assert {one.result(30).kind for one in under_way} == {"completed"}
    assert HERE not in elsewhere
    for one in releases:
        first, second = daemon.called(one.deployment)
        assert (first in elsewhere, second) == (True, HERE)
        assert [path.name for path in (daemon.place / "out" / one.app / "releases").iterdir()] == [one.deployment]
        seen = daemon.targets.make("live", told).observe(one.app)
        assert seen is not None
        assert (seen.deployment, seen.changed) == (one.deployment, ())


def test_after_a_kill_none_are_begun_for_a_while(daemon: Daemon) -> None:
    before = daemon.begin().others
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not threads_begun())
    assert {daemon.noted(type="noting") for _ in range(MANY * 2)} == {HERE}
    assert (threads_begun(), daemon.others, dead_children(HERE)) == ([], set(), set())
    daemon.moment += PAUSE
    assert daemon.begin().others.isdisjoint(before)


def test_one_of_several_that_is_killed_leaves_the_others_at_work(daemon: Daemon) -> None:
    daemon.begin()
    until(lambda: len(daemon.others) == 4)
    os.kill(daemon.noted(type="noting"), signal.SIGKILL)
    by = set[int]()
    with ThreadPoolExecutor(8) as pool:
        until(lambda: by.update(pool.map(lambda _: daemon.noted(type="noting"), range(50))) or by - {HERE})
    assert by - {HERE} <= daemon.others


def began(daemon: Daemon) -> None:
    until(lambda: daemon.noted(type="noting") and threads_begun())


def runs(daemon: Daemon) -> None:
    began(daemon)
    until(lambda: daemon.others)


def several(daemon: Daemon) -> None:
    began(daemon)
    until(lambda: len(daemon.others) > 1)


@pytest.mark.parametrize("when", [began, runs, several, Daemon.begin])
def test_closing_leaves_nothing(bundles: Repo, tmp_path: Path, when: Callable[[Daemon], object]) -> None:
    open_before, dead_before = len(os.listdir("/proc/self/fd")), dead_children(HERE)
    for number in range(2):
        daemon = Daemon(bundles.path / ".git", tmp_path / f"data-{number}")
        when(daemon)
        daemon.close()
        assert (daemon.others, dead_children(HERE) - dead_before, threads_begun()) == (set(), set(), [])
        assert daemon.noted(type="noting") == HERE
    assert len(os.listdir("/proc/self/fd")) == open_before


def test_they_end_when_nobody_asks_and_are_begun_anew(bundles: Repo, tmp_path: Path) -> None:
    idle = 0.4
    daemon = Daemon(bundles.path / ".git", tmp_path / "data", idle)
    before = daemon.begin().others
    with ThreadPoolExecutor(1) as pool:
        under_way = daemon.held(pool, "long")
        daemon.moment += idle  # nobody has asked since, but one is still at work
        threading.Event().wait(idle * 1.5)
        assert daemon.called("long")[0] in daemon.others
        daemon.let_go("long")
        assert (under_way.result(30).kind, len(daemon.called("long"))) == ("completed", 1)
    daemon.moment += idle
    until(lambda: not daemon.others and not threads_begun())
    assert dead_children(HERE) == set()
    assert daemon.begin().others.isdisjoint(before)
    daemon.close()


@pytest.mark.parametrize("does", ["waits", "is-deaf"])
def test_they_end_when_the_daemon_is_killed(bundles: Repo, tmp_path: Path, does: str) -> None:
    place = tmp_path / "data"
    words = [sys.executable, "-m", "tests.with_hands", str(bundles.path / ".git"), str(place), does]
    note = place / "notes/long"
    with subprocess.Popen(words, cwd=ROOT) as process:
        try:
            until(lambda: note.exists() and note.read_text())
            assert int(note.read_text()) in beside(place)
        finally:
            process.kill()
    until(lambda: not beside(place))


def test_those_that_cannot_begin_are_not_begun_again_and_again(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "python"
    broken.write_text(f"#!/bin/sh\necho begun >> {tmp_path}/begun\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    until(lambda: daemon.noted(type="noting") == HERE and (tmp_path / "begun").exists() and not threads_begun())
    assert {daemon.noted(type="noting") for _ in range(MANY * 2)} == {HERE}
    assert (tmp_path / "begun").read_text() == "begun\n"
    broken.unlink()
    daemon.moment += PAUSE
    assert {daemon.noted(type="noting") for _ in range(MANY * 2)} == {HERE}
    until(lambda: not threads_begun())


def test_another_version_that_was_installed_meanwhile_is_not_asked(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.engine.hands.__version__", "0.0.1")
    runs(daemon)
    until(lambda: daemon.noted(type="noting") == HERE and not threads_begun())
    assert daemon.others == set()
