"""What is told of apps that go back together: who went first, where to, and what decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.model.deployment import Grounds, Subject
from reconciler.model.plan import Deploy, Plan, Refused
from reconciler.planner.joint import Joint
from reconciler.planner.recorded import Allowance, HoldRecord, RecordedApp, RetryRequest
from tests.builders import (
    app,
    at,
    deploys,
    suspicion,
    touch,
    traffic,
    version,
    withdrawal,
)
from tests.plans import TWO
from tests.unit.test_groups_told import ask, deploy_of, facts, group_wait, live

# Going back


def entered_and_failed(**more: Any) -> RecordedApp:
    bad = live(2, 2, "m", status="failed")
    return facts(bad, live(1, 1), suspicions=suspicion(TWO, bad), **more)


def test_who_goes_back_with_another_says_with_whom_and_why():
    _, plans = ask(shop=facts(live(2, 2, "m"), live(1, 1)), basket=entered_and_failed())
    deploy = deploy_of(plans["shop"])
    assert deploy == Deploy(
        app="shop",
        environment="live",
        cause="auto-rollback",
        subject=Subject(traffic=traffic(1)),
        reason="basket went back (v2 failed (deployment 2): back to v1), and v2 moved with it in the group checkout: "
        "back to v1",
        commit=f"{2:040x}",
        deployed_by="reconciler",
        rolled_back_from="live-2",
        grounds=deploy.grounds,
    )
    assert deploy.grounds.base == Subject(traffic=traffic(1)).fingerprint


def test_who_follows_one_that_has_gone_back_already():
    back = live(
        3,
        1,
        cause="rollback",
        rolled_back_from="live-2",
        reason="c reverts b",
        deployed_by="bob@example.com",
        reverts=("b" * 40,),
    )
    back = replace(back, commit="c" * 40)
    gone = facts(back, live(2, 2, "m"), live(1, 1), newest=1, arrived=2, withdrawn=withdrawal(2, 1))
    _, plans = ask(shop=facts(live(2, 2, "m"), live(1, 1)), basket=gone)
    deploy = deploy_of(plans["shop"])
    assert deploy.reason == "basket went back (c reverts b), and v2 moved with it in the group checkout: back to v1"
    assert (deploy.cause, deploy.commit, deploy.deployed_by) == ("rollback", "c" * 40, "bob@example.com")
    assert (deploy.reverts, deploy.rolled_back_from) == (("b" * 40,), "live-2")


def test_the_way_back_has_todays_settings():
    shop = app("shop", {"sandbox": {}, "live": {"config": {"size": 9}}})
    there = facts(live(2, 2, "m", config={"size": 9}), live(1, 1))
    _, plans = ask({"shop": shop}, shop=there, basket=entered_and_failed())
    assert deploy_of(plans["shop"]).subject == Subject(traffic=traffic(1), config={"size": 9})


def test_nothing_to_go_back_to_is_said():
    said, plans = ask(shop=facts(live(2, 2, "m")), basket=entered_and_failed())
    detail = (
        "basket went back from what v2 entered with, in the group checkout, and nothing else ran here before: it "
        "stays; a newer version or a pin decides"
    )
    refused = Refused(app="shop", environment="live", rule="rollback", detail=detail)
    assert said["shop"] == Joint(refused=refused)
    assert plans["shop"] == Plan(refused=(refused,))


def test_a_way_back_that_failed_is_said():
    failed = live(3, 1, cause="auto-rollback", status="failed", rolled_back_from="live-2")
    bad = live(2, 2, "m", status="failed")
    basket = facts(
        live(3, 1, cause="auto-rollback", rolled_back_from="live-2"), bad, live(1, 1), suspicions=suspicion(TWO, bad)
    )
    said, plans = ask(shop=facts(failed, live(2, 2, "m"), live(1, 1)), basket=basket)
    detail = (
        "the way back to v1, together with basket of the group checkout, did not complete (deployment 3): look at "
        "what runs there; a newer version, a pin, or `reconciler retry live-2` decides"
    )
    refused = Refused(app="shop", environment="live", rule="rollback", detail=detail)
    assert plans["shop"].refused == (refused,)
    assert plans["shop"].empty
    assert said["shop"].lost


def test_a_way_back_that_was_begun_goes_on_in_the_same_words():
    begun = live(
        3,
        1,
        cause="auto-rollback",
        status="pending",
        rolled_back_from="live-2",
        reason="basket went back",
        deployed_by="bob@example.com",
        reverts=("b" * 40,),
    )
    _, plans = ask(shop=facts(begun, live(2, 2, "m"), live(1, 1)), basket=entered_and_failed())
    assert plans["shop"].empty
    shop = app("shop", {"sandbox": {}, "live": {"config": {"size": 9}}})
    changed = facts(begun, live(2, 2, "m"), live(1, 1), touch=touch(9, "changed"))
    _, plans = ask({"shop": shop}, shop=changed, basket=entered_and_failed())
    deploy = deploy_of(plans["shop"])
    assert (deploy.cause, deploy.reason) == ("auto-rollback", "basket went back")
    assert (deploy.commit, deploy.deployed_by) == (f"{1:040x}", "bob@example.com")
    assert (deploy.reverts, deploy.rolled_back_from) == (("b" * 40,), "live-2")


def test_another_try_is_not_taken_back():
    retried = facts(
        live(2, 2, "m"),
        live(1, 1),
        newest=2,
        retries=(RetryRequest(deployment="live-2", actor="ann@example.com"),),
        suspicions=suspicion(TWO, live(2, 2)),
    )
    said, plans = ask(shop=retried, basket=entered_and_failed())
    assert "shop" not in said
    assert deploys(plans["shop"]) != {"live": ("auto-rollback", [1])}


def test_the_one_that_went_wrong_is_named_before_one_that_followed():
    """Of three, `basket` followed `till`, which failed: the last one goes back because of `till`."""
    names = ("basket", "shop", "till")
    bad = live(2, 2, "m", names, status="failed")
    back = live(3, 1, cause="auto-rollback", rolled_back_from="live-2", reason="it failed")
    till = facts(back, bad, live(1, 1), suspicions=suspicion(TWO, bad))
    followed = facts(back, live(2, 2, "m", names), live(1, 1))
    _, plans = ask(shop=facts(live(2, 2, "m", names), live(1, 1)), basket=followed, till=till)
    assert deploy_of(plans["shop"]).reason.startswith("till went back (it failed), and v2 moved with it")


def test_what_went_back_together_enters_again_with_the_next():
    bad = live(2, 2, "m", status="failed")
    back = live(3, 1, cause="auto-rollback", rolled_back_from="live-2")
    shop = facts(back, live(2, 2, "m"), live(1, 1))
    said, plans = ask(shop=shop, basket=facts(back, bad, live(1, 1), suspicions=suspicion(TWO, bad)))
    detail = (
        "v2 went back together with basket, of the group checkout: it enters again with what basket brings next; a "
        "newer version of shop may enter, or `reconciler retry live-2`"
    )
    assert said["shop"] == Joint(waiting=group_wait("shop", detail), fallen=True)
    assert plans["shop"] == Plan(waiting=(group_wait("shop", detail),))


def test_who_went_back_first_is_named_where_nobody_went_wrong():
    names = ("basket", "shop", "till")
    later = live(4, 1, cause="rollback", rolled_back_from="live-2", reason="later")
    sooner = live(3, 1, cause="rollback", rolled_back_from="live-2", reason="sooner")
    entered = (live(2, 2, "m", names), live(1, 1))
    _, plans = ask(shop=facts(*entered), basket=facts(later, *entered), till=facts(sooner, *entered))
    assert deploy_of(plans["shop"]).reason.startswith("till went back (sooner)")


def test_the_way_back_with_the_group_passes_by_what_a_season_chose():
    chosen = replace(live(2, 5), grounds=Grounds(chosen_by="season"))
    bad = live(3, 2, "m", status="failed")
    shop = facts(live(3, 2, "m"), chosen, live(1, 1))
    _, plans = ask(shop=shop, basket=facts(bad, live(1, 1), suspicions=suspicion(TWO, bad)))
    assert deploys(plans["shop"]) == {"live": ("auto-rollback", [1])}


def test_a_way_back_alone_that_failed_is_no_matter_of_the_group():
    failed = live(3, 1, cause="auto-rollback", status="failed", rolled_back_from="live-2")
    said, _ = ask(shop=facts(failed, live(2, 2, "m"), live(1, 1)), basket=facts(live(2, 2, "m")))
    assert "shop" not in said or said["shop"].refused is None


def test_it_goes_back_although_something_newer_is_ready():
    said, plans = ask(shop=facts(live(2, 2, "m"), live(1, 1), newest=3), basket=entered_and_failed())
    assert said["shop"].back is not None
    assert deploys(plans["shop"]) == {"live": ("auto-rollback", [1])}


def test_settings_reach_what_has_nothing_to_go_back_to():
    shop = app("shop", {"sandbox": {}, "live": {"config": {"size": 9}}})
    there = facts(live(2, 2, "m"), touch=touch(9, "changed", hours=3))
    _, plans = ask({"shop": shop}, shop=there, basket=entered_and_failed())
    assert deploys(plans["shop"]) == {"live": ("release", [2])}
    assert [one.rule for one in plans["shop"].refused] == ["rollback"]


def test_a_hold_lasts_as_long_as_what_went_back_together_stays_back():
    bad = live(2, 2, "m", status="failed")
    back = live(3, 1, cause="auto-rollback", rolled_back_from="live-2")
    hold = HoldRecord(by="reconciler", reason="basket went back", since=at(3), deployment="live-2", version=TWO)
    shop = facts(back, live(2, 2, "m"), live(1, 1), hold=hold)
    said, plans = ask(shop=shop, basket=facts(back, bad, live(1, 1), suspicions=suspicion(TWO, bad)))
    assert said["shop"].fallen
    assert plans["shop"].actions == ()


def test_a_member_on_its_own_way_back_needs_no_other():
    back = live(3, 1, cause="auto-rollback", status="started", rolled_back_from="live-2")
    said, plans = ask(shop=facts(back, live(2, 2), live(1, 1)), basket=facts(live(2, 2, "m"), live(1, 1)))
    assert "shop" not in said or said["shop"].back is None
    assert plans["shop"].empty


def test_one_that_failed_as_well_and_has_nothing_before_says_only_that():
    bad = live(2, 2, "m", status="failed")
    said, plans = ask(shop=facts(bad, suspicions=suspicion(TWO, bad)), basket=entered_and_failed())
    assert "shop" not in said
    assert [one.rule for one in plans["shop"].refused] == ["suspect"]


def test_what_is_said_of_the_way_back_stays_beside_what_is_new():
    said, _ = ask(shop=facts(live(2, 2, "m"), newest=3), basket=entered_and_failed())
    assert said["shop"].refused is not None
    assert "nothing else ran here before" in said["shop"].refused.detail


def test_a_guard_in_the_way_back_and_the_word_that_lets_pass():
    shop = facts(live(2, 2, "m"), live(1, 1), touch=touch(7, "changed"))
    shop = replace(shop, versions={**shop.versions, TWO: version(2, migrations=("one",))})
    _, plans = ask(shop=shop, basket=entered_and_failed())
    detail = (
        "v1 lacks 1 migration (one) that v2 has made, and migrations go one way; a commit with the trailer "
        "`Allow-Rollback: shop/live` goes back all the same, or release forward"
    )
    assert plans["shop"] == Plan(refused=(Refused(app="shop", environment="live", rule="rollback", detail=detail),))
    word = Allowance(environment="live", position=7, at=at(3), author="ann", commit="c" * 40)
    _, plans = ask(shop=replace(shop, allowances=(word,)), basket=entered_and_failed())
    assert deploys(plans["shop"]) == {"live": ("auto-rollback", [1])}
    (back,) = [action for action in plans["shop"].actions if isinstance(action, Deploy)]
    assert "passed by the word of ann in cccccccccc" in back.remarks[0]
    _, plans = ask(shop=replace(shop, allowances=(replace(word, position=6),)), basket=entered_and_failed())
    assert plans["shop"].empty
