"""What does a group say about each of its members, from what is recorded alone?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.model.app import App
from reconciler.model.deployment import Deployment, Grounds
from reconciler.model.environment import Environment
from reconciler.model.plan import Plan
from reconciler.planner import groups
from reconciler.planner.joint import Joint
from reconciler.planner.plan import plan
from reconciler.planner.recorded import Dependency, PauseRecord, RecordedApp
from tests.builders import (
    app,
    at,
    deployment,
    deploys,
    desires,
    environment,
    group,
    record,
    recorded,
    touch,
    version,
    waits,
)

NOW = at(9)
PAIR = ("basket", "shop")
GATED = {"sandbox": {}, "live": {"gates": {"soak": "2d"}}}


def places(**live: Any) -> dict[str, Environment]:
    return {"sandbox": environment("sandbox"), "live": environment("live", "sandbox", **live)}


def sandbox(*numbers: int) -> tuple[Deployment, ...]:
    """Completed in sandbox, newest first; deployment n holds version n."""
    return tuple(deployment(n, n) for n in sorted(numbers, reverse=True))


def live(number: int, of: int, move: str = "", **more: Any) -> Deployment:
    made = deployment(number, of, environment="live", **{"cause": "promotion", **more})
    mark = {"move": move, "moved_with": PAIR} if move else {}
    return replace(made, grounds=Grounds(base=made.subject.fingerprint, **mark))


def facts(name: str, *there: Deployment, newest: int = 2, arrived: int | None = None, **more: Any) -> RecordedApp:
    """What is recorded of an app whose newest content is in sandbox, and `there` in live, newest first."""
    records = [record("sandbox", *sandbox(*range(1, (arrived or newest) + 1)))]
    records.append(record("live", *there, **{key: more.pop(key) for key in ("suspicions", "hold") if key in more}))
    return replace(recorded(newest, *records, **more), app=name)


def ask(
    shop: RecordedApp,
    basket: RecordedApp,
    manifests: Mapping[str, App] | None = None,
    known: Mapping[str, Environment] | None = None,
    leads: Mapping[str, frozenset[str]] | None = None,
    both: bool = True,
) -> tuple[dict[str, Joint], dict[str, Plan]]:
    """What the group says in live, and the plans that follow."""
    known = known or places()
    members, plans = {}, {}
    given = {"shop": shop, "basket": basket}
    for name, recorded_of in given.items():
        manifest = (manifests or {}).get(name) or app(name)
        wanted = desires(manifest, known, NOW)
        alone = plan(manifest, wanted, known, recorded_of, NOW)
        members[name] = groups.Member(
            wanted=wanted, recorded=recorded_of, plan=alone, leads=(leads or {}).get(name, frozenset())
        )
    declared = [group(*PAIR)] if both else []
    said = groups.joint(members, declared, known, NOW)
    for name, member in members.items():
        manifest = (manifests or {}).get(name) or app(name)
        told = replace(member.recorded, joint=said.get(name, {}))
        plans[name] = plan(manifest, member.wanted, known, told, NOW)
    return {name: words["live"] for name, words in said.items()}, plans


def test_both_that_are_ready_enter_under_one_mark() -> None:
    said, plans = ask(facts("shop", live(1, 1)), facts("basket", live(1, 1)))
    assert said["shop"] == said["basket"]
    assert said["shop"].moved_with == PAIR
    assert deploys(plans["shop"]) == deploys(plans["basket"]) == {"live": ("promotion", [2])}
    again, _ = ask(facts("shop", live(1, 1)), facts("basket", live(1, 1)))
    assert again == said
    other, _ = ask(facts("shop", live(1, 1), newest=3), facts("basket", live(1, 1)))
    assert other["shop"].move != said["shop"].move


def test_the_mark_is_on_the_deployment() -> None:
    said, plans = ask(facts("shop", live(1, 1)), facts("basket", live(1, 1)))
    (action,) = plans["shop"].actions
    assert action.grounds.move == said["shop"].move  # type: ignore[union-attr]


def test_nothing_is_said_without_a_group_or_where_nothing_enters() -> None:
    assert ask(facts("shop", live(1, 1)), facts("basket", live(1, 1)), both=False)[0] == {}
    assert ask(facts("shop", live(2, 2)), facts("basket", live(2, 2)))[0] == {}
    said, plans = ask(facts("shop", live(1, 1)), facts("basket", live(2, 2)))
    assert said == {}
    assert deploys(plans["shop"]) == {"live": ("promotion", [2])}


def test_one_that_is_ready_waits_until_the_other_is() -> None:
    said, plans = ask(facts("shop", live(1, 1)), facts("basket", live(1, 1)), {"basket": app("basket", GATED)})
    assert said["shop"].waiting is not None
    assert said["shop"].waiting.until == at(2) + timedelta(days=2)
    assert "basket" not in said
    assert plans["shop"].empty
    assert waits(plans["shop"], "live") == ["group"]
    assert waits(plans["basket"], "live") == ["soak"]


def test_each_newer_version_has_its_own_soak_and_none_is_waited_for_twice() -> None:
    # Versions 1 and 2 have soaked, 3 has not: what has is ready, and nobody waits for the rest.
    shop, basket = facts("shop", live(0, 4)), facts("basket", live(0, 4), newest=3)
    soaks = {"sandbox": {}, "live": {"gates": {"soak": "7h"}}}
    _, plans = ask(shop, basket, {"basket": app("basket", soaks)})
    assert deploys(plans["basket"]) == {"live": ("promotion", [2])}
    assert deploys(plans["shop"]) == {"live": ("promotion", [2])}


def test_what_is_further_up_is_waited_for_if_it_came_before() -> None:
    before = touch(2, hours=1)
    said, _ = ask(facts("shop", live(1, 1)), facts("basket", live(1, 1), arrived=1, content_touch=before))
    assert said["shop"].waiting is not None
    assert "basket: v2 is still on its way to sandbox" in said["shop"].waiting.detail
    after = touch(2, hours=3)
    said, plans = ask(facts("shop", live(1, 1)), facts("basket", live(1, 1), arrived=1, content_touch=after))
    assert said == {}
    assert deploys(plans["shop"]) == {"live": ("promotion", [2])}


def test_one_that_is_on_its_way_in_is_waited_for() -> None:
    moving = live(2, 2, status="started")
    said, plans = ask(facts("shop", live(1, 1)), facts("basket", moving, live(1, 1)))
    assert said["shop"].waiting is not None
    assert "deployment 2 (v2) is still to complete" in said["shop"].waiting.detail
    assert plans["basket"].empty


@pytest.mark.parametrize("of", [1, 2])
def test_a_pause_holds_the_other_whether_or_not_there_is_something_new(of: int) -> None:
    pause = PauseRecord(environment="live", by="ann", reason="tea", until=at(20))
    said, plans = ask(facts("shop", live(1, 1)), facts("basket", live(of, of), pauses=(pause,)))
    assert said["shop"].waiting is not None
    assert said["shop"].waiting.until == at(20)
    assert said["shop"].waiting.detail == "v2 waits for the group checkout: basket: paused by ann: tea"
    assert plans["shop"].empty


def test_a_pause_elsewhere_or_in_the_past_holds_nobody() -> None:
    pauses = (
        PauseRecord(environment="sandbox", by="ann", reason="tea", until=at(20)),
        PauseRecord(environment=None, by="ann", reason="tea", until=NOW),
    )
    said, _ = ask(facts("shop", live(1, 1)), facts("basket", live(1, 1), pauses=pauses))
    assert said["shop"].waiting is None


def test_a_broken_file_holds_the_other() -> None:
    said, _ = ask(facts("shop", live(1, 1)), facts("basket", live(1, 1), complaints=("basket.yaml:1:1: what",)))
    assert said["shop"].waiting is not None
    assert "basket.yaml:1:1: what" in said["shop"].waiting.detail


def test_what_a_person_names_goes_alone() -> None:
    pinned = app("shop", {"sandbox": {}, "live": {"version": "v2"}})
    named = {"v2": version(2).id}
    said, plans = ask(
        facts("shop", live(1, 1), references=named),
        facts("basket", live(1, 1)),
        {"shop": pinned, "basket": app("basket", GATED)},
    )
    assert said == {}
    assert deploys(plans["shop"]) == {"live": ("release", [2])}


def needing(on: str, completed: bool, active: bool) -> tuple[Dependency, ...]:
    return (Dependency(app=on, environment="live", completed=completed, active=active),)


def test_one_that_waits_for_a_member_it_depends_on_holds_nobody() -> None:
    shop = facts("shop", live(1, 1), dependencies=needing("basket", False, False))
    said, plans = ask(shop, facts("basket"), leads={"shop": frozenset({"basket"})})
    assert said["basket"].move == said["shop"].move != ""
    assert deploys(plans["basket"]) == {"live": ("promotion", [2])}
    assert waits(plans["shop"], "live") == ["dependency"]


def test_one_that_waits_for_an_outsider_holds_the_other() -> None:
    shop = facts("shop", live(1, 1), dependencies=needing("pay", True, True))
    said, plans = ask(shop, facts("basket", live(1, 1)))
    assert said["basket"].waiting is not None
    assert "pay, which it depends on" in said["basket"].waiting.detail
    assert plans["basket"].empty


def test_one_that_follows_takes_part_in_the_move_that_was_begun() -> None:
    begun = live(2, 2, move="m")
    newer = facts("basket", begun, live(1, 1), newest=3)
    said, plans = ask(facts("shop", live(1, 1)), newer, {"basket": app("basket", GATED)})
    assert said["shop"] == Joint(move="m", moved_with=PAIR)
    assert deploys(plans["shop"]) == {"live": ("promotion", [2])}


def pause_of(environment: str | None = "live") -> tuple[PauseRecord, ...]:
    return (PauseRecord(environment=environment, by="ann", reason="tea", until=at(20)),)


def test_a_pause_everywhere_is_a_pause_here() -> None:
    said, _ = ask(facts("shop", live(1, 1)), facts("basket", live(1, 1), pauses=pause_of(None)))
    assert said["shop"].waiting is not None
    assert "paused by ann" in said["shop"].waiting.detail


def test_a_move_that_was_begun_is_not_ended_past_a_pause() -> None:
    begun = facts("basket", live(2, 2, move="m"), live(1, 1), pauses=pause_of())
    said, plans = ask(facts("shop", live(1, 1)), begun)
    assert said["shop"].waiting is not None
    assert plans["shop"].empty


def test_a_newer_version_takes_the_place_of_one_that_waits_for_its_turn_in_the_same_move() -> None:
    begun = facts("basket", live(2, 2, move="m"), live(1, 1), newest=3)
    pending = live(2, 2, move="m", status="pending")
    said, plans = ask(facts("shop", pending, live(1, 1), newest=3), begun, {"basket": app("basket", GATED)})
    assert said["shop"] == Joint(move="m", moved_with=PAIR)
    assert deploys(plans["shop"]) == {"live": ("promotion", [3])}


def test_what_waits_for_its_turn_stays_when_something_newer_is_held() -> None:
    begun = facts("basket", live(2, 2, move="m"), live(1, 1), pauses=pause_of())
    pending = live(2, 2, move="m", status="pending")
    _, plans = ask(facts("shop", pending, live(1, 1), newest=3), begun)
    assert plans["shop"].empty
    assert waits(plans["shop"], "live") == ["group"]


def test_what_came_in_the_same_moment_is_waited_for() -> None:
    same = touch(2, hours=2)
    said, _ = ask(facts("shop", live(1, 1)), facts("basket", live(1, 1), arrived=1, content_touch=same))
    assert said["shop"].waiting is not None
