"""What a person is told who wants to go back, and what runs while what git asks for is taken back by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.deployment import Allotment, Deployment, Grounds, Subject
from reconciler.model.plan import Deploy, Lift, Plan
from reconciler.model.version import Version
from reconciler.planner.going_back import NoWay, WayBack, way_back
from reconciler.planner.recorded import Allowance, EnvironmentRecord, HoldRecord, RecordedApp, RetryRequest
from tests.builders import (
    app,
    at,
    deployment,
    deploys,
    desires,
    environment,
    planned,
    record,
    recorded,
    suspicion,
    touch,
    traffic,
    version,
    withdrawal,
)
from tests.plans import live

LIVE = {"live": environment("live")}


def ask(
    *newest_first: Deployment,
    to: Version | None = None,
    content: int = 2,
    entry: Mapping[str, Any] | None = None,
    limit: int = 10,
    here: Mapping[str, Any] | None = None,
    **more: Any,
) -> WayBack | NoWay:
    """The way back in live, where git asks for version `content` unless the entry says otherwise."""
    places = {"live": environment("live", rollback={"limit": limit})}
    there = record("live", *newest_first, **(here or {}))
    wanted = desires(app(environments={"live": dict(entry or {})}), places, at(9))["live"]
    return way_back(wanted, recorded(content, there, **more), there, places["live"].spec, to)


def found(answer: WayBack | NoWay) -> WayBack:
    assert isinstance(answer, WayBack), answer
    return answer


def whole(number: int) -> tuple[Allotment, ...]:
    return traffic(number)


# Where to


def test_without_a_name_it_goes_to_what_ran_well_before():
    answer = found(ask(live(3, 2), live(2, 1, status="failed"), live(1, 1)))
    assert answer == WayBack(
        left=live(3, 2),
        traffic=whole(1),
        version=version(2).id,
        suspects=((Subject(traffic=whole(2)), (version(2).id,)),),
    )


def test_new_settings_of_the_same_version_are_no_step_back():
    assert found(ask(live(3, 2, config={"a": 1}), live(2, 2), live(1, 1))).traffic == whole(1)


def test_it_passes_by_what_was_taken_back_and_what_went_wrong_here():
    line = [live(4, 4), live(3, 3), live(2, 2), live(1, 1)]
    assert found(ask(*line, content=4)).traffic == whole(3)
    assert found(ask(*line, content=4, withdrawn=withdrawal(3))).traffic == whole(2)
    bad = {"suspicions": suspicion(version(2).id, line[2])}
    assert found(ask(*line, content=4, withdrawn=withdrawal(3), here=bad)).traffic == whole(1)


def test_what_is_on_its_way_in_is_left_for_what_runs():
    answer = found(ask(live(2, 2, status="started"), live(1, 1)))
    assert answer.left == live(2, 2, status="started")
    assert answer.traffic == whole(1)


def test_a_version_that_ran_here_may_be_named():
    answer = found(ask(live(3, 3), live(2, 2), live(1, 1), to=version(1), content=3))
    assert (answer.traffic, answer.version) == (whole(1), version(3).id)


def test_what_git_asks_for_besides_is_suspect_too():
    answer = found(ask(live(2, 2), live(1, 1), content=5, entry={"config": {"size": 9}}))
    assert answer.suspects == (
        (Subject(traffic=whole(2)), (version(2).id,)),
        (Subject(traffic=whole(5), config={"size": 9}), (version(5).id,)),
    )


def test_of_a_split_the_largest_that_goes_is_taken_back():
    parts = (
        Allotment(version=version(1).id, number=1, name=None, percent=60),
        Allotment(version=version(2).id, number=2, name=None, percent=30),
        Allotment(version=version(3).id, number=3, name=None, percent=10),
    )
    split = replace(live(2, 1), traffic=parts)
    answer = found(ask(split, live(1, 1), content=3))
    assert (answer.traffic, answer.version) == (whole(1), version(2).id)
    assert answer.suspects[0] == (split.subject, tuple(sorted([version(2).id, version(3).id])))


def test_where_another_environment_is_followed_what_comes_from_there_is_suspect_too():
    places = {"sandbox": environment("sandbox"), "live": environment("live", "sandbox")}
    there = record("live", live(2, 2), live(1, 1))
    facts = recorded(3, record("sandbox", deployment(3, 3)), there)
    wanted = desires(app(), places, at(9))["live"]
    answer = found(way_back(wanted, facts, there, places["live"].spec, None))
    assert [subject.traffic for subject, _ in answer.suspects] == [whole(2), whole(3)]


# Why not


def test_nothing_runs():
    nothing = NoWay("nothing runs in live", "there is nothing to go back from")
    assert ask() == nothing
    assert ask(live(1, 1, status="pending")) == nothing
    assert ask(live(2, 0), live(1, 1)) == nothing


def test_nothing_else_ran():
    assert ask(live(1, 2)) == NoWay("nothing else ran well in live before v2", "commit a fix, or a revert")


def test_it_runs_already():
    remedy = "`reconciler versions list shop` shows the others"
    assert ask(live(2, 2), live(1, 1), to=version(2)) == NoWay("v2 is what runs in live", remedy)


def test_it_never_ran_here():
    assert ask(live(2, 2), live(1, 1, status="failed"), to=version(1)) == NoWay(
        "v1 never ran in live",
        "`reconciler deployments list --app shop --environment live --status completed` shows what did",
    )


def test_it_was_taken_back():
    assert ask(live(2, 2), live(1, 1), to=version(1), withdrawn=withdrawal(1)) == NoWay(
        "v1 was taken back: ffffffffff reverts 0000000000",
        "name another version, or commit a revert of the revert",
    )


def test_git_asks_for_it_already():
    assert ask(live(2, 2), live(1, 1), content=1) == NoWay(
        "git asks for v1 in live already", "`reconciler why shop live` tells what keeps it from running"
    )


@pytest.mark.parametrize("what", [version(1).id, Subject(traffic=traffic(1)).fingerprint])
def test_it_went_wrong_here(what: str):
    failed = live(2, 1, status="failed")
    bad = {"suspicions": suspicion(what, failed)}
    assert ask(live(3, 2), failed, live(1, 1), to=version(1), here=bad) == NoWay(
        "v1 failed in live (deployment 2)", "`reconciler retry live-2` tries it again, or name another version"
    )


def test_somebody_went_back_from_it_here():
    left = live(2, 1)
    bad = {"suspicions": suspicion(version(1).id, left)}
    found = ask(live(3, 2), left, to=version(1), here=bad)
    assert isinstance(found, NoWay)
    # What completed is not tried again: a commit lets it in.
    assert found.remedy == (
        "name another version, or `reconciler promote shop --to live --version v1 --allow-suspect` writes the commit "
        "that wants it"
    )


def test_a_guard_speaks_against_it():
    line = [live(3, 3), live(2, 2), live(1, 1)]
    assert found(ask(*line, to=version(1), content=3, limit=2)).traffic == whole(1)
    assert ask(*line, to=version(1), content=3, limit=1) == NoWay(
        "v1 ran here 2 deployments ago, and live goes back 1 at most (`rollback.limit` of the Environment)",
        "a commit with the trailer `Allow-Rollback: shop/live` goes back all the same, or release forward",
    )


def test_a_guard_lets_pass_by_the_word_of_the_commit_that_is_left():
    line = [live(3, 3), live(2, 2), live(1, 1)]
    word = Allowance(environment="live", position=3, at=at(0), author="ann", commit=f"{3:040x}")
    assert found(ask(*line, to=version(1), content=3, limit=1, allowances=(word,))).traffic == whole(1)
    other = replace(word, commit=f"{2:040x}")
    assert isinstance(ask(*line, to=version(1), content=3, limit=1, allowances=(other,)), NoWay)


# What runs while it holds

HOLD = HoldRecord(
    by="ann@example.com",
    reason="orders fail",
    since=at(3),
    traffic=traffic(1),
    deployment="live-2",
    version=version(2).id,
)
SUSPECT = suspicion(version(2).id, live(2, 2))


def held(*newest_first: Deployment, entry: Mapping[str, Any] | None = None, **more: Any) -> Plan:
    """Ann went back to version 1 in live, and git still asks for version 2."""
    here: EnvironmentRecord = record(
        "live",
        *newest_first,
        hold=more.pop("hold", HOLD),
        suspicions={**SUSPECT, **more.pop("bad", {})},
        touch=more.pop("entry_touch", None),
    )
    facts: RecordedApp = recorded(more.pop("content", 2), here, **more)
    return planned(app(environments={"live": dict(entry or {})}), facts, at(4), LIVE)


def test_what_a_person_went_back_to_is_deployed_in_their_name():
    plan = held(live(2, 2), live(1, 1))
    (deploy,) = plan.actions
    assert isinstance(deploy, Deploy)
    assert deploys(plan) == {"live": ("rollback", [1])}
    assert deploy.reason == "ann@example.com rolled it back to v1: orders fail"
    assert (deploy.deployed_by, deploy.commit, deploy.rolled_back_from) == ("ann@example.com", f"{2:040x}", "live-2")
    assert deploy.grounds.held_by == "ann@example.com"
    assert deploy.grounds.base == Subject(traffic=traffic(1)).fingerprint
    (refused,) = plan.refused
    assert refused.rule == "suspect"
    assert refused.detail == (
        "v2 failed here (deployment 2, live-2): commit a fix, or `reconciler release shop live`, or a commit with "
        "`Allow-Suspect: shop/live`"
    )


def back(config: Mapping[str, Any] | None = None, **more: Any) -> Deployment:
    made = live(3, 1, cause="rollback", config=config, **more)
    return replace(made, grounds=replace(made.grounds, held_by="ann@example.com"))


def test_it_stays_there():
    assert held(back(), live(2, 2), live(1, 1)).empty


def test_settings_that_change_on_the_way_leave_it_the_way_of_that_person():
    waits = {"status": "started", "started_at": at(3), "attempts": 1, "next_attempt_at": at(5)}
    plan = held(
        back(**waits),
        live(2, 2),
        live(1, 1),
        entry={"config": {"size": 9}},
        entry_touch=touch(4, "changed", hours=1),
        bad=suspicion(Subject(traffic=traffic(2), config={"size": 9}).fingerprint, live(3, 2)),
    )
    assert deploys(plan) == {"live": ("rollback", [1])}
    (deploy,) = [action for action in plan.actions if isinstance(action, Deploy)]
    assert deploy.reason == "ann@example.com rolled it back to v1: orders fail"
    assert (deploy.deployed_by, deploy.rolled_back_from) == ("ann@example.com", "live-2")


def test_settings_reach_it_there_as_an_ordinary_change():
    plan = held(
        back(),
        live(2, 2),
        live(1, 1),
        entry={"config": {"size": 9}},
        entry_touch=touch(4, "changed", hours=1),
        bad=suspicion(Subject(traffic=traffic(2), config={"size": 9}).fingerprint, live(3, 2)),
    )
    (deploy,) = plan.actions
    assert isinstance(deploy, Deploy)
    assert deploys(plan) == {"live": ("release", [1])}
    assert deploy.subject.config == {"size": 9}
    assert deploy.commit == f"{4:040x}"
    assert deploy.rolled_back_from is None
    assert deploy.grounds.held_by == "ann@example.com"


def test_when_going_back_went_wrong_too_a_person_is_needed():
    failed = back(status="failed")
    plan = held(failed, live(2, 2), live(1, 1), bad=suspicion(failed.subject.fingerprint, failed))
    assert plan.empty
    assert [one.detail.partition(":")[0] for one in plan.refused] == [
        "v2 failed here (deployment 2, live-2)",
        "v1 failed here (deployment 3, live-3)",
    ]
    assert "`reconciler retry live-3`" in plan.refused[1].detail


def test_another_try_of_going_back_is_a_retry():
    failed = back(status="failed")
    plan = held(
        failed,
        live(2, 2),
        live(1, 1),
        bad=suspicion(failed.subject.fingerprint, failed),
        retries=(RetryRequest(deployment="live-3", actor="bob@example.com"),),
    )
    (deploy,) = plan.actions
    assert isinstance(deploy, Deploy)
    assert deploys(plan) == {"live": ("retry", [1])}
    assert deploy.reason == "bob@example.com asked to try deployment 3 again: v1"
    assert (deploy.deployed_by, deploy.commit) == ("bob@example.com", f"{1:040x}")
    assert deploy.grounds.held_by == "ann@example.com"


def test_not_even_a_pin_brings_back_what_is_held_off():
    plan = held(live(2, 2), live(1, 1), entry={"version": "v2"}, references={"v2": version(2).id})
    assert deploys(plan) == {"live": ("rollback", [1])}


def test_the_hold_ends_when_git_asks_for_something_else():
    plan = held(back(), live(2, 2), live(1, 1), content=3)
    assert deploys(plan) == {"live": ("release", [3])}
    reason = "git asks for v3, and nothing speaks against it here any more"
    assert Lift(app="shop", environment="live", reason=reason) in plan.actions


def test_what_a_person_went_back_to_is_not_promoted_before_git_says_the_same():
    gone_back = replace(deployment(3, 1, cause="rollback"), grounds=Grounds(held_by="ann@example.com"))
    places = {"sandbox": environment("sandbox"), "live": environment("live", "sandbox")}
    running = record("live", live(2, 2), live(1, 1))

    def plan(content: int) -> Plan:
        above = record("sandbox", gone_back, deployment(2, 2), deployment(1, 1))
        return planned(app(), recorded(content, above, running), at(4), places)

    assert "live" not in deploys(plan(2))
    assert deploys(plan(1))["live"] == ("promotion", [1])
