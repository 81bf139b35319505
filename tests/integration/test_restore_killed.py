"""Killed before any of its steps, a restore leaves the earlier store or the restored one, whole."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.commands import Told

FILE = "now.backup"
STEPS = ("os.rename", "os.link", "os.remove", "shutil.copyfile", "sqlite3.connect")
"""What Python tells of before it happens, of all that changes which files there are."""


def killed(told: Told, step: int) -> bool:
    """Restore in a process that is killed before the so many-th change of files; whether it came so far."""
    process = os.fork()
    if process == 0:
        left = iter(range(step))

        def dying(event: str, _arguments: object) -> None:
            if event in STEPS and next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(dying)
        told.type("restore", FILE, "--force")
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL


@pytest.mark.sqlite_only("one file takes the place of another")
def test_it_may_be_killed_before_any_step(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.start_repository()
    told.settle()
    assert told.type("backup", FILE).status == 0
    told.type("pause", "shop", "--reason", "x", "--until", "2h", "--actor", "ann@example.com")
    told.commit("Three", {"shop/index.html": "three"})
    seen, step = [], 0
    while killed(told, step):
        assert told.type("audit", "verify").status == 0
        seen.append(len([one for one in told.json("audit", "export") if one["kind"] == "intervention.pause"]))
        step += 1
    assert step > 10
    assert seen == sorted(seen, reverse=True), "the earlier store up to one step, the restored one from there on"
    assert {*seen} == {1, 0}
    told.settle()
    assert told.runs("live") == "three"
    assert not list((told.directory / "state").glob(".reconciler*"))
