"""Does a daemon that stays keep a process ready that carries very many deployments out at once?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.engine.apart import PROCESSES, THREADS
from reconciler.engine.hands import MANY
from tests.gitrepo import Repo
from tests.processes import beside
from tests.waiting import until
from tests.with_hands import HERE, Daemon, threads_begun

ROOT = Path(__file__).resolve().parents[2]
APART, AT_HOME = {"type": "noting"}, {"type": "noting-at-home"}


def at_work(daemon: Daemon) -> bool:
    return len(daemon.hands._free) == PROCESSES * THREADS


def test_one_lies_ready_and_the_others_are_made_of_it(daemon: Daemon) -> None:
    daemon.hands.get_ready([AT_HOME, APART])
    until(lambda: daemon.others)
    (ready,) = daemon.others
    assert daemon.noted(type="noting") == HERE  # few are carried out here all the same
    daemon.hands.get_ready([APART])
    assert daemon.others == {ready}
    daemon.hands.expect([APART] * MANY)
    until(lambda: at_work(daemon))
    assert ready in daemon.others
    assert len(daemon.others) == PROCESSES
    assert {daemon.noted(type="noting") for _ in range(MANY)} <= daemon.others


def test_after_the_others_ended_the_next_one_lies_ready(bundles: Repo, tmp_path: Path) -> None:
    idle = 0.2
    daemon = Daemon(bundles.path / ".git", tmp_path / "data", idle)
    try:
        daemon.hands.get_ready([APART])
        daemon.hands.expect([APART] * MANY)
        until(lambda: at_work(daemon))
        before = daemon.others
        daemon.moment += idle
        until(lambda: len(daemon.others) == 1 and daemon.others.isdisjoint(before))
        until(lambda: not threads_begun())
        (ready,) = daemon.others
        daemon.hands.expect([APART] * MANY)
        until(lambda: at_work(daemon))
        assert ready in daemon.others
    finally:
        daemon.close()
    assert daemon.others == set()


@pytest.mark.parametrize("targets", [[], [AT_HOME], [{"type": "no-such"}], [{"type": 7}]])
def test_none_lies_ready_where_no_target_may_be_called_elsewhere(
    daemon: Daemon, targets: list[dict[str, object]]
) -> None:
    daemon.hands.get_ready(targets)
    assert daemon.others == set()


def test_in_the_place_of_one_that_was_killed_another_is_begun(daemon: Daemon) -> None:
    daemon.hands.get_ready([APART])
    until(lambda: daemon.others)
    (ready,) = daemon.others
    os.kill(ready, signal.SIGKILL)
    os.waitid(os.P_PID, ready, os.WEXITED | os.WNOWAIT)
    daemon.hands.expect([APART] * MANY)
    until(lambda: at_work(daemon))
    assert ready not in daemon.others
    assert daemon.noted(type="noting") in daemon.others


def test_while_the_others_are_at_work_none_lies_ready_besides(daemon: Daemon) -> None:
    daemon.begin()
    before = daemon.others
    daemon.hands.get_ready([APART])
    assert daemon.others == before


def test_closed_it_ends_and_none_comes_after_it(bundles: Repo, tmp_path: Path) -> None:
    daemon = Daemon(bundles.path / ".git", tmp_path / "data")
    daemon.hands.get_ready([APART])
    daemon.close()
    assert daemon.others == set()
    daemon.hands.get_ready([APART])
    assert daemon.others == set()


def test_it_ends_when_the_daemon_is_killed(bundles: Repo, tmp_path: Path) -> None:
    place = tmp_path / "data"
    words = [sys.executable, "-m", "tests.with_hands", str(bundles.path / ".git"), str(place), "ready"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE) as process:
        try:
            until(lambda: beside(place))
        finally:
            process.kill()
    until(lambda: not beside(place))
