"""Do a deployment and trigger settings that come together, to the same place, neither fail nor wait for a retry?"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from pathlib import Path

from sqlalchemy import select

from reconciler.store import tables
from reconciler.targets.directory import DirectoryTarget
from reconciler.targets.rehearsal import Rehearsal, release, version
from tests.world import World, app_manifest

FILES = 150
"""So many files take long enough to write that trigger settings handed over meanwhile would meet them."""


def commit(world: World, say: str) -> None:
    """Files and routes change in one commit."""
    manifest = app_manifest(triggers={"routes": [f"{say}.example.com/*"]}, environments=["sandbox"])
    world.commit(say, {"shop.yaml": manifest, **{f"shop/{number}": f"{say} {number}" for number in range(FILES)}})


def facts(world: World, kind: str) -> list[dict[str, object]]:
    with world.running() as found, found.database.read() as connection:
        return list(connection.execute(select(tables.ledger.c.body).where(tables.ledger.c.kind == kind)).scalars())


def test_files_and_routes_of_one_commit_are_there_without_a_retry(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.start_repository()
    for say in ("one", "two", "three"):
        commit(world, say)
        world.settle()  # and no time passes

        assert world.runs("sandbox", "7") == f"{say} 7"
        told = json.loads((world.released("sandbox").parent / "triggers.json").read_text())
        assert told["routes"] == [f"{say}.example.com/*"]
    assert facts(world, "triggers.failed") == []
    assert facts(world, "deployment.attempt-failed") == []


def test_a_deployment_waits_a_moment_for_trigger_settings_that_are_being_written(tmp_path: Path) -> None:
    target = DirectoryTarget("live", {"path": "out"}, tmp_path)
    target.deploy(release("d1", version(1), number=1), Rehearsal().work())
    folder = os.open(tmp_path / "out" / "booking", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    given_back = threading.Timer(0.2, os.close, [folder])
    given_back.start()
    target.deploy(release("d2", version(2), number=2), Rehearsal().work())
    given_back.join()
    assert (tmp_path / "out" / "booking" / "current").readlink() == Path("releases/d2")
