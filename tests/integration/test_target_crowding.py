"""Do deployments to directories stay out of each other's way, and does one that hangs hold up none of the others?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.errors import Aborted
from reconciler.model.release import Release
from reconciler.targets import crowding
from reconciler.targets.base import Work
from reconciler.targets.directory import DirectoryTarget
from reconciler.targets.rehearsal import Rehearsal, release, version

SEVERAL = 3 * crowding.MOST


@pytest.fixture
def target(tmp_path: Path) -> DirectoryTarget:
    return DirectoryTarget("live", {"path": "out"}, tmp_path)


def of(app: str) -> Release:
    return release("d1", version(1), app=app)


def work(before: Callable[[], object]) -> Work:
    """What calls `before` whenever files are unpacked."""
    lent = Rehearsal().work()

    def unpack(tree: str, folder: Path) -> None:
        before()
        lent.unpack(tree, folder)

    return Work(unpack, lent.stop, lent.say, lent.environ)


def test_while_some_hang_all_others_are_carried_out_and_then_these(target):
    goes_on, hanging = threading.Event(), threading.Semaphore(0)

    def hang() -> None:
        hanging.release()
        assert goes_on.wait(30)

    with ThreadPoolExecutor(SEVERAL) as threads:
        hung = [threads.submit(target.deploy, of(f"hangs{number}"), work(hang)) for number in range(SEVERAL)]
        try:
            assert all(hanging.acquire(timeout=30) for _ in hung)
            for number in range(SEVERAL):
                target.deploy(of(f"quick{number}"), Rehearsal().work())
            assert not any(one.done() for one in hung)
        finally:
            goes_on.set()
        for one in hung:
            one.result(30)
    for number in range(SEVERAL):
        for app in (f"hangs{number}", f"quick{number}"):
            assert target.observe(app).deployment == "d1"


def test_where_each_is_quick_few_are_at_work_together(target, monkeypatch):
    monkeypatch.setattr(crowding, "PATIENCE", 30.0)  # however slow the machine is
    guard, inside, most = threading.Lock(), 0, 0
    full = threading.Barrier(crowding.MOST)

    def count() -> None:
        nonlocal inside, most
        with guard:
            inside += 1
            most = max(most, inside)
        full.wait(30)  # for so many that are in here at once
        with guard:
            inside -= 1
        full.wait(30)

    with ThreadPoolExecutor(SEVERAL) as threads:
        for one in [threads.submit(target.deploy, of(f"app{number}"), work(count)) for number in range(SEVERAL)]:
            one.result(60)
    assert most == crowding.MOST


def test_one_that_fails_or_is_stopped_makes_room(target, monkeypatch):
    monkeypatch.setattr(crowding, "PATIENCE", 30.0)

    def fail() -> None:
        raise OSError(5, "Input/output error")

    stopped = Rehearsal().work()
    stopped.stop.set()
    for number in range(SEVERAL):
        with pytest.raises(Exception, match="Input/output error"):
            target.deploy(of(f"fails{number}"), work(fail))
        with pytest.raises(Aborted):
            target.deploy(of(f"stopped{number}"), stopped)
    target.deploy(of("last"), Rehearsal().work())
    assert target.observe("last").deployment == "d1"
