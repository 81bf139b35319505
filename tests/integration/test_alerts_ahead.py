"""Scheduled changes are told before they come, once each; and once more when they are called off or moved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.receiver import Receiver, receiving
from tests.telling import alert, settle_and_tell, to
from tests.world import ENVIRONMENTS, World, app_manifest, season_manifest


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def begin(world: World, receiver: Receiver, **spec: object) -> None:
    url = to(world, f"json://127.0.0.1:{receiver.port}/")
    told = alert(url, **{"events": ["change-ahead"], "ahead": "24h", **spec})
    files = {"environments.yaml": ENVIRONMENTS, "shop.yaml": app_manifest(config={"greeting": "hello"})}
    world.commit("Begin", {**files, "shop/index.html": "one", "alert.yaml": told})
    settle_and_tell(world)


def season(start: str, until: str) -> str:
    return season_manifest("sale", start, until, config={"greeting": "buy"})


def titles(receiver: Receiver) -> list[str]:
    return [request.json["title"] for request in receiver.requests]


def test_a_season_is_told_a_day_before_it_begins_with_its_difference_and_the_way_out(world: World) -> None:
    with receiving() as receiver:
        begin(world, receiver)
        world.commit("Season", {"sale.yaml": season("2026-06-03T12:00", "2026-06-09T12:00")})
        assert settle_and_tell(world) == 0
        world.later(hours=24)
        assert settle_and_tell(world) == 1
        assert settle_and_tell(world) == 0
        world.later(hours=23, minutes=59)
        assert settle_and_tell(world) == 0
        world.later(minutes=2)
        assert settle_and_tell(world) == 0
        assert world.facts("live")["config"] == {"greeting": "buy"}
        world.later(days=5)
        assert settle_and_tell(world) == 1
    starts, ends = receiver.requests
    assert starts.json["title"] == "shop in live changes at 2026-06-03T12:00:00Z: season-start sale"
    assert "hello" in starts.json["message"]
    assert "buy" in starts.json["message"]
    assert "remove the season at sale.yaml:1" in starts.json["message"]
    assert "season-end sale" in ends.json["title"]


def test_what_is_called_off_afterwards_is_told_once(world: World) -> None:
    with receiving() as receiver:
        begin(world, receiver)
        world.commit("Season", {"sale.yaml": season("2026-06-02T00:00", "2026-06-09T12:00")})
        settle_and_tell(world)
        world.commit("Off", {"sale.yaml": None})
        settle_and_tell(world)
        settle_and_tell(world)
        assert titles(receiver)[1:] == ["called off: season-start sale of shop in live at 2026-06-02T00:00:00Z"]
        world.commit("On again", {"sale.yaml": season("2026-06-02T00:00", "2026-06-09T12:00")})
        settle_and_tell(world)
    assert titles(receiver)[0] == titles(receiver)[2]
    assert len(receiver.requests) == 3


def test_what_is_moved_afterwards_is_told_once_with_both_moments(world: World) -> None:
    with receiving() as receiver:
        begin(world, receiver)
        world.commit("Season", {"sale.yaml": season("2026-06-02T00:00", "2026-06-09T12:00")})
        settle_and_tell(world)
        world.commit("Later", {"sale.yaml": season("2026-06-02T06:00", "2026-06-09T12:00")})
        settle_and_tell(world)
        world.commit("Much later", {"sale.yaml": season("2026-06-05T06:00", "2026-06-09T12:00")})
        settle_and_tell(world)
        world.later(days=2, hours=20)
        settle_and_tell(world)
    assert titles(receiver) == [
        "shop in live changes at 2026-06-02T00:00:00Z: season-start sale",
        "moved: season-start sale of shop in live from 2026-06-02T00:00:00Z to 2026-06-02T06:00:00Z",
        "moved: season-start sale of shop in live from 2026-06-02T06:00:00Z to 2026-06-05T06:00:00Z",
        "shop in live changes at 2026-06-05T06:00:00Z: season-start sale",
    ]


def test_a_scheduled_entry_is_told_with_the_line_that_calls_it_off(world: World) -> None:
    with receiving() as receiver:
        begin(world, receiver, environments=["live"])
        entry = {"schedule": [{"at": "2026-06-02T09:00Z", "config": {"greeting": "later"}}]}
        environments = {"sandbox": entry, "pre-release": {}, "live": entry}
        shop = json.loads(app_manifest(config={"greeting": "hello"}))
        shop["spec"]["environments"] = environments
        world.commit("Schedule", {"shop.yaml": json.dumps(shop, indent=1)})
        assert settle_and_tell(world) == 1
    (one,) = receiver.requests
    assert one.json["title"].startswith("shop in live changes at 2026-06-02T09:00:00Z: schedule")
    assert "remove the entry at shop.yaml:" in one.json["message"]


def test_an_alert_that_looks_elsewhere_from_now_on_calls_nothing_off(world: World) -> None:
    with receiving() as receiver:
        begin(world, receiver)
        world.commit("Season", {"sale.yaml": season("2026-06-02T00:00", "2026-06-09T12:00")})
        settle_and_tell(world)
        url = to(world, f"json://127.0.0.1:{receiver.port}/")
        world.commit(
            "Elsewhere", {"alert.yaml": alert(url, events=["change-ahead"], ahead="24h", environments=["sandbox"])}
        )
        settle_and_tell(world)
    assert len(receiver.requests) == 1
