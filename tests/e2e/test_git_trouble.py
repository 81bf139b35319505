"""What happens when git is away, or says something else than before?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reconciler.store import repository
from tests.e2e.daemon import Live, environment_manifest
from tests.world import CHAIN, World, app_manifest, season_manifest


def test_git_may_go_and_come_back_and_the_clock_still_counts(live: Live) -> None:
    live.settings["repository"]["interval"] = "1s"
    live.start_repository(config={"greeting": "Hello"})
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    start = datetime.now(UTC) + timedelta(seconds=2)
    until = start + timedelta(days=1)
    season = season_manifest("sale", start.isoformat(), until.isoformat(), config={"greeting": "Sale"})
    live.commit("Season", {"sale.yaml": season})
    live.wait_for(lambda: noted(live) == live.repo.head, "the season is noted")
    away = live.home.path.with_name("away.git")
    live.home.path.rename(away)
    live.wait_for(lambda: "git.unreachable" in live.log, "it is said that git is away")
    live.wait_for(lambda: live.facts("live")["config"]["greeting"] == "Sale", "the season begins all the same")
    away.rename(live.home.path)
    live.wait_for(lambda: "git.answers" in live.log, "it is said that git is back")
    assert [len(live.history("shop", environment)) for environment in CHAIN] == [1, 1, 2]
    live.commit("Two", {"shop/index.html": "two"})
    live.wait_for(lambda: live.everywhere("two"), "the next push runs everywhere")


def test_nothing_is_redeployed_when_the_daemon_starts_without_git(world: World) -> None:
    world.start_repository()
    world.settle()
    away = world.home.path.with_name("away.git")
    world.home.path.rename(away)
    world.later(days=1)
    world.settle()
    away.rename(world.home.path)
    world.later(days=1)
    world.settle()
    assert len(world.history()) == 3


def test_a_forced_push_is_held_until_a_person_accepts_it(live: Live) -> None:
    first = live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    live.commit("Two", {"shop/index.html": "two"})
    live.wait_for(lambda: live.everywhere("two"), "the second version runs everywhere")
    live.repo.force(first)
    forced = live.commit("Old code", {"README.md": "quietly"}, push=False)
    live.repo.force(forced)
    live.wait_for(lambda: held(live) == forced, "the forced head is held")
    assert live.everywhere("two")
    assert [len(live.history("shop", environment)) for environment in CHAIN] == [2, 2, 2]
    live.wish("accept", subject=forced)
    live.wait_for(lambda: live.everywhere("one"), "what was accepted runs everywhere")
    assert live.story("sandbox")[-1] == ("restore", "completed", [1])
    assert held(live) is None
    live.commit("Three", {"shop/index.html": "three"})
    live.wait_for(lambda: live.everywhere("three"), "ordinary commits go on")


def held(live: Live) -> str | None:
    """The head that waits for a person."""
    with live.store.read() as connection:
        place = repository.followed(connection)
    return place.held_head if place else None


def noted(live: Live) -> str | None:
    """The newest commit in force."""
    with live.store.read() as connection:
        place = repository.followed(connection)
    return place.head if place else None


def test_a_forced_push_that_is_taken_back_needs_nobody(world: World) -> None:
    first = world.start_repository()
    world.settle()
    second = world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    world.repo.force(first)
    world.settle()
    assert world.runs("live") == "two"
    world.repo.force(second)
    world.settle()
    world.commit("Three", {"shop/index.html": "three"})
    world.settle()
    assert world.runs("live") == "three"
    assert len(world.history("shop", "live")) == 3


def test_rewrites_may_be_allowed(world: World) -> None:
    world.settings["repository"]["allow_rewrites"] = True
    first = world.start_repository()
    world.settle()
    world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    world.repo.force(first)
    world.settle()
    assert world.runs("live") == "one"


def test_a_broken_file_stops_only_its_own_apps_until_it_is_mended(live: Live) -> None:
    live.start_repository()
    live.commit("Another", {"other.yaml": app_manifest("other"), "other/index.html": "one"})
    live.start()
    live.wait_for(lambda: live.everywhere("one", "shop", "other"), "both run everywhere")
    live.commit(
        "Typo", {"shop.yaml": app_manifest(bundlee="shop"), "shop/index.html": "two", "other/index.html": "two"}
    )
    live.wait_for(lambda: live.everywhere("two", "other"), "the other app goes on")
    (complaint,) = live.complaints()
    assert complaint.startswith("shop.yaml:1:")
    assert "bundlee" in complaint
    assert live.everywhere("one")
    live.commit("Mend", {"shop.yaml": app_manifest()})
    live.wait_for(lambda: live.everywhere("two"), "the mended app goes on")
    assert live.complaints() == []


def test_a_broken_file_is_never_pruned(world: World) -> None:
    world.commit(
        "Begin",
        {
            "environments.yaml": environment_manifest("live", "latest", prune=True),
            "shop.yaml": app_manifest(environments=["live"]),
            "shop/index.html": "one",
        },
    )
    world.settle()
    world.commit("Break", {"shop.yaml": "apiVersion: reconciler/v1\nkind: App\n  metadata: oops\n"})
    world.settle()
    assert world.runs("live") == "one"
    assert len(world.history()) == 1
    assert world.complaints()[0].startswith("shop.yaml:")
