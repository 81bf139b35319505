"""Does what is pushed run, in every environment, as the version that it is, and no more often than asked?"""

from __future__ import annotations

import json

from tests.e2e.daemon import Live
from tests.world import CHAIN, World, app_manifest


def test_a_release_goes_through_three_environments(typed: Live) -> None:
    typed.start_repository()
    typed.start()
    typed.wait_for(lambda: typed.everywhere("one"), "the first version runs everywhere")
    typed.commit("Two", {"shop/index.html": "two"})
    typed.wait_for(lambda: typed.everywhere("two"), "the second version runs everywhere")

    typed.terminate()

    assert typed.story("sandbox") == [("release", "completed", [1]), ("release", "completed", [2])]
    for environment in ("pre-release", "live"):
        assert typed.story(environment) == [("promotion", "completed", [1]), ("promotion", "completed", [2])]
    newest = typed.history("shop", "live")[-1]
    facts = typed.facts("live")
    assert facts["deployment"] == newest.id
    assert (facts["number"], facts["cause"], facts["commit"]) == (2, "promotion", typed.repo.head)
    assert newest.reason == "v2 completed in pre-release"


def test_two_commits_in_one_push_make_two_versions_and_the_newest_is_deployed(live: Live) -> None:
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    live.commit("Two", {"shop/index.html": "two"}, push=False)
    live.commit("[HOTFIX] Three", {"shop/index.html": "three"}, push=False)
    live.repo.push()
    live.wait_for(lambda: live.everywhere("three"), "the newest runs everywhere")

    assert [(v.number, v.message, v.tags) for v in live.versions()] == [
        (1, "Begin", ()),
        (2, "Two", ()),
        (3, "[HOTFIX] Three", ("HOTFIX",)),
    ]
    assert [numbers for _, _, numbers in live.story("sandbox")] == [[1], [3]]


def test_a_trigger_change_reaches_the_target_without_version_or_deployment(live: Live) -> None:
    live.start_repository(triggers={"routes": ["a.example.com/*"]})
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")

    def routes(environment: str) -> list[str]:
        found: list[str] = json.loads((live.released(environment).parent / "triggers.json").read_text())["routes"]
        return found

    live.wait_for(lambda: all(routes(e) == ["a.example.com/*"] for e in CHAIN), "the first routes are there")
    live.commit("Route", {"shop.yaml": app_manifest(triggers={"routes": ["b.example.com/*"]})})
    live.wait_for(lambda: all(routes(e) == ["b.example.com/*"] for e in CHAIN), "the new routes are there")

    assert len(live.versions()) == 1
    assert len(live.history()) == 3


def test_triggers_that_are_taken_away_are_taken_from_the_target(world: World) -> None:
    world.start_repository(triggers={"crons": ["*/5 * * * *"]})
    world.settle()
    world.commit("No more", {"shop.yaml": app_manifest()})
    world.settle()
    assert json.loads((world.released("live").parent / "triggers.json").read_text())["crons"] == []


def test_an_environments_own_setting_is_a_deployment_there_and_no_version(live: Live) -> None:
    live.start_repository(config={"log_level": "info"})
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    entries = {"sandbox": {}, "pre-release": {}, "live": {"config": {"log_level": "warn"}}}
    change = live.commit("Quiet", {"shop.yaml": app_manifest(config={"log_level": "info"}, environments=entries)})
    live.wait_for(lambda: live.facts("live")["config"] == {"log_level": "warn"}, "the setting is live")

    assert len(live.versions()) == 1
    assert live.facts("sandbox")["config"] == {"log_level": "info"}
    assert len(live.history("shop", "sandbox")) == 1
    second = live.history("shop", "live")[1]
    assert (second.cause, second.commit, second.reason) == ("release", change, f"{change[:10]} asks for v1: Quiet")


def test_content_that_was_there_before_is_the_same_version_and_a_restore(world: World) -> None:
    world.start_repository()
    world.settle()
    for text in ("two", "one", "two"):
        world.commit(f"Toggle {text}", {"shop/index.html": text})
        world.settle()
    assert world.story("sandbox") == [
        ("release", "completed", [1]),
        ("release", "completed", [2]),
        ("restore", "completed", [1]),
        ("restore", "completed", [2]),
    ]
    assert [cause for cause, _, _ in world.story("live")] == ["promotion"] * 4
    assert len(world.versions()) == 2


def test_an_app_that_depends_on_another_is_deployed_after_it(world: World) -> None:
    world.start_repository(depends_on=["payments"])
    world.commit("Payments", {"payments.yaml": app_manifest("payments"), "payments/pay": "1"}, push=False)
    world.commit("Both", {"payments/pay": "2", "shop/index.html": "two"})
    world.settle()
    for environment in CHAIN:
        shop, payments = (world.history(app, environment)[-1] for app in ("shop", "payments"))
        assert shop.started_at is not None
        assert payments.finished_at is not None
        order = [d.app for d in world.history(None, environment)]  # type: ignore[arg-type]
        assert order.index("payments") < order.index("shop")
        assert world.runs(environment) == "two"
