"""What do groups do in the middle of steps, when they are held, and when a person takes one of them back?"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.store import due, holds, suspicions
from reconciler.views.pictures import pictures
from reconciler.views.standings import standings
from tests.integration.test_groups import PAIR, app, begin, group, publish, runs, said
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_one_in_the_middle_of_a_rollout_goes_back_with_the_other(world: World) -> None:
    check = {"name": "smoke", "run": ["/bin/sh", "-c", f"test ! -e {world.directory}/broken"]}
    slow = {"steps": [10, 100], "interval": "1h"}
    begin(world, target={"type": "directory", "path": "releases/live"})
    world.commit(
        "Slowly",
        {
            "shop.yaml": app("shop", {"rollout": slow}),
            "basket.yaml": app("basket", {"rollout": {**slow, "interval": "10m", "checks": [check]}}),
        },
    )
    world.settle()
    publish(world, *PAIR)
    assert runs(world) == [1, 1]
    (world.directory / "broken").touch()
    world.later(minutes=10)
    world.settle()
    assert world.story("live", "basket")[-1][0] == "auto-rollback"
    assert runs(world) == [1, 1]
    share = json.loads((world.directory / "state/releases/live/shop/traffic.json").read_text())
    assert [(part["number"], part["percent"]) for part in share] == [(1, 100)]
    assert [one for one, _ in said(world, "shop")] == ["group"]


def test_one_that_comes_step_by_step_is_waited_for_until_it_is_there(world: World) -> None:
    begin(world, target={"type": "directory", "path": "releases/live"})
    world.commit("Slowly", {"shop.yaml": app("shop", {"rollout": {"steps": [10, 100], "interval": "1h"}})})
    world.settle()
    publish(world, *PAIR)
    publish(world, "basket", text="three")
    assert runs(world) == [2, 1]
    ((what, detail),) = said(world, "basket")
    assert what == "group"
    assert "shop: deployment 2 (v2) is still to complete" in detail
    world.later(hours=1)
    world.settle()
    assert runs(world) == [3, 2]


def held(world: World) -> list[str]:
    with world.running() as found, found.database.read() as connection:
        return sorted(row.app for row in holds.of(connection, PAIR))


def test_a_hold_of_both_ends_when_both_move_again(world: World) -> None:
    begin(world)
    publish(world, *PAIR, broken="basket")
    assert held(world) == ["basket", "shop"]
    world.commit("Colour", {"shop.yaml": app("shop", {"config": {"colour": "red"}})})
    world.settle()
    assert held(world) == ["basket", "shop"]
    assert world.history("shop", "live")[-1].config == {"colour": "red"}
    world.commit("Mend", {"basket/broken": None, "basket/index.html": "three"})
    world.settle()
    assert held(world) == []
    assert runs(world) == [3, 2]


def test_one_that_a_person_rolls_back_takes_the_other_along(world: World) -> None:
    begin(world)
    publish(world, *PAIR)
    left = world.history("basket", "live")[-1]
    good = [{"version": p.version, "number": p.number, "percent": 100.0} for p in world.history("basket")[0].traffic]
    with world.running() as found, found.database.write() as transaction:
        bad = [part.version for part in left.traffic]
        suspicions.note(transaction, left, left.subject, bad, world.now, "was rolled back")
        holds.hold(
            transaction,
            "basket",
            "live",
            "ann@example.com",
            "slow",
            world.now,
            traffic=good,
            deployment=left.id,
            version=bad[0],
        )
        due.mark(transaction, ["basket"], world.now)
    world.settle()
    assert runs(world) == [1, 1]
    assert world.story("live", "shop")[-1] == ("rollback", "completed", [1])
    assert "basket went back" in world.history("shop", "live")[-1].reason
    assert [what for what, _ in said(world, "shop")] == ["group"]


def test_status_and_the_dry_run_say_the_same_as_the_reconciler_does(world: World) -> None:
    begin(world)
    world.commit("Soak", {"basket.yaml": app("basket", {"gates": {"soak": "1h"}})})
    publish(world, *PAIR)
    with world.running() as found, found.database.read() as connection:
        (picture,) = pictures(connection, ["shop"], world.now)
        (later,) = pictures(connection, ["shop"], world.now + timedelta(hours=1))
    assert [one.waits_for for one in picture.plan.waiting] == ["group"]
    (standing,) = [one for one in standings(picture, world.now) if one.environment == "live"]
    assert standing.desired is not None
    assert standing.desired.traffic is not None
    assert [part.number for part in standing.desired.traffic] == [1]
    assert [action.environment for action in later.plan.actions] == ["live"]


def test_an_app_that_nobody_knows_holds_nobody(world: World) -> None:
    begin(world)
    world.commit("Typo", {"group.yaml": group("shop", "baskt")})
    publish(world, "shop")
    assert runs(world) == [1, 2]


def test_an_app_that_leaves_git_holds_nobody(world: World) -> None:
    begin(world)
    world.commit("Leave", {"basket.yaml": None})
    publish(world, "shop")
    assert runs(world, apps=("shop",)) == [2]
