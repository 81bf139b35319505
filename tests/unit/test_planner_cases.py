"""What the planner answers in rarer cases, each of which once would have gone wrong unnoticed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.model.deployment import Grounds, Subject
from reconciler.model.plan import Plan, RunChecks
from reconciler.model.rollout import Course, Progress
from reconciler.planner import rollouts, triggers
from reconciler.planner.recorded import Override, RecordedApp
from tests.builders import (
    app,
    at,
    deployment,
    deploys,
    environment,
    freeze,
    planned,
    record,
    recorded,
    suspicion,
    touch,
    traffic,
    version,
    waits,
    withdrawal,
)
from tests.plans import BOTH, PLACES, live, only

BY_SEASON = Grounds(chosen_by="season")
FREEZE = freeze("stock", "2026-06-01T13:00", "2026-06-01T20:00")


def plan(facts: RecordedApp, hours: float = 9, shop: Any = BOTH, **spec: Any) -> Plan:
    return planned(shop, facts, at(hours), {**PLACES, "live": environment("live", "sandbox", **spec)})


# Promotions


def test_what_a_season_chose_above_does_not_hide_what_completed_before_it():
    above = record("sandbox", deployment(2, 5, grounds=BY_SEASON), deployment(1, 1))
    assert deploys(plan(recorded(1, above)))["live"] == ("promotion", [1])


def test_a_setting_of_an_environment_that_follows_another_is_no_promotion():
    shop = app(environments={"sandbox": {}, "live": {"config": {"size": 9}}})
    here = record("live", live(1, 1), touch=touch(7, "changed", hours=3))
    deploy = only(plan(recorded(1, record("sandbox", deployment(1, 1)), here), shop=shop))
    assert (deploy.cause, deploy.reason, deploy.commit) == ("release", "0000000000 asks for v1: change 7", f"{7:040x}")


def test_a_soak_begins_when_the_deployment_is_complete():
    long = replace(deployment(2, 2), finished_at=at(4))
    facts = recorded(2, record("sandbox", long, deployment(1, 1)), record("live", live(1, 1)))
    assert waits(plan(facts, 4.5, gates={"soak": "1h"}), "live") == ["soak"]
    assert deploys(plan(facts, 5, gates={"soak": "1h"})) == {"live": ("promotion", [2])}


def test_what_is_newer_still_waits_while_what_has_passed_enters():
    facts = recorded(3, record("sandbox", deployment(3, 3), deployment(2, 2)), record("live", live(1, 1)))
    found = plan(facts, 3.5, gates={"soak": "1h"})
    assert deploys(found) == {"live": ("promotion", [2])}
    assert [(one.detail, one.until) for one in found.waiting] == [("v3 soaks in sandbox for 1h", at(4))]


def test_a_train_leaves_by_the_clocks_of_its_zone():
    train = {"cron": "0 17 * * *", "timezone": "Europe/Paris"}  # three hours after noon
    facts = recorded(2, record("sandbox", deployment(2, 2)), record("live", live(1, 1)))
    assert plan(facts, 2.5, when=train).wake_at == at(3)
    assert only(plan(facts, 3.5, when=train)).due_at == at(3)


def test_promotions_wait_for_the_winner_when_an_experiment_is_over():
    trial = {"control": "v1", "variant": "v2", "percent": 20, "until": "2026-06-01T20:00:00Z"}
    shop = app(environments={"sandbox": {}, "live": {"experiment": trial}})
    here = record("live", live(1, 1), touch=touch(9, "changed"))
    named = {"v1": version(1).id, "v2": version(2).id}
    facts = recorded(2, record("sandbox", deployment(2, 2)), here, references=named)
    assert [one.until for one in plan(facts, 7.9, shop).waiting] == [at(8)]
    over = plan(facts, 8, shop)
    detail = "v2 waits, since an experiment is over and the control runs alone: commit the winner in place of it"
    assert [(one.waits_for, one.until, one.detail) for one in over.waiting] == [("experiment", None, detail)]


def test_checks_of_a_split_are_told_the_commit_of_its_largest_part():
    shares = [{"version": "v2", "percent": 30}, {"version": "v3", "percent": 70}]
    shop = app(environments={"live": {"traffic": shares}})
    named = {"v2": version(2).id, "v3": version(3).id}
    facts = recorded(3, record("live", live(1, 1), touch=touch(9, "changed")), references=named)
    gates = {"checks": [{"name": "smoke", "run": ["true"]}]}
    (run,) = plan(facts, shop=shop, gates=gates).actions
    assert isinstance(run, RunChecks)
    assert run.commit == version(3).commit


def test_the_gates_that_a_hotfix_skipped_are_listed():
    urgent = [version(2, tags=("HOTFIX",))]
    facts = recorded(2, record("sandbox", deployment(2, 2)), record("live", live(1, 1)), versions=urgent)
    found = plan(facts, 3, gates={"soak": "5h", "approvals": 1, "hotfix": ["soak", "approvals"]})
    assert only(found).remarks == ("[HOTFIX] skipped soak, approvals",)


# Ways back


def test_the_way_back_passes_by_what_a_season_chose_and_has_todays_settings():
    shop = app(environments={"sandbox": {}, "live": {"config": {"size": 9}}})
    there = record("live", live(3, 2), live(2, 5, grounds=BY_SEASON), live(1, 1))
    facts = recorded(1, record("sandbox", deployment(1, 1)), there, withdrawn=withdrawal(2))
    deploy = only(plan(facts, shop=shop))
    assert (deploy.cause, deploy.subject) == ("rollback", Subject(traffic=traffic(1), config={"size": 9}))


def test_what_went_back_stays_and_goes_no_further_back():
    bad = deployment(3, 3, "failed")
    back = deployment(4, 2, cause="auto-rollback")
    line = record("sandbox", back, bad, deployment(2, 2), deployment(1, 1), suspicions=suspicion(version(3).id, bad))
    found = planned(app(environments=("sandbox",)), recorded(3, line), at(9))
    assert (deploys(found), [one.rule for one in found.refused]) == ({}, ["suspect"])


def test_a_pin_that_was_reverted_goes_back_to_the_end_although_settings_change_on_the_way():
    """The commit that has begun it has not done it yet."""
    shop = app(environments={"sandbox": {}, "live": {"config": {"size": 9}}})
    back = live(3, 1, status="started", cause="rollback", attempts=1, next_attempt_at=at(4))
    begun = replace(back, commit=f"{7:040x}")
    here = record("live", begun, live(2, 2), live(1, 1), touch=touch(7, "reverted", ["9" * 40], hours=2.9))
    facts = recorded(1, record("sandbox", deployment(1, 1)), here)
    deploy = only(planned(shop, facts, at(3.5), PLACES, freezes=[FREEZE]))
    assert (deploy.cause, deploy.subject) == ("rollback", Subject(traffic=traffic(1), config={"size": 9}))
    assert deploy.rolled_back_from == "live-2"


# Freezes


def test_only_a_hotfix_passes_as_a_hotfix():
    allowed = freeze("stock", "2026-06-01T13:00", "2026-06-01T20:00", allow=["hotfix"])
    facts = recorded(2, record("sandbox", deployment(2, 2)), record("live", live(1, 1)))
    assert deploys(planned(BOTH, facts, at(3), PLACES, freezes=[allowed])) == {}


def test_a_setting_passes_a_freeze_by_the_word_of_its_own_commit():
    shop = app(environments={"sandbox": {}, "live": {"config": {"size": 9}}})
    here = record("live", live(1, 1), touch=touch(7, "changed"))
    word = Override(commit=f"{0xABCDEF << 136:040x}", author="eve@example.com", reason="the tills are wrong")
    own = replace(touch(7, "changed"), commit=word.commit)
    facts = recorded(1, record("sandbox", deployment(1, 1)), here, overrides={word.commit: word})
    assert deploys(planned(shop, facts, at(3), PLACES, freezes=[FREEZE])) == {}
    passing = replace(facts, environments={**facts.environments, "live": replace(here, touch=own)})
    deploy = only(planned(shop, passing, at(3), PLACES, freezes=[FREEZE]))
    said = "passed the freeze stock by the word of eve@example.com in abcdef0000: the tills are wrong"
    assert deploy.remarks == (said,)


# Schedules, rollouts and triggers


def test_a_schedule_is_remembered_and_an_experiment_ends_at_its_very_moment():
    timed = app(environments={"live": {"schedule": [{"at": "2026-06-01T14:00", "timezone": "UTC", "version": "v2"}]}})
    named = {"v1": version(1).id, "v2": version(2).id}
    here = record("live", live(1, 1), touch=touch(7))
    due = only(plan(recorded(1, here, references=named), 2, timed))
    assert (due.cause, due.grounds.scheduled_at) == ("schedule", at(2))
    trial = {"control": "v1", "variant": "v2", "percent": 20, "until": "2026-06-01T20:00:00Z"}
    base = Grounds(base=Subject(traffic=traffic(1, 2)).fingerprint)
    split = replace(live(2, 1, grounds=base), traffic=traffic(1, 2))
    facts = recorded(1, record("live", split, touch=touch(7)), references=named)
    over = only(plan(facts, 8, app(environments={"live": {"experiment": trial}})))
    assert (over.cause, over.due_at) == ("schedule", at(8))


def test_each_phase_of_a_rollout_says_since_when_and_each_step_has_its_split():
    course = Course(steps=(10, 100), before=traffic(1), interval=at(1) - at(0), bake=at(1) - at(0))
    first = rollouts.begin(Progress(course=course), at(2))
    held = rollouts.follows(first, at(3))
    assert held is not None
    last = rollouts.follows(held, at(4))
    assert last is not None
    baking = rollouts.follows(last, at(5))
    assert baking is not None
    checked = rollouts.follows(baking, at(6))
    assert checked is not None
    phases = [(one.phase, one.since) for one in (first, held, last, baking, checked)]
    assert phases == [
        ("releasing", at(2)),
        ("holding", at(3)),
        ("releasing", at(4)),
        ("baking", at(5)),
        ("checking", at(6)),
    ]
    shown = rollouts.split(deployment(2, 2, "started", rollout=held))
    assert [(part.number, part.percent) for part in shown] == [(1, 90), (2, 10)]
    assert rollouts.split(deployment(2, 2, "started", rollout=last)) == traffic(2)


def test_other_triggers_have_another_digest():
    def digest(**given: Any) -> str | None:
        return triggers.digest(app(triggers=given).spec.triggers)

    assert digest() is None
    assert len({digest(routes=["a.example/*"]), digest(routes=["b.example/*"]), digest(domains=["a.example"])}) == 3
