"""What is told of apps that move together: whom they wait for, why one goes back, and what decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.model.app import App
from reconciler.model.deployment import Deployment, Grounds, Subject
from reconciler.model.environment import Environment
from reconciler.model.plan import Deploy, Plan, RunChecks, Waiting
from reconciler.model.rollout import Course, Progress
from reconciler.model.season import Freeze
from reconciler.planner import groups
from reconciler.planner.joint import Joint
from reconciler.planner.plan import plan
from reconciler.planner.recorded import Checked, PauseRecord, RecordedApp, RetryRequest
from tests.builders import (
    app,
    at,
    deployment,
    deploys,
    desires,
    freeze,
    group,
    record,
    recorded,
    suspicion,
    touch,
    traffic,
)
from tests.plans import PLACES, TWO

NOW = at(9)
NAMES = ("basket", "shop")


def live(number: int, of: int, move: str = "", names: tuple[str, ...] = NAMES, **more: Any) -> Deployment:
    made = deployment(number, of, environment="live", **{"cause": "promotion", **more})
    mark = {"move": move, "moved_with": names} if move else {}
    return replace(made, grounds=Grounds(base=made.subject.fingerprint, **mark))


def facts(*there: Deployment, newest: int = 2, arrived: int | None = None, **more: Any) -> RecordedApp:
    """An app whose newest content is in sandbox, and `there` in live, newest first."""
    here = {name: more.pop(name) for name in ("suspicions", "hold", "touch", "checked") if name in more}
    above = [deployment(n, n) for n in range(arrived or newest, 0, -1)]
    return recorded(newest, record("sandbox", *above), record("live", *there, **here), **more)


def ask(
    manifests: Mapping[str, App] | None = None,
    known: Mapping[str, Environment] = PLACES,
    freezes: Sequence[Freeze] = (),
    **members: RecordedApp,
) -> tuple[dict[str, Joint], dict[str, Plan]]:
    """What the group of these members says in live, and the plans that follow."""
    found: dict[str, groups.Member] = {}
    apps = {name: (manifests or {}).get(name) or app(name) for name in members}
    for name, told in members.items():
        told = replace(told, app=name)
        wanted = desires(apps[name], known, NOW, (), freezes)
        found[name] = groups.Member(wanted=wanted, recorded=told, plan=plan(apps[name], wanted, known, told, NOW))
    said = groups.joint(found, [group(*sorted(members))], known, NOW)
    plans = {
        name: plan(apps[name], one.wanted, known, replace(one.recorded, joint=said.get(name, {})), NOW)
        for name, one in found.items()
    }
    return {name: words["live"] for name, words in said.items()}, plans


def deploy_of(plan: Plan) -> Deploy:
    (one,) = [action for action in plan.actions if isinstance(action, Deploy)]
    return one


def pause(until: float, reason: str = "tea") -> tuple[PauseRecord, ...]:
    return (PauseRecord(environment="live", by="ann", reason=reason, until=at(until)),)


def group_wait(name: str, detail: str, **more: Any) -> Waiting:
    return Waiting(app=name, environment="live", waits_for="group", detail=detail, **more)


# Waiting


def test_three_are_named_and_the_rest_counted():
    paused = {name: facts(live(1, 1), pauses=pause(12, f"{name}'s")) for name in "abcde"}
    said, plans = ask(shop=facts(live(1, 1)), **paused)
    detail = (
        "v2 waits for the group checkout: a: paused by ann: a's; b: paused by ann: b's; c: paused by ann: c's; "
        "and 2 more"
    )
    assert said["shop"].waiting == group_wait("shop", detail, until=at(12))
    assert plans["shop"] == Plan(waiting=(group_wait("shop", detail, until=at(12)),), wake_at=at(12))
    del paused["d"], paused["e"]
    said, _ = ask(shop=facts(live(1, 1)), **paused)
    assert said["shop"].waiting == group_wait("shop", detail.removesuffix("; and 2 more"), until=at(12))


def test_the_wait_has_an_end_only_where_all_have():
    endless = facts(live(1, 1), complaints=("basket.yaml:1:1: what",))
    said, _ = ask(shop=facts(live(1, 1)), basket=endless, till=facts(live(1, 1), pauses=pause(12)))
    assert said["shop"].waiting is not None
    assert said["shop"].waiting.until is None
    both, _ = ask(shop=facts(live(1, 1)), a=facts(live(1, 1), pauses=pause(12)), b=facts(live(1, 1), pauses=pause(14)))
    assert both["shop"].waiting is not None
    assert both["shop"].waiting.until == at(14)


def test_one_whose_new_version_is_suspect_holds_the_others():
    failed = live(2, 2, status="failed")
    bad = facts(live(3, 1, cause="auto-rollback"), failed, live(1, 1), suspicions=suspicion(TWO, failed))
    said, plans = ask(shop=facts(live(1, 1)), basket=bad)
    assert said["shop"].waiting is not None
    assert "basket: v2 failed here (deployment 2, live-2)" in said["shop"].waiting.detail
    assert plans["shop"].empty


def test_settings_reach_what_is_here_while_new_versions_wait():
    shop = app("shop", {"sandbox": {}, "live": {"config": {"size": 9}}})
    changed = facts(live(1, 1), touch=touch(9, "changed", hours=3))
    _, plans = ask({"shop": shop}, shop=changed, basket=facts(live(1, 1), pauses=pause(12)))
    assert deploys(plans["shop"]) == {"live": ("release", [1])}
    assert deploy_of(plans["shop"]).subject == Subject(traffic=traffic(1), config={"size": 9})
    assert [one.waits_for for one in plans["shop"].waiting] == ["group"]


def test_one_that_was_never_here_moves_in_with_the_others():
    newcomer = recorded(2, record("sandbox", deployment(2, 2), deployment(1, 1)))
    said, plans = ask(shop=facts(live(1, 1)), basket=newcomer)
    assert said["shop"].moved_with == NAMES
    assert deploys(plans["shop"]) == deploys(plans["basket"]) == {"live": ("promotion", [2])}


def test_one_that_a_freeze_stops_before_its_turn_is_waited_for():
    pending = live(2, 2, status="pending")
    frozen = [freeze("stock", "2026-06-01T13:00", "2026-06-01T23:00", apps=["basket"])]
    said, plans = ask(freezes=frozen, shop=facts(live(1, 1)), basket=facts(pending, live(1, 1)))
    assert said["shop"].waiting is not None
    assert "basket: v2 waits for the end of the freeze stock" in said["shop"].waiting.detail
    assert plans["shop"].empty


def test_one_that_is_let_in_step_by_step_is_waited_for():
    progress = Progress(course=Course(steps=(10, 100), before=traffic(1)), phase="holding", until=at(10))
    said, plans = ask(shop=facts(live(1, 1)), basket=facts(live(2, 2, status="started", rollout=progress), live(1, 1)))
    assert said["shop"].waiting is not None
    assert "basket: deployment 2 (v2) is still to complete" in said["shop"].waiting.detail
    assert plans["shop"].empty


def test_one_whose_check_failed_is_waited_for():
    gates = {"checks": [{"name": "smoke", "run": ["true"]}]}
    shop = facts(live(1, 1))
    way = [one.key for one in ask({"basket": gated(gates)}, shop=shop, basket=shop)[1]["basket"].waiting if one.key]
    failed = {(way[0], "smoke"): Checked(verdict="failed", at=at(3), detail="exit 1")}
    said, plans = ask({"basket": gated(gates)}, shop=shop, basket=facts(live(1, 1), checked=failed))
    assert said["shop"].waiting is not None
    assert "basket: the check smoke failed for v2: exit 1" in said["shop"].waiting.detail
    assert plans["shop"].empty


def gated(gates: Mapping[str, Any]) -> App:
    return app("basket", {"sandbox": {}, "live": {"gates": gates}})


def test_one_follows_into_the_move_whoever_else_is_in_the_group():
    begun = facts(live(2, 2, "m"), live(1, 1))
    said, plans = ask(alone=facts(live(2, 2)), basket=begun, shop=facts(live(1, 1)))
    assert said["shop"] == Joint(move="m", moved_with=NAMES)
    assert deploy_of(plans["shop"]).grounds.move == "m"


def test_who_has_made_a_move_does_not_make_it_again_with_the_next():
    begun = facts(live(2, 2, "m"), live(1, 1))
    _, plans = ask(basket=begun, shop=facts(live(2, 2, "m"), live(1, 1), newest=3))
    assert deploys(plans["shop"]) == {"live": ("promotion", [3])}
    assert deploy_of(plans["shop"]).grounds.move == ""


def test_nobody_follows_into_a_move_past_one_whose_next_was_stopped_by_hand():
    stopped = replace(live(3, 3, status="aborted"), started_at=None)
    held = suspicion(stopped.subject.fingerprint, stopped)
    basket = facts(stopped, live(2, 2, "m"), live(1, 1), newest=3, suspicions=held)
    said, plans = ask(basket=basket, shop=facts(live(1, 1)))
    assert said["shop"].waiting is not None
    assert plans["shop"].empty


def test_another_try_goes_alone():
    failed = live(2, 2, status="failed")
    again = (RetryRequest(deployment="live-2", actor="ann@example.com"),)
    shop = facts(failed, live(1, 1), suspicions=suspicion(TWO, failed), retries=again)
    _, plans = ask(shop=shop, basket=facts(live(1, 1), pauses=pause(12)))
    assert deploys(plans["shop"]) == {"live": ("retry", [2])}


def test_checks_that_only_report_run_while_the_group_waits():
    gates = {"checks": [{"name": "smoke", "run": ["true"], "mode": "report"}]}
    shop = app("shop", {"sandbox": {}, "live": {"gates": gates}})
    _, plans = ask({"shop": shop}, shop=facts(live(1, 1)), basket=facts(live(1, 1), pauses=pause(12)))
    assert [type(action) for action in plans["shop"].actions] == [RunChecks]


def test_a_setting_that_failed_goes_back_while_the_group_waits():
    shop = app("shop", {"sandbox": {}, "live": {"config": {"size": 9}}})
    failed = live(2, 1, status="failed", config={"size": 9})
    bad = suspicion(failed.subject.fingerprint, failed)
    _, plans = ask(
        {"shop": shop},
        shop=facts(failed, live(1, 1), suspicions=bad),
        basket=facts(live(1, 1), pauses=pause(12)),
    )
    assert deploys(plans["shop"]) == {"live": ("auto-rollback", [1])}
    assert deploy_of(plans["shop"]).subject.config == {}
