"""Is the beginning of an id that several deployments have refused as such, wherever it is given?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from reconciler.store import tables
from tests.bearers import bearer, header
from tests.http_asking import PROBLEM, Face, face
from tests.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("several")).begun()


@pytest.fixture(scope="module")
def asked(world: World) -> Iterator[Face]:
    with face(world) as found:
        yield found


@pytest.fixture(scope="module")
def begin(world: World) -> dict[str, str]:
    """Beginnings of ids that several have: of ours alone, of ours and a reported one, of reported ones alone."""
    with world.running() as running, running.database.write() as transaction:
        first, second = transaction.connection.execute(select(tables.deployments).limit(2)).mappings()
        twin = f"{first['id'][:-1]}{'0' if first['id'][-1] != '0' else '1'}"
        transaction.connection.execute(
            tables.deployments.insert(), {**first, "id": twin, "number": 100, "sequence": 100, "status": "failed"}
        )
        row = {"environment": "live", "version": "7", "deployed_by": "ci", "extra_metadata": {}, "app": "elsewhere"}
        row |= {"created_at": world.now, "started_at": world.now, "finished_at": world.now, "status": "completed"}
        ids = (f"{second['id'][:16]}{'f' * 16}", "abcdef01", "abcdef02")
        rows = [{**row, "id": one, "number": number} for number, one in enumerate(ids, 1)]
        transaction.connection.execute(tables.reports.insert(), rows)
    return {"ours": twin[:-1], "both": second["id"][:16], "reported": "abcdef0"}


def said(answer: Any) -> str:
    """What is said of several; nothing else will do."""
    assert (answer.status_code, answer.headers["content-type"]) == (409, PROBLEM), answer.text
    assert "give more digits" in answer.json()["next_step"]
    detail: str = answer.json()["detail"]
    return detail


@pytest.mark.parametrize("which", ["ours", "both", "reported"])
def test_to_look_at(asked: Face, begin: dict[str, str], which: str) -> None:
    assert f"several deployments have an id that begins with {begin[which]}" in said(
        asked.get(f"/deployments/{begin[which]}")
    )
    assert asked.get("/deployments/0000000").status_code == 404


@pytest.mark.parametrize("act", ["retry", "abort"])
def test_to_act_on(world: World, asked: Face, begin: dict[str, str], act: str) -> None:
    known = header(bearer(world.settings["state"]["url"], "operate", now=world.now))
    answer = asked.client.post(f"/deployments/{begin['ours']}/{act}", json={"reason": "x"}, headers=known)
    assert "several deployments have an id that begins with" in said(answer)
