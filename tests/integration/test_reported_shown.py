"""How is what was deployed elsewhere shown, next to what the reconciler deployed, and what can be done about it?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.store import tables
from tests.bearers import bearer, header
from tests.http_asking import Face, face
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.start_repository()
    made.settle()
    return made


@pytest.fixture
def asked(world: World) -> Iterator[Face]:
    with face(world) as found:
        yield found


def report(asked: Face, world: World, **event: Any) -> dict[str, Any]:
    """A deployment of `shop` as CI tells of it."""
    token = bearer(world.settings["state"]["url"], "report", now=world.now, name="ci@example.com")
    told = {"product_name": "shop", "environment_name": "live", "version": "9", **event}
    answer = asked.client.post("/deployment-events/", json=told, headers=header(token))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_of_very_many_products_that_git_does_not_know_the_first_are_shown(world: World, asked: Face) -> None:
    row = {"environment": "live", "number": 1, "version": "7", "deployed_by": "ci", "extra_metadata": {}}
    row |= {"created_at": world.now, "started_at": world.now, "finished_at": world.now, "status": "completed"}
    rows = [{**row, "id": f"r{number}", "app": f"product-{number:04}"} for number in range(250)]
    rows.append({**row, "id": "strange", "app": "../a b?c#d"})
    with world.running() as found, found.database.write() as transaction:
        transaction.connection.execute(tables.reports.insert(), rows)
    page = asked.get("/ui/").text
    assert page.count('href="/ui/apps/product-') == 199
    assert "251 apps" in page
    assert "and 51 more" in page
    assert 'href="/ui/apps/..%2Fa%20b%3Fc%23d"' in page
    # Whoever looks for one by its name finds it, however many there are.
    narrowed = asked.get("/ui/?q=product-02").text
    assert "product-0249" in narrowed
    assert "more: find them" not in narrowed
