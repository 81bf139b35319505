"""Does a season hold exactly between its edges, over whatever lies beneath it?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.daemon import Live
from tests.world import World, app_manifest, season_manifest

GREETING = {"greeting": "Hello"}


def season(world: World, start: float, until: float, **spec: Any) -> str:
    """A season for live between two moments, in hours from now."""
    first, last = (world.now + timedelta(hours=hours) for hours in (start, until))
    return season_manifest("sale", first.isoformat(), last.isoformat(), **spec)


def begin(world: World) -> None:
    world.start_repository(config=GREETING)
    world.settle()


def greeting(world: World, environment: str = "live") -> object:
    return world.facts(environment)["config"]["greeting"]


def test_a_season_with_a_hot_fix_inside_begins_and_ends_by_itself(live: Live) -> None:
    live.start_repository(config=GREETING)
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    start = datetime.now(UTC) + timedelta(seconds=1.5)
    until = start + timedelta(seconds=2.5)
    config = {"greeting": "Merry Christmas"}
    live.commit("Season", {"sale.yaml": season_manifest("sale", start.isoformat(), until.isoformat(), config=config)})
    live.wait_for(lambda: greeting(live) == "Merry Christmas", "the season has begun")
    assert datetime.now(UTC) >= start
    live.commit("[HOTFIX] Two", {"shop/index.html": "two"})
    live.wait_for(lambda: live.runs("live") == "two", "the hot-fix is live within the season")
    assert greeting(live) == "Merry Christmas"
    live.wait_for(lambda: greeting(live) == "Hello", "the season is over")
    assert datetime.now(UTC) >= until
    live.wait_for(lambda: live.story("live")[-1][1] == "completed", "it is recorded")
    assert live.runs("live") == "two"
    assert [(cause, numbers) for cause, _, numbers in live.story("live")] == [
        ("promotion", [1]),
        ("season-start", [1]),
        ("promotion", [2]),
        ("season-end", [2]),
    ]
    assert len(live.versions()) == 2
    assert [cause for cause, _, _ in live.story("sandbox")] == ["release", "release"]


def test_a_season_that_pins_a_version_gives_way_to_what_was_fixed_beneath_it(world: World) -> None:
    begin(world)
    world.commit("Lights", {"shop/index.html": "lights"})
    world.settle()
    world.commit("No lights", {"shop/index.html": "plain"})
    world.settle()
    world.commit("Season", {"sale.yaml": season(world, 1, 5, version="v2")})
    world.settle()
    world.later(hours=1)
    world.settle()
    assert (world.runs("pre-release"), world.runs("live")) == ("plain", "lights")
    world.commit("Fix", {"shop/index.html": "fixed"})
    world.settle()
    assert (world.runs("pre-release"), world.runs("live")) == ("fixed", "lights")
    world.later(hours=4)
    world.settle()
    assert world.runs("live") == "fixed"
    assert world.story("live")[-2:] == [("season-start", "completed", [2]), ("season-end", "completed", [4])]


def test_a_season_that_began_while_the_daemon_was_down_is_caught_up_once(world: World) -> None:
    begin(world)
    world.commit("Season", {"sale.yaml": season(world, 1, 48, config={"greeting": "Sale"})})
    world.settle()
    world.later(hours=3)
    world.settle()
    world.settle()
    assert greeting(world) == "Sale"
    assert [d.cause for d in world.history("shop", "live")] == ["promotion", "season-start"]
    assert world.history("shop", "live")[-1].late_by_seconds == 7200


def test_a_season_that_came_and_went_while_the_daemon_was_down_leaves_no_trace(world: World) -> None:
    begin(world)
    world.commit("Season", {"sale.yaml": season(world, 1, 2, config={"greeting": "Sale"})})
    world.settle()
    world.later(hours=3)
    world.settle()
    assert greeting(world) == "Hello"
    assert len(world.history("shop", "live")) == 1


def test_an_end_missed_while_the_daemon_was_down_is_caught_up_with_its_lateness(world: World) -> None:
    begin(world)
    world.commit("Season", {"sale.yaml": season(world, 0, 2, config={"greeting": "Sale"})})
    world.settle()
    assert greeting(world) == "Sale"
    world.later(hours=2, minutes=1)
    world.settle()
    assert greeting(world) == "Hello"
    newest = world.history("shop", "live")[-1]
    assert (newest.cause, newest.late_by_seconds) == ("season-end", 60)


def test_the_season_of_higher_priority_lies_over_the_other_and_null_deletes(world: World) -> None:
    begin(world)
    world.commit(
        "Two seasons",
        {
            "low.yaml": season(world, 0, 9, config={"greeting": "Sale", "banner": "big"}),
            "high.yaml": season(world, 0, 5, config={"greeting": None}, priority=5).replace("sale", "high"),
        },
    )
    world.settle()
    assert world.facts("live")["config"] == {"banner": "big"}
    world.later(hours=5)
    world.settle()
    assert world.facts("live")["config"] == {"greeting": "Sale", "banner": "big"}
    world.later(hours=4)
    world.settle()
    assert world.facts("live")["config"] == GREETING


@pytest.mark.parametrize("hours", [0, 1])
def test_reverting_the_commit_that_added_a_season_ends_or_cancels_it(world: World, hours: int) -> None:
    begin(world)
    added = world.commit("Season", {"sale.yaml": season(world, hours, 48, config={"greeting": "Sale"})})
    world.settle()
    revert = world.repo.revert(added)
    world.repo.push()
    world.settle()
    assert greeting(world) == "Hello"
    if hours == 0:
        newest = world.history("shop", "live")[-1]
        assert (newest.cause, newest.commit, newest.reverts) == ("rollback", revert, (added,))
    world.later(hours=2)
    world.settle()
    assert greeting(world) == "Hello"
    assert len(world.history("shop", "live")) == (3 if hours == 0 else 1)


def test_a_season_that_is_taken_out_of_git_without_a_revert_ends_as_an_ordinary_change(world: World) -> None:
    begin(world)
    world.commit("Season", {"sale.yaml": season(world, 0, 48, config={"greeting": "Sale"})})
    world.settle()
    removed = world.commit("Enough", {"sale.yaml": None})
    world.settle()
    newest = world.history("shop", "live")[-1]
    assert (greeting(world), newest.cause, newest.commit) == ("Hello", "release", removed)


def test_a_rollback_within_a_season_keeps_the_seasons_settings(world: World) -> None:
    begin(world)
    world.commit("Season", {"sale.yaml": season(world, 0, 48, config={"greeting": "Sale"})})
    change = world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    world.repo.revert(change)
    world.repo.push()
    world.settle()
    assert (world.runs("live"), greeting(world)) == ("one", "Sale")
    world.later(hours=48)
    world.settle()
    assert (world.runs("live"), greeting(world)) == ("one", "Hello")


def test_a_season_by_label_covers_an_app_that_comes_later(world: World) -> None:
    begin(world)
    given = season(world, 0, 48, config={"greeting": "Sale"}, apps={"team": "web"})
    world.commit("Season", {"sale.yaml": given})
    world.settle()
    assert greeting(world) == "Hello"
    manifest = app_manifest(config=GREETING).replace('"name": "shop"}', '"name": "shop", "labels": {"team": "web"}}')
    world.commit("Label", {"shop.yaml": manifest})
    world.settle()
    assert greeting(world) == "Sale"
    assert greeting(world, "sandbox") == "Hello"


def test_a_scheduled_moment_after_a_cancelled_season_is_told_as_what_it_is(world: World) -> None:
    begin(world)
    world.commit("Two", {"shop/index.html": "two"})
    moment = (world.now + timedelta(hours=2)).isoformat()
    entries = {"sandbox": {}, "pre-release": {}, "live": {"schedule": [{"at": moment, "version": "v1"}]}}
    world.commit("Back at two", {"shop.yaml": app_manifest(config=GREETING, environments=entries)})
    world.settle()
    added = world.commit("Season", {"sale.yaml": season(world, 20, 48, config={"greeting": "Sale"})})
    world.repo.revert(added)
    world.repo.push()
    world.later(hours=2)
    world.settle()
    assert world.story("live")[-1] == ("schedule", "completed", [1])
