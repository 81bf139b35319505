"""What was put right over and over: is what was released before still known?"""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.model.plan import Deploy
from reconciler.store import deployments
from tests.e2e.daemon import refused
from tests.e2e.test_going_back import begin, shop
from tests.world import World

MANY = 30


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def repaired(world: World, times: int = MANY, environment: str = "live") -> None:
    """What runs there was deployed again so many times, an hour after each other."""
    with world.running() as found, found.database.write() as transaction:
        for _ in range(times):
            world.later(hours=1)
            (*_, last) = deployments.listed(
                transaction.connection, deployments.Filter(app="shop", environment=environment, limit=1)
            )
            again = Deploy(
                app="shop",
                environment=environment,
                cause="repair",
                subject=last.subject,
                reason="it has drifted",
                commit=last.commit,
                deployed_by="reconciler",
                grounds=last.grounds,
            )
            name = f"repair{last.number + 1:04}"
            deployments.create(transaction, [(name, last.number + 1, again)], world.now)
            for status in ("started", "completed"):
                row = deployments.by_ids(transaction.connection, [name])[name]
                if status == "started":
                    deployments.claim(transaction, row, "me", 1, world.now, again=False, told=False)
                else:
                    deployments.move(transaction, row, "completed", world.now, "")


def test_a_revert_still_goes_back_to_what_ran_before(world: World):
    world.start_repository()
    world.settle()
    bad = world.commit("Say two", {"shop/index.html": "two"})
    world.settle()
    repaired(world)
    world.repo.git("revert", "--no-edit", bad)
    world.repo.push()
    world.settle()
    assert world.story("live")[-1] == ("rollback", "completed", [1])
    assert world.runs("live") == "one"


def test_how_far_back_a_pin_goes_does_not_count_what_was_put_right(world: World):
    begin(world, *(str(number) for number in range(28)), rollback={"limit": 27})
    repaired(world)
    world.commit("Far back", {"shop.yaml": shop(environments={"live": {"version": "v1"}})})
    world.settle()
    assert refused(world, "live") == []
    assert world.runs("live") == "0"
