"""A daemon that stood still, or is refused at its start: does whatever comes next go on as if nothing had been?"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from reconciler.config import SETTINGS
from reconciler.store import ledger
from reconciler.wiring import running
from tests.commands import Told
from tests.postgres import empty_database
from tests.world import World

LEASE = 1.0


class Standing:
    """Counts seconds; the machine stands still for a while just when the first deployment is to be carried out."""

    def __init__(self) -> None:
        self.stood = 0.0

    def __call__(self) -> float:
        if not self.stood and threading.current_thread().name.startswith("deployment"):
            self.stood = 5 * LEASE
        return time.monotonic() + self.stood


@pytest.fixture
def url(postgresql: str) -> str:
    return empty_database(postgresql)


@pytest.mark.timeout(60)
def test_it_stood_still_right_before_its_first_deployment_and_nobody_else_is_there(tmp_path: Path, url: str) -> None:
    world = World(tmp_path)
    world.settings["state"] = {"url": url, "lease": f"{LEASE:g}s"}
    world.start_repository()
    world.lay_out()
    ticks = Standing()
    with running(SETTINGS.validate_python(world.settings), lambda: world.now, ticks) as found:
        found.daemon.settle()
    assert ticks.stood
    assert world.runs("live") == "one"
    assert world.story("sandbox") == [("release", "completed", [1])]


def test_one_that_is_refused_leaves_at_once_and_the_next_one_need_not_wait(tmp_path: Path, url: str) -> None:
    told = Told(tmp_path)
    told.set(state={"url": url, "lease": "1h"})
    told.start_repository()
    assert told.type("run", "--once").status == 0
    right = told.settings["repository"]
    told.set(repository={**right, "branch": "other"})
    for words in (["run"], ["run", "--once"]):
        assert told.type(*words).status != 0
    told.set(repository=right)
    assert told.type("run", "--once").status == 0
    with told.running() as found, found.database.read() as connection:
        facts = [one["kind"] for one in ledger.export(connection)]
    assert "daemon.lost" not in facts
