"""Of several daemons one tells, and when it is killed another one goes on: nothing is told twice or left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.daemon import Nursery
from tests.e2e.fleet import Fleet
from tests.faults.postgres import Server
from tests.receiver import receiving
from tests.telling import alert


@pytest.fixture(autouse=True)
def _ready(nursery: Nursery) -> None:
    """Daemons find what they send with imported already."""
    nursery.ask({"readies": "alerts"})


@pytest.fixture
def fleet(tmp_path: Path, nursery: Nursery, server: Server) -> Iterator[Fleet]:
    """No daemon yet."""
    made = Fleet(tmp_path, nursery, server.database())
    yield made
    made.close()


def test_one_of_several_tells_and_another_one_when_it_is_killed(fleet: Fleet) -> None:
    with receiving() as receiver:
        (fleet.directory / "address").write_text(f"json://127.0.0.1:{receiver.port}/")
        fleet.begin("shop")
        told = alert(f"file:{fleet.directory / 'address'}", events=["completed"], environments=["live"])
        fleet.world.commit("Tell", {"alert.yaml": told})
        for _ in range(2):
            fleet.member()
        fleet.wait_for(lambda: fleet.everywhere("one", "shop") and fleet.living() == 2, "it runs")
        fleet.wait_for(lambda: receiver.requests, "one of them tells")
        leader = fleet.leader
        assert leader is not None
        fleet.change("two", "shop")
        fleet.wait_for(lambda: fleet.everywhere("two", "shop"), "it is everywhere")
        leader.kill()
        fleet.wait_for(lambda: len(receiver.requests) > 1, "somebody tells of it")
        fleet.change("three", "shop")
        fleet.wait_for(lambda: fleet.everywhere("three", "shop"), "the other one leads")
        fleet.wait_for(lambda: len(receiver.requests) > 2, "the other one tells")
        fleet.check()
    said = {request.headers["x-reconciler-message"]: request.json["title"] for request in receiver.requests}
    assert list(said.values()) == [f"shop in live: v{number} is deployed" for number in (1, 2, 3)]
