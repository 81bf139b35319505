"""Who of a group goes back with whom, and when do they enter again?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.planner import groups
from reconciler.planner.recorded import RecordedApp
from tests.builders import (
    app,
    deploys,
    group,
    record,
    suspicion,
    version,
    waits,
    withdrawal,
)
from tests.unit.test_groups import ask, facts, live, places, sandbox

# The way back


def failed_pair(**basket: Any) -> tuple[RecordedApp, RecordedApp]:
    bad = live(2, 2, move="m", status="failed")
    suspected = suspicion(version(2).id, bad) | suspicion(bad.subject.fingerprint, bad)
    return (
        facts("shop", live(2, 2, move="m"), live(1, 1)),
        facts("basket", bad, live(1, 1), suspicions=suspected, **basket),
    )


def test_when_one_fails_the_other_goes_back_at_once() -> None:
    said, plans = ask(*failed_pair())
    assert said["shop"].back is not None
    assert deploys(plans["basket"]) == {"live": ("auto-rollback", [1])}
    assert deploys(plans["shop"]) == {"live": ("auto-rollback", [1])}


def test_one_that_is_still_on_its_way_in_is_stopped() -> None:
    _, basket = failed_pair()
    shop = facts("shop", live(2, 2, move="m", status="started"), live(1, 1))
    _, plans = ask(shop, basket)
    (stop,) = plans["shop"].actions
    assert stop.running  # type: ignore[union-attr]


def test_nobody_follows_one_that_stays() -> None:
    shop, basket = failed_pair()
    assert ask(shop, basket, known=places(on_failure="hold"))[0] == {}


def test_nobody_follows_one_that_moved_alone_or_in_another_move() -> None:
    _, basket = failed_pair()
    for there in (live(2, 2), live(2, 2, move="other"), live(2, 2, move="m", cause="retry")):
        assert ask(facts("shop", there, live(1, 1)), basket)[0] == {}


def test_nobody_follows_out_of_what_entered_alone_since() -> None:
    shop, basket = back_pair()
    there = shop.environments["live"]
    again = replace(there, recent=(live(4, 2), *there.recent))
    shop = replace(shop, environments={**shop.environments, "live": again})
    assert ask(shop, basket)[0] == {}


def test_one_that_failed_too_goes_back_by_itself() -> None:
    _, basket = failed_pair()
    said, plans = ask(replace(basket, app="shop"), basket)
    assert said == {}
    assert deploys(plans["shop"]) == deploys(plans["basket"]) == {"live": ("auto-rollback", [1])}


def test_one_that_is_pinned_stays() -> None:
    shop, basket = failed_pair()
    pinned = app("shop", {"sandbox": {}, "live": {"version": "v2"}})
    said, plans = ask(replace(shop, references={"v2": version(2).id}), basket, {"shop": pinned})
    assert said == {}
    assert plans["shop"].empty


def test_the_way_back_passes_by_what_went_wrong_here() -> None:
    _, basket = failed_pair()
    bad = live(2, 2)
    shop = facts("shop", live(3, 3, move="m"), bad, live(1, 1), newest=3, suspicions=suspicion(version(2).id, bad))
    _, plans = ask(shop, basket)
    assert deploys(plans["shop"]) == {"live": ("auto-rollback", [1])}


def test_a_way_back_that_was_begun_goes_on() -> None:
    _, basket = failed_pair()
    begun = live(3, 1, cause="auto-rollback", status="started", rolled_back_from="live-2")
    shop = facts("shop", begun, live(2, 2, move="m"), live(1, 1))
    assert ask(shop, basket)[1]["shop"].empty


def back_pair() -> tuple[RecordedApp, RecordedApp]:
    """Both went back from the same move, since basket failed."""
    _, basket = failed_pair()
    there = basket.environments["live"]
    back = live(3, 1, cause="auto-rollback", rolled_back_from="live-2")
    basket = replace(basket, environments={**basket.environments, "live": replace(there, recent=(back, *there.recent))})
    return facts("shop", back, live(2, 2, move="m"), live(1, 1)), basket


def test_what_went_back_stays_back() -> None:
    said, plans = ask(*back_pair())
    assert said["shop"].fallen
    assert plans["shop"].empty
    assert plans["basket"].empty
    assert waits(plans["shop"], "live") == ["group"]


def test_it_enters_again_with_the_next_of_the_one_that_went_back_first() -> None:
    shop, basket = back_pair()
    fixed = replace(facts("basket", newest=3), environments={**basket.environments})
    fixed = replace(fixed, environments={**fixed.environments, "sandbox": record("sandbox", *sandbox(1, 2, 3))})
    said, plans = ask(shop, fixed)
    assert said["shop"].move == said["basket"].move != "m"
    assert deploys(plans["shop"]) == {"live": ("promotion", [2])}
    assert deploys(plans["basket"]) == {"live": ("promotion", [3])}


def test_one_without_anything_before_stays_and_says_so() -> None:
    _, basket = failed_pair()
    _, plans = ask(facts("shop", live(2, 2, move="m")), basket)
    assert plans["shop"].empty
    assert [one.rule for one in plans["shop"].refused] == ["rollback"]


def test_a_way_back_that_failed_is_not_gone_over_by_the_old_version() -> None:
    _, basket = back_pair()
    lost = live(3, 1, cause="auto-rollback", status="failed", rolled_back_from="live-2")
    shop = facts("shop", lost, live(2, 2, move="m"), live(1, 1))
    _, plans = ask(shop, basket)
    assert plans["shop"].empty
    ((rule, detail),) = [(one.rule, one.detail) for one in plans["shop"].refused]
    assert rule == "rollback"
    assert "did not complete (deployment 3)" in detail


def test_a_guard_stands_in_the_way_back_and_nothing_else() -> None:
    _, basket = failed_pair()
    migrated = version(2, migrations=("one",))
    shop = facts("shop", live(2, 2, move="m"), live(1, 1), versions=[migrated])
    changed = {**shop.versions, version(2).id: replace(version(2), migrations=("one",))}
    _, plans = ask(replace(shop, versions=changed), basket)
    assert deploys(plans["shop"]) == {}
    assert [one.rule for one in plans["shop"].refused] == ["rollback"]
    assert deploys(plans["basket"]) == {"live": ("auto-rollback", [1])}


def test_a_withdrawal_takes_the_other_along() -> None:
    shop = facts("shop", live(2, 2, move="m"), live(1, 1))
    basket = facts("basket", live(2, 2, move="m"), live(1, 1), newest=1, arrived=2, withdrawn=withdrawal(2, 1))
    _, plans = ask(shop, basket)
    assert deploys(plans["basket"])["live"] == ("rollback", [1])
    assert deploys(plans["shop"]) == {"live": ("rollback", [1])}
    assert plans["shop"].actions[0].reverts == plans["basket"].actions[0].reverts  # type: ignore[union-attr]


def test_an_older_move_is_not_undone_by_a_later_step_back() -> None:
    # Both entered with 1 in a move; basket alone went to 2, to 3, and back to 2: nothing of the move was left.
    steps = (
        live(4, 2, cause="rollback", rolled_back_from="live-3"),
        live(3, 3),
        live(2, 2),
        live(1, 1, move="m"),
    )
    said, _ = ask(facts("shop", live(1, 1, move="m"), newest=1), facts("basket", *steps, newest=2))
    assert said == {}


def test_apps_of_groups_that_share_one_are_planned_together() -> None:
    found = groups.companions([group("a", "b"), group("c", "d"), group("b", "c"), group("x", "y")])
    assert found["a"] == found["d"] == {"a", "b", "c", "d"}
    assert found["x"] == {"x", "y"}
