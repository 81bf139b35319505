"""Do apps of a group enter, wait and go back together, in a world with real git and real files?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.store import attention, declared
from reconciler.views.planning import plan_apps
from reconciler.views.scene import scene_of
from tests.world import World, app_manifest

FAILS_WHEN_BROKEN = "test ! -e broken"
PAIR = ("basket", "shop")


def manifest(kind: str, name: str, spec: dict[str, Any]) -> str:
    return json.dumps({"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})


def group(*apps: str, name: str = "checkout", environments: Sequence[str] = ("live",)) -> str:
    return manifest("Group", name, {"apps": list(apps), "environments": list(environments)})


def environments(sandbox: dict[str, Any] | None = None, **live: Any) -> str:
    once = {"retry": {"limit": 0}}
    target = {"type": "exec", "command": ["/bin/sh", "-c", FAILS_WHEN_BROKEN]}
    body = {"track": "sandbox", "target": target, **once, **live}
    first = {"track": "latest", "target": sandbox or {"type": "directory", "path": "releases/sandbox"}, **once}
    return f"{manifest('Environment', 'sandbox', first)}\n---\n{manifest('Environment', 'live', body)}"


def app(name: str, live: dict[str, Any] | None = None, **spec: Any) -> str:
    return app_manifest(name, environments={"sandbox": {}, "live": live or {}}, **spec)


def begin(world: World, apps: Sequence[str] = PAIR, **live: Any) -> None:
    """The apps in two environments, and in one group for live; version 1 of each runs."""
    files: dict[str, str | bytes | None] = {"environments.yaml": environments(**live), "group.yaml": group(*apps)}
    for name in apps:
        files |= {f"{name}.yaml": app(name), f"{name}/index.html": "one"}
    world.commit("Begin", files)
    world.settle()
    for name in apps:
        assert world.story("live", name) == [("promotion", "completed", [1])]


def publish(world: World, *apps: str, text: str = "two", broken: str | None = None) -> str:
    """New content; the app that is named `broken` fails in live."""
    files: dict[str, str | bytes | None] = {f"{name}/index.html": text for name in apps}
    if broken:
        files[f"{broken}/broken"] = ""
    made = world.commit(f"Publish {text}", files)
    world.settle()
    return made


def revert(world: World, commit: str) -> None:
    world.repo.revert(commit)
    world.repo.push()
    world.settle()


def runs(world: World, environment: str = "live", apps: Sequence[str] = PAIR) -> list[int]:
    """The version that completed last, by app."""
    return [[v for _, status, v in world.story(environment, name) if status == "completed"][-1][0] for name in apps]


def said(world: World, name: str) -> list[tuple[str, str]]:
    """What an app waits for and what is refused in live; nothing is left to be done for anybody, and `plan` looks at
    whoever has something to say."""
    with world.running() as found, found.database.read() as connection:
        names = declared.app_names(connection)
        plans: dict[str, Any] = {}
        for batch in plan_apps(connection, names, scene_of(connection), world.now):
            plans |= batch
        attended = attention.with_something_to_say(connection)
    assert attended >= {app for app, plan in plans.items() if plan.waiting or plan.refused}
    assert not [action for plan in plans.values() for action in plan.actions]
    mine = [(one.waits_for, one.detail) for one in plans[name].waiting if one.environment == "live"]
    return mine + [(one.rule, one.detail) for one in plans[name].refused if one.environment == "live"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_two_apps_enter_in_the_same_moment_and_bear_the_same_mark(world: World) -> None:
    begin(world)
    publish(world, *PAIR)
    basket, shop = (world.history(name, "live")[-1] for name in PAIR)
    assert (basket.status, shop.status) == ("completed", "completed")
    assert basket.created_at == shop.created_at
    assert basket.grounds.move == shop.grounds.move != ""
    assert shop.grounds.moved_with == PAIR
    assert said(world, "shop") == []


def test_one_with_nothing_new_holds_nobody(world: World) -> None:
    begin(world)
    publish(world, "shop")
    assert runs(world) == [1, 2]
    assert world.history("shop", "live")[-1].grounds.move == ""


def test_one_that_is_ready_waits_for_one_that_soaks(world: World) -> None:
    begin(world)
    world.commit("Soak", {"basket.yaml": app("basket", {"gates": {"soak": "1h"}})})
    world.settle()
    publish(world, *PAIR)
    assert runs(world) == [1, 1]
    ((what, detail),) = said(world, "shop")
    assert what == "group"
    assert detail == "v2 waits for the group checkout: basket: v2 soaks in sandbox for 1h"
    world.later(minutes=59)
    world.settle()
    assert runs(world) == [1, 1]
    world.later(minutes=1)
    world.settle()
    assert runs(world) == [2, 2]
    assert len({world.history(name, "live")[-1].created_at for name in PAIR}) == 1
    assert said(world, "shop") == []


def test_newer_versions_every_minute_starve_nobody(world: World) -> None:
    begin(world)
    world.commit("Soak", {"basket.yaml": app("basket", {"gates": {"soak": "5m"}})})
    world.settle()
    for minute in range(12):
        publish(world, *PAIR, text=f"text {minute}")
        world.later(minutes=1)
        world.settle()
    basket, shop = runs(world)
    assert basket >= 5
    assert shop >= 5


def test_settings_are_not_held_while_versions_wait(world: World) -> None:
    begin(world)
    world.commit("Soak", {"basket.yaml": app("basket", {"gates": {"soak": "1h"}})})
    world.settle()
    publish(world, *PAIR)
    world.commit("Colour", {"shop.yaml": app("shop", {"config": {"colour": "red"}})})
    world.settle()
    last = world.history("shop", "live")[-1]
    assert ([p.number for p in last.traffic], last.config) == ([1], {"colour": "red"})
    assert [what for what, _ in said(world, "shop")] == ["group"]


def test_when_one_fails_both_go_back_and_stay_there(world: World) -> None:
    begin(world)
    publish(world, *PAIR, broken="basket")
    assert world.story("live", "basket")[1:] == [("promotion", "failed", [2]), ("auto-rollback", "completed", [1])]
    assert world.story("live", "shop")[1:] == [("promotion", "completed", [2]), ("auto-rollback", "completed", [1])]
    entered, back = world.history("shop", "live")[1:]
    assert back.rolled_back_from == entered.id
    assert back.reason == (
        "basket went back (v2 failed (deployment 2): back to v1), and v2 moved with it in the group checkout: "
        "back to v1"
    )
    ((what, detail),) = said(world, "shop")
    assert what == "group"
    assert "v2 went back together with basket" in detail
    assert [what for what, _ in said(world, "basket")] == ["suspect"]
    for _ in range(2):
        world.later(hours=2)
        world.settle()
    assert runs(world) == [1, 1]


def test_the_next_version_of_the_one_that_failed_takes_the_other_along(world: World) -> None:
    begin(world)
    publish(world, *PAIR, broken="basket")
    world.commit("Mend", {"basket/broken": None, "basket/index.html": "three"})
    world.settle()
    assert runs(world) == [3, 2]
    assert said(world, "shop") == said(world, "basket") == []
    assert len({world.history(name, "live")[-1].grounds.move for name in PAIR}) == 1


def test_a_newer_version_of_the_other_waits_while_one_is_suspect(world: World) -> None:
    begin(world)
    publish(world, *PAIR, broken="basket")
    publish(world, "shop", text="three")
    assert runs(world) == [1, 1]
    ((what, detail),) = said(world, "shop")
    assert what == "group"
    assert "basket: v2 failed here" in detail


def test_another_try_that_a_person_asks_for_goes_alone(world: World) -> None:
    begin(world)
    publish(world, *PAIR, broken="basket")
    entered = world.history("shop", "live")[1]
    world.wish("retry", app="shop", environment="live", subject=entered.id)
    world.settle()
    assert runs(world) == [1, 2]
    world.settle()
    assert runs(world) == [1, 2]


def test_where_failures_are_held_nobody_goes_back(world: World) -> None:
    begin(world, on_failure="hold")
    publish(world, *PAIR, broken="basket")
    assert world.story("live", "basket")[-1] == ("promotion", "failed", [2])
    assert runs(world) == [1, 2]
    assert said(world, "shop") == []


def test_a_revert_of_one_takes_both_back(world: World) -> None:
    begin(world)
    world.repo.write({"basket/index.html": "two"})
    change = world.repo.commit("Basket two")
    world.repo.write({"shop/index.html": "two"}).commit("Shop two")
    world.repo.push()
    world.settle()
    assert runs(world) == [2, 2]
    revert(world, change)
    assert runs(world) == [1, 1]
    assert runs(world, "sandbox") == [1, 2]
    assert [d.cause for d in world.history("shop", "live")] == ["promotion", "promotion", "rollback"]
    assert [what for what, _ in said(world, "shop")] == ["group"]
    publish(world, "shop", text="three")
    assert runs(world) == [1, 3]


def test_one_that_is_pinned_stays_where_a_person_put_it(world: World) -> None:
    begin(world)
    world.repo.write({"basket/index.html": "two"})
    change = world.repo.commit("Basket two")
    world.repo.write({"shop/index.html": "two"}).commit("Shop two")
    world.repo.push()
    world.settle()
    world.commit("Pin", {"shop.yaml": app("shop", {"version": "v2"})})
    world.settle()
    revert(world, change)
    assert runs(world) == [1, 2]


def test_settings_that_changed_after_the_move_do_not_hide_it(world: World) -> None:
    begin(world)
    publish(world, "shop")
    world.repo.write({"basket/index.html": "two"})
    change = world.repo.commit("Basket two")
    world.repo.write({"shop/index.html": "three"}).commit("Shop three")
    world.repo.push()
    world.settle()
    assert runs(world) == [2, 3]
    world.commit("Colour", {"shop.yaml": app("shop", {"config": {"colour": "red"}})})
    world.settle()
    revert(world, change)
    assert runs(world) == [1, 2]
    assert world.history("shop", "live")[-1].config == {"colour": "red"}


def test_a_pause_of_one_holds_both(world: World) -> None:
    begin(world)
    until = world.now + timedelta(hours=1)
    world.wish("pause", app="basket", environment="live", reason="stock-taking", until=until)
    publish(world, "shop")
    ((what, detail),) = said(world, "shop")
    assert what == "group"
    assert "basket: paused by ann@example.com: stock-taking" in detail
    world.later(hours=1)
    world.settle()
    assert runs(world) == [1, 2]


def test_a_broken_file_of_one_holds_both(world: World) -> None:
    begin(world)
    world.commit("Break", {"basket.yaml": app("basket", colour="red")})
    publish(world, "shop")
    ((what, detail),) = said(world, "shop")
    assert what == "group"
    assert "basket.yaml:1" in detail
    world.commit("Mend", {"basket.yaml": app("basket")})
    world.settle()
    assert runs(world) == [1, 2]


def test_members_that_depend_on_each_other_follow_in_one_move(world: World) -> None:
    begin(world)
    world.commit("Depend", {"shop.yaml": app("shop", depends_on=["basket"])})
    world.settle()
    publish(world, *PAIR)
    basket, shop = (world.history(name, "live")[-1] for name in PAIR)
    assert runs(world) == [2, 2]
    assert basket.finished_at is not None
    assert shop.created_at >= basket.finished_at
    assert shop.grounds.move == basket.grounds.move != ""
    publish(world, *PAIR, text="three", broken="shop")
    assert runs(world) == [2, 2]


def test_members_that_begin_together_and_depend_on_each_other_do_not_wait_forever(world: World) -> None:
    files: dict[str, str | bytes | None] = {
        "environments.yaml": environments(),
        "group.yaml": group("basket", "shop"),
        "basket.yaml": app("basket"),
        "pay.yaml": app("pay", depends_on=["basket"]),
        "shop.yaml": app("shop", depends_on=["pay"]),
    }
    files |= {f"{name}/index.html": "one" for name in ("basket", "pay", "shop")}
    world.commit("Begin", files)
    world.settle()
    assert runs(world, apps=("basket", "pay", "shop")) == [1, 1, 1]


def test_a_group_that_is_declared_changed_and_removed_counts_at_once(world: World) -> None:
    begin(world)
    world.commit("Soak", {"basket.yaml": app("basket", {"gates": {"soak": "1h"}}), "group.yaml": None})
    world.settle()
    world.commit("Together again", {"group.yaml": group(*PAIR)})
    publish(world, *PAIR)
    assert runs(world) == [1, 1]
    world.commit("Apart", {"group.yaml": None})
    world.settle()
    assert runs(world) == [1, 2]


def test_groups_that_share_an_app_are_one(world: World) -> None:
    begin(world, apps=("basket", "pay", "shop"))
    two = f"{group('basket', 'pay', name='money')}\n---\n{group('pay', 'shop', name='sales')}"
    world.commit("Soak", {"basket.yaml": app("basket", {"gates": {"soak": "1h"}}), "group.yaml": two})
    publish(world, "basket", "shop")
    assert runs(world, apps=("basket", "pay", "shop")) == [1, 1, 1]
    ((_, detail),) = said(world, "shop")
    assert "the group money and sales" in detail


def test_one_whose_first_environment_fails_is_waited_for(world: World) -> None:
    begin(world, sandbox={"type": "exec", "command": ["/bin/sh", "-c", FAILS_WHEN_BROKEN]})
    publish(world, *PAIR, broken="basket")
    assert runs(world) == [1, 1]
    ((what, detail),) = said(world, "shop")
    assert what == "group"
    assert "still on its way to sandbox" in detail
