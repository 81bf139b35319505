"""Does the revert of a pin, a split, a setting or a removal return an environment at once?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import World, app_manifest


def entry(world: World, message: str, **live: Any) -> str:
    """A commit that changes the entry for live and nothing else."""
    entries = {"sandbox": {}, "pre-release": {}, "live": live}
    return world.commit(message, {"shop.yaml": app_manifest(environments=entries)})


def begin(world: World) -> None:
    """Two versions, both released, and an entry of its own for live."""
    world.start_repository()
    world.settle()
    world.commit("Two", {"shop/index.html": "two"})
    entry(world, "Entry")
    world.settle()


CHANGES: list[dict[str, Any]] = [
    {"version": "v1"},
    {"traffic": [{"version": "v1", "percent": 60}, {"version": "v2", "percent": 40}]},
    {"config": {"log_level": "warn"}},
]


@pytest.mark.parametrize("change", CHANGES, ids=["pin", "split", "setting"])
def test_the_revert_of_an_entrys_change_is_a_rollback_of_that_environment(world: World, change: dict[str, Any]) -> None:
    begin(world)
    made = entry(world, "Change", **change)
    world.settle()
    assert len(world.history("shop", "live")) == 3
    revert = world.repo.revert(made)
    world.repo.push()
    world.settle()
    newest = world.history("shop", "live")[-1]
    assert (newest.cause, newest.status, newest.commit, newest.reverts) == ("rollback", "completed", revert, (made,))
    assert newest.rolled_back_from == world.history("shop", "live")[-2].id
    assert (world.runs("live"), world.facts("live")["config"]) == ("two", {})
    assert len(world.history("shop", "sandbox")) == len(world.history("shop", "pre-release")) == 2
    assert len(world.versions()) == 2


def test_the_revert_of_that_revert_is_an_ordinary_change(world: World) -> None:
    begin(world)
    made = entry(world, "Warn", config={"log_level": "warn"})
    world.settle()
    revert = world.repo.revert(made)
    world.repo.push()
    world.settle()
    world.repo.revert(revert)
    world.repo.push()
    world.settle()
    assert world.story("live")[-1] == ("release", "completed", [2])
    assert world.facts("live")["config"] == {"log_level": "warn"}


def test_a_setting_put_back_by_hand_is_no_rollback(world: World) -> None:
    begin(world)
    entry(world, "Warn", config={"log_level": "warn"})
    world.settle()
    entry(world, "Calm again")
    world.settle()
    assert world.story("live")[-1] == ("release", "completed", [2])


def test_the_revert_of_a_commit_with_content_and_setting_returns_both(world: World) -> None:
    begin(world)
    entries = {"sandbox": {}, "pre-release": {}, "live": {"config": {"log_level": "warn"}}}
    made = world.commit("Three, loudly", {"shop.yaml": app_manifest(environments=entries), "shop/index.html": "three"})
    world.settle()
    assert (world.runs("live"), world.facts("live")["config"]) == ("three", {"log_level": "warn"})
    world.repo.revert(made)
    world.repo.push()
    world.settle()
    assert (world.runs("live"), world.facts("live")["config"]) == ("two", {})
    assert world.story("live")[-1] == ("rollback", "completed", [2])
    assert world.story("sandbox")[-1] == ("rollback", "completed", [2])


def test_the_revert_of_the_commit_that_added_an_app_leaves_it_running_as_an_orphan(world: World) -> None:
    begin(world)
    added = world.commit("Another", {"other.yaml": app_manifest("other"), "other/index.html": "hello"})
    world.settle()
    world.repo.revert(added)
    world.repo.push()
    world.settle()
    assert world.runs("live", app="other") == "hello"
    assert len(world.history("other", "live")) == 1
