"""What is told of a plan: every waiting, refusal, stop and deployment as the operator reads it, word for word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from reconciler.model.app import Binding, SecretReference
from reconciler.model.deployment import Deployment
from reconciler.model.plan import Abort, Advance, ApplyTriggers, Deploy, Plan, Refused, Waiting
from reconciler.model.rollout import Course, Progress
from reconciler.planner.plan import plan as plan_of
from reconciler.planner.recorded import (
    AbortRequest,
    Allowance,
    Brake,
    Dependency,
    PauseRecord,
    RecordedApp,
    TriggerRecord,
)
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
    withdrawal,
)

HERE = {"app": "shop", "environment": "sandbox"}
ALONE = app(environments=("sandbox",))
BOTH = app(environments=("sandbox", "live"))
PLACES = {"sandbox": environment("sandbox"), "live": environment("live", "sandbox")}


def live(number: int, of: int, status: Any = "completed", **more: Any) -> Deployment:
    return deployment(number, of, status, environment="live", **more)


def alone(facts: RecordedApp, hours: float = 9, entry: Mapping[str, Any] | None = None, **spec: Any) -> Plan:
    """The plan where the app is in sandbox only."""
    shop = app(environments={"sandbox": dict(entry or {})})
    return planned(shop, facts, at(hours), {"sandbox": environment("sandbox", **spec)})


def deploy_of(plan: Plan, name: str = "sandbox") -> Deploy:
    (one,) = [action for action in plan.actions if isinstance(action, Deploy) and action.environment == name]
    return one


def told(deploy: Deploy) -> tuple[str, str, str | None, str]:
    return deploy.cause, deploy.reason, deploy.commit, deploy.deployed_by


# What waits


def test_the_next_attempt():
    between = deployment(2, 2, "started", attempts=3, next_attempt_at=at(10), error="exit 1")
    plan = alone(recorded(2, record("sandbox", between)))
    detail = "attempt 3 of deployment 2 failed: exit 1"
    assert plan == Plan(
        waiting=(Waiting(**HERE, waits_for="retry", until=at(10), detail=detail),), refused=(), wake_at=at(10)
    )
    silent = alone(recorded(2, record("sandbox", replace(between, error=None))))
    assert silent.waiting[0].detail == "attempt 3 of deployment 2 failed: no word why"


def test_a_running_deployment():
    plan = alone(recorded(2, record("sandbox", deployment(1, 1, "started"))))
    detail = "deployment 1 (v1) is still running"
    assert plan == Plan(waiting=(Waiting(**HERE, waits_for="deployment", detail=detail),))
    leaving = alone(recorded(2, record("sandbox", deployment(2, 0, "started"), deployment(1, 1))))
    assert leaving.waiting[0].detail == "deployment 2 (nothing) is still running"


def test_of_two_pauses_the_longer_counts_and_others_environments_do_not():
    pauses = tuple(
        PauseRecord(environment=where, by=by, reason=f"reason of {by}", until=at(until))
        for where, by, until in (("sandbox", "ann", 12), (None, "bob", 11), ("live", "eve", 20), (None, "old", 9))
    )
    plan = alone(recorded(2, record("sandbox", deployment(1, 1)), pauses=pauses))
    paused = Waiting(**HERE, waits_for="pause", until=at(12), detail="paused by ann: reason of ann")
    assert plan == Plan(waiting=(paused,), wake_at=at(12))
    over = replace(recorded(2, record("sandbox", deployment(1, 1))), pauses=pauses[3:])
    assert deploys(alone(over)) == {"sandbox": ("release", [2])}


def test_a_pause_of_the_manifest():
    entry = {"pause": {"by": "ann", "reason": "stock-taking", "until": "2026-06-02T00:00:00Z"}}
    plan = alone(recorded(2, record("sandbox", deployment(1, 1))), entry=entry)
    paused = Waiting(**HERE, waits_for="pause", until=at(12), detail="paused by ann: stock-taking")
    assert plan == Plan(waiting=(paused,), wake_at=at(12))
    there = {"pause": {"by": "ann", "reason": "stock-taking", "until": "2026-06-02T02:00", "timezone": "Europe/Paris"}}
    assert alone(recorded(2, record("sandbox", deployment(1, 1))), entry=there) == plan


@pytest.mark.parametrize(
    ("completed", "active", "state"), [(True, True, "is being deployed"), (False, False, "has not completed")]
)
def test_a_dependency(completed: bool, active: bool, state: str):
    others = (
        Dependency(app="tills", environment="live", completed=False, active=False),
        Dependency(app="books", environment="sandbox", completed=True, active=False),
        Dependency(app="payments", environment="sandbox", completed=completed, active=active),
    )
    plan = alone(recorded(1, dependencies=others))
    detail = f"payments, which it depends on, {state} in sandbox"
    assert plan == Plan(waiting=(Waiting(**HERE, waits_for="dependency", detail=detail),))


def test_a_broken_file():
    facts = recorded(2, record("sandbox", deployment(1, 1)), complaints=("shop.yaml:3:1: no such key", "another"))
    detail = "shop.yaml:3:1: no such key; stays as it is until the file is mended"
    assert alone(facts) == Plan(waiting=(Waiting(**HERE, waits_for="manifest", detail=detail),))


def test_what_there_is_nothing_to_promote_of():
    nothing = planned(BOTH, recorded(1, record("sandbox", deployment(1, 1, "started"))), at(9), PLACES)
    lacking = Waiting(
        app="shop", environment="live", waits_for="promotion", detail="nothing has completed in sandbox yet"
    )
    assert lacking in nothing.waiting
    split = replace(deployment(2, 1), traffic=traffic(1, 2))
    kept = planned(BOTH, recorded(1, record("sandbox", split, deployment(1, 1))), at(9), PLACES)
    assert "live" not in deploys(kept)
    detail = "what runs in sandbox is not to be promoted"
    assert Waiting(app="shop", environment="live", waits_for="promotion", detail=detail) in kept.waiting
    empty = alone(replace(recorded(1), content=None))
    detail = "no content has been published yet"
    assert empty == Plan(waiting=(Waiting(**HERE, waits_for="version", detail=detail),))


def test_freezes_are_named_with_their_reasons_and_the_last_end_counts():
    freezes = [
        freeze("stock", "2026-06-01T13:00", "2026-06-01T23:00"),
        freeze("audit", "2026-06-01T13:00", "2026-06-01T22:00", reason="the books are read"),
    ]
    facts = recorded(2, record("sandbox", deployment(2, 2)), record("live", live(1, 1)))
    detail = (
        "v2 waits for the end of the freeze audit (the books are read), stock (stock-taking); a commit of it with the "
        "trailer `Freeze-Override: <reason>` passes, and so does every rollback"
    )
    assert planned(BOTH, facts, at(9), PLACES, freezes=freezes) == Plan(
        waiting=(Waiting(app="shop", environment="live", waits_for="freeze", until=at(11), detail=detail),),
        wake_at=at(11),
    )


def rolling(step: int, phase: Any, **more: Any) -> Deployment:
    progress = Progress(course=Course(steps=(10, 50, 100), before=traffic(1)), step=step, phase=phase, **more)
    return deployment(2, 2, "started", rollout=progress)


@pytest.mark.parametrize(
    ("active", "said"),
    [
        (rolling(0, "releasing"), "step 1 of 3 (10 %), being released, then 50 %"),
        (
            rolling(1, "checking", since=at(2)),
            "step 2 of 3 (50 %), being checked since 2026-06-01T14:00:00Z, then 100 %",
        ),
        (rolling(1, "holding", until=at(10)), "step 2 of 3 (50 %), held, then 100 %"),
        (
            rolling(2, "baking", until=at(10), bake_until=at(11)),
            "step 3 of 3 (100 %), watched, complete at 2026-06-01T23:00:00Z if all goes well",
        ),
        (rolling(2, "releasing"), "step 3 of 3 (100 %), being released"),
    ],
)
def test_how_far_a_rollout_has_come(active: Deployment, said: str):
    here = record("sandbox", active, deployment(1, 1))
    said = f"deployment 2 (v2) is at {said}"
    until = active.rollout.until if active.rollout else None
    expected = Waiting(**HERE, waits_for="rollout", until=until, detail=said)
    assert alone(recorded(2, here)) == Plan(waiting=(expected,), wake_at=until)
    newer = alone(recorded(3, here))
    assert newer == Plan(waiting=(replace(expected, detail=f"v3 waits: {said}"),), wake_at=until)


def test_a_refusal_is_told_beside_a_rollout():
    here = record("sandbox", rolling(0, "holding", until=at(10)), deployment(1, 1))
    facts = recorded(2, here, references={"v3": version(3).id}, withdrawn=withdrawal(3))
    plan = alone(facts, entry={"version": "v3"})
    assert ([one.waits_for for one in plan.waiting], [one.rule for one in plan.refused]) == (["rollout"], ["withdrawn"])


def test_a_rollout_goes_on_with_a_word():
    going_on = alone(recorded(2, record("sandbox", rolling(1, "holding", until=at(9)), deployment(1, 1))))
    reason = "deployment 2 (v2) is at step 2 of 3 (50 %), held, then 100 %"
    assert going_on.actions == (Advance(**HERE, deployment="sandbox-2", reason=reason),)


def test_a_rollout_that_a_pause_holds_says_both():
    pause = (PauseRecord(environment=None, by="ann", reason="tea", until=at(12)),)
    here = record("sandbox", rolling(1, "holding", until=at(9)), deployment(1, 1))
    held = alone(recorded(2, here, pauses=pause))
    said = "deployment 2 (v2) is at step 2 of 3 (50 %), held, then 100 %"
    assert Waiting(**HERE, waits_for="pause", until=at(12), detail=f"paused by ann: tea; {said}") in held.waiting


# What is stopped


def test_a_stop_that_a_person_asked_for():
    wish = AbortRequest(deployment="sandbox-2", actor="ann@example.com", reason="wrong day")
    reason = "ann@example.com asked to stop it: wrong day"
    stop = Abort(**HERE, deployment="sandbox-2", running=True, reason=reason, actor="ann@example.com")
    for status, running in (("started", True), ("pending", False)):
        facts = recorded(2, record("sandbox", deployment(2, 2, status), deployment(1, 1)), aborts=(wish,))
        assert alone(facts) == Plan(actions=(replace(stop, running=running),))
    other = (replace(wish, deployment="sandbox-1"),)
    assert alone(recorded(2, record("sandbox", deployment(2, 2, "started")), aborts=other)).empty


def test_what_gives_way_to_something_newer():
    plan = alone(recorded(2, record("sandbox", deployment(1, 1, "pending"))))
    stop = Abort(**HERE, deployment="sandbox-1", running=False, reason="superseded: v2: change 2", actor="reconciler")
    assert plan.actions[0] == stop
    assert deploys(plan) == {"sandbox": ("release", [2])}


def test_what_gives_way_to_a_revert_is_told_to_stop():
    facts = recorded(
        1,
        record("sandbox", deployment(2, 2, "started"), deployment(1, 1)),
        content_touch=touch(1, "reverted", ["2" * 40]),
        withdrawn=withdrawal(2, restores=1),
    )
    reason = "0000000000 reverts 2222222222: back to v1"
    stop = Abort(**HERE, deployment="sandbox-2", running=True, reason=reason, actor="reconciler")
    assert alone(facts) == Plan(
        actions=(stop,),
        waiting=(Waiting(**HERE, waits_for="deployment", detail="deployment 2 (v2) is still running"),),
    )


def test_what_left_git_before_its_turn_came():
    facts = recorded(1, record("sandbox", deployment(1, 1, "pending")))
    plan = plan_of(None, {}, {"sandbox": environment("sandbox")}, facts, at(9))
    reason = "it left git before its turn came"
    assert plan == Plan(
        actions=(Abort(**HERE, deployment="sandbox-1", running=False, reason=reason, actor="reconciler"),)
    )


def test_what_a_pause_stops_before_its_turn():
    pause = (PauseRecord(environment=None, by="ann", reason="tea", until=at(12)),)
    plan = alone(recorded(2, record("sandbox", deployment(2, 2, "pending"), deployment(1, 1)), pauses=pause))
    reason = "its turn had not come yet: paused by ann: tea"
    assert plan == Plan(
        actions=(Abort(**HERE, deployment="sandbox-2", running=False, reason=reason, actor="reconciler"),),
        waiting=(Waiting(**HERE, waits_for="pause", until=at(12), detail="paused by ann: tea"),),
        wake_at=at(12),
    )


# What is refused


def test_the_brake():
    brakes = tuple(
        Brake(commit=letter * 40, position=place, changed=changed, recorded=60)
        for letter, place, changed in (("a", 7, 40), ("b", 8, 60))
    )
    facts = recorded(2, record("sandbox", deployment(1, 1)), brakes=brakes)
    detail = (
        "bbbbbbbbbb changes or removes 60 of 60 (100 %): revert it, or commit with the trailer `Allow-Mass-Change: 60`"
    )
    assert alone(facts) == Plan(refused=(Refused(**HERE, rule="mass-change", detail=detail),))


def test_the_brake_holds_back_no_rollback_and_no_promotion():
    brake = (Brake(commit="a" * 40, position=7, changed=40, recorded=100),)
    facts = recorded(
        1, record("sandbox", deployment(2, 2), deployment(1, 1)), brakes=brake, content_touch=touch(1, "reverted")
    )
    withdrawn = replace(facts, withdrawn=withdrawal(2, restores=1))
    assert deploys(alone(withdrawn)) == {"sandbox": ("rollback", [1])}
    both = recorded(1, record("sandbox", deployment(1, 1)), brakes=brake)
    assert deploys(planned(BOTH, both, at(9), PLACES)) == {"live": ("promotion", [1])}


def test_what_went_wrong_here():
    bad = deployment(2, 2, "failed")
    suspects = suspicion(version(2).id, bad)
    held = alone(recorded(2, record("sandbox", bad, deployment(1, 1), suspicions=suspects)), on_failure="hold")
    detail = (
        "v2 failed here (deployment 2, sandbox-2): commit a fix, or `reconciler retry sandbox-2`, or a commit with "
        "`Allow-Suspect: shop/sandbox`"
    )
    assert held == Plan(refused=(Refused(**HERE, rule="suspect", detail=detail),))


def test_a_version_that_nobody_knows():
    plan = alone(recorded(1, references={"9.9": None}), entry={"version": "9.9"})
    detail = "shop has no version 9.9; `reconciler versions list shop` shows those it has"
    assert plan == Plan(refused=(Refused(**HERE, rule="version", detail=detail),))


def test_a_pin_to_what_was_taken_back():
    facts = recorded(2, record("sandbox", deployment(1, 2)), withdrawn=withdrawal(2), references={"v2": version(2).id})
    detail = (
        "pinned to v2, which ffffffffff took back by reverting 0000000000: it stays, since the pin was written by "
        "hand; move the pin to leave it"
    )
    assert alone(facts, entry={"version": "v2"}) == Plan(refused=(Refused(**HERE, rule="withdrawn", detail=detail),))


def test_nothing_to_go_back_to():
    facts = recorded(1, record("sandbox", deployment(1, 1)), record("live", live(1, 2)), withdrawn=withdrawal(2))
    facts = replace(facts, environments={**facts.environments, "sandbox": record("sandbox")}, content=None)
    plan = planned(BOTH, facts, at(9), PLACES)
    detail = (
        "ffffffffff reverts 0000000000, and nothing without it ran here before: it stays until something else is "
        "promoted to live"
    )
    assert plan.refused == (Refused(app="shop", environment="live", rule="withdrawn", detail=detail),)


WAY_OUT = "a commit with the trailer `Allow-Rollback: shop/sandbox` goes back all the same, or release forward"
ONE, TWO = version(1).id, version(2).id


def bound(name: str, resource: str) -> Binding:
    return TypeAdapter(Binding).validate_python({"name": name, "type": "kv", "resource": resource})


def secret(name: str, source: str) -> SecretReference:
    return TypeAdapter(SecretReference).validate_python({"name": name, "from": source})


@pytest.mark.parametrize(
    ("older", "newer", "more", "said"),
    [
        ({}, {"migrations": ("a",)}, {}, "1.0 lacks 1 migration (a) that 2.0 has made, and migrations go one way"),
        (
            {"migrations": ("a",)},
            {"migrations": ("a", "b", "c")},
            {},
            "1.0 lacks 2 migrations (b, c) that 2.0 has made, and migrations go one way",
        ),
        (
            {"bindings": (bound("db", "orders"), bound("mail", "post"))},
            {},
            {"resources": frozenset({"post"})},
            "1.0 is bound to 1 resource (orders) that git no longer declares",
        ),
        (
            {"secrets": (secret("KEY", "env:OLD"), secret("SAME", "env:HERE"))},
            {"secrets": (secret("KEY", "env:NEW"), secret("SAME", "env:HERE"))},
            {},
            "1.0 reads 1 secret (KEY) from another place than 2.0 does",
        ),
    ],
)
def test_a_way_back_that_a_guard_stands_in(older: dict, newer: dict, more: dict, said: str):
    bad = deployment(2, 2, "failed")
    facts = recorded(2, record("sandbox", bad, deployment(1, 1), suspicions=suspicion(TWO, bad)), **more)
    old, new = replace(version(1), name="1.0", **older), replace(version(2), name="2.0", **newer)
    versions = {**facts.versions, ONE: old, TWO: new}
    guarded = replace(facts, versions=versions)
    plan = alone(guarded)
    assert plan.empty
    assert plan.refused[1] == Refused(**HERE, rule="rollback", detail=f"{said}; {WAY_OUT}")
    word = Allowance(environment="sandbox", position=9, at=at(3), author="ann", commit="c" * 40)
    for allowed in (word, replace(word, at=at(1), commit=f"{2:040x}"), replace(word, at=at(2))):
        assert deploys(alone(replace(guarded, allowances=(allowed,)))) == {"sandbox": ("auto-rollback", [1])}
    for vain in (replace(word, at=at(1)), replace(word, environment="live")):
        assert alone(replace(guarded, allowances=(vain,))).empty


def test_the_way_back_from_a_withdrawn_version_is_allowed_by_its_revert_or_what_follows():
    facts = recorded(1, record("sandbox", deployment(1, 1)), record("live", live(2, 2), live(1, 1)))
    facts = replace(facts, withdrawn=withdrawal(2), versions={**facts.versions, TWO: version(2, migrations=("a",))})
    assert [one.rule for one in planned(BOTH, facts, at(9), PLACES).refused] == ["rollback"]
    word = Allowance(environment="live", position=50, at=at(3), author="ann", commit="c" * 40)
    allowed = planned(BOTH, replace(facts, allowances=(word,)), at(9), PLACES)
    assert deploys(allowed) == {"live": ("rollback", [1])}
    earlier = planned(BOTH, replace(facts, allowances=(replace(word, position=49),)), at(9), PLACES)
    assert earlier.empty


# When somebody looks again


def test_it_looks_again_at_the_end_of_a_pause_although_nothing_waits():
    entry = {"pause": {"by": "ann", "reason": "stock-taking", "until": "2026-06-02T00:00:00Z"}}
    assert alone(recorded(1, record("sandbox", deployment(1, 1))), entry=entry) == Plan(wake_at=at(12))


# Ways back, passed over and allowed


def test_the_way_back_passes_by_what_is_suspect_too():
    bad = deployment(3, 3, "failed")
    suspects = suspicion(version(3).id, bad) | suspicion(TWO, deployment(2, 2))
    here = record("sandbox", bad, deployment(2, 2), deployment(1, 1), suspicions=suspects)
    assert deploys(alone(recorded(3, here))) == {"sandbox": ("auto-rollback", [1])}


def test_a_revert_runs_again_what_was_only_stopped_here():
    stopped = deployment(2, 1, "aborted")
    here = record(
        "sandbox",
        deployment(3, 2),
        stopped,
        deployment(1, 1),
        suspicions=suspicion(stopped.subject.fingerprint, stopped),
    )
    later = touch(1, "reverted", ["2" * 40], hours=5)
    facts = recorded(1, here, content_touch=later, withdrawn=withdrawal(2, 1))
    assert deploys(alone(facts)) == {"sandbox": ("rollback", [1])}
    earlier = replace(facts, content_touch=replace(later, at=at(1)))
    assert [one.rule for one in alone(earlier).refused] == ["suspect"]


def test_a_pin_further_back_than_is_remembered_one_by_one():
    here = record("sandbox", deployment(14, 3), deployment(13, 2), touch=touch(7, "changed", hours=15))
    facts = recorded(3, here, references={"v1": ONE})
    deep = replace(facts, environments={"sandbox": replace(here, depths={ONE: 12})})
    detail = "v1 ran here 12 deployments ago, and sandbox goes back 10 at most (`rollback.limit` of the Environment)"
    plan = alone(deep, 16, entry={"version": "v1"}, rollback={"limit": 10})
    assert plan == Plan(refused=(Refused(**HERE, rule="rollback", detail=f"{detail}; {WAY_OUT}"),))
    assert deploys(alone(deep, 16, entry={"version": "v1"}, rollback={"limit": 12})) == {"sandbox": ("rollback", [1])}
    word = Allowance(environment="sandbox", position=7, at=at(15), author="ann", commit="c" * 40)
    allowed = replace(deep, allowances=(word,))
    assert deploys(alone(allowed, 16, entry={"version": "v1"})) == {"sandbox": ("rollback", [1])}
    older = replace(deep, allowances=(replace(word, position=6),))
    assert alone(older, 16, entry={"version": "v1"}).empty


def test_what_a_revert_restored_is_gone_back_to_before_anything_newer():
    there = record("live", live(3, 3), live(2, 2), live(1, 1))
    facts = recorded(1, record("sandbox", deployment(1, 1)), there)
    restored = replace(facts, withdrawn=withdrawal(3, restores=1))
    assert deploys(planned(BOTH, restored, at(9), PLACES)) == {"live": ("rollback", [1])}
    both = {**withdrawal(2), **withdrawal(3, restores=2)}
    assert deploys(planned(BOTH, replace(facts, withdrawn=both), at(9), PLACES)) == {"live": ("rollback", [1])}


def test_where_an_app_is_listed_no_longer_it_stays_unless_the_environment_prunes():
    routes = app(environments=("live",), triggers={"routes": ["shop.example/*"]})
    facts = recorded(1, record("sandbox", deployment(1, 1)), record("live", live(1, 1)))
    assert [one.environment for one in planned(routes, facts, at(9), PLACES).actions] == ["live"]
    prunes = {**PLACES, "sandbox": environment("sandbox", prune=True)}
    assert deploys(planned(routes, facts, at(9), prunes)) == {"sandbox": ("release", [])}


def test_a_step_that_the_target_refuses_goes_on_while_what_is_newer_is_held():
    refused = replace(rolling(0, "releasing"), next_attempt_at=at(10), attempts=1, error="exit 1")
    pause = (PauseRecord(environment=None, by="ann", reason="tea", until=at(12)),)
    plan = alone(recorded(3, record("sandbox", refused, deployment(1, 1)), pauses=pause))
    assert plan == Plan(
        waiting=(
            Waiting(**HERE, waits_for="pause", until=at(12), detail="paused by ann: tea"),
            Waiting(**HERE, waits_for="retry", until=at(10), detail="attempt 1 of deployment 2 failed: exit 1"),
        ),
        wake_at=at(10),
    )


# Triggers


def test_triggers_are_handed_over_once_something_runs():
    shop = app(environments=("sandbox",), triggers={"routes": ["shop.example/*"]})
    here = record("sandbox", deployment(1, 1))
    (action,) = planned(shop, recorded(1, here), at(9)).actions
    assert action == ApplyTriggers(**HERE, triggers=shop.spec.triggers)
    nothing_runs = recorded(1, record("sandbox", deployment(1, 1, "started")))
    assert planned(shop, nothing_runs, at(9)).actions == ()
    broken = recorded(1, here, complaints=("shop.yaml:1:1: what",))
    assert planned(shop, broken, at(9)).actions == ()
    waiting = replace(here, triggers=TriggerRecord(requested=None, retry_at=at(10)))
    assert planned(shop, recorded(1, waiting), at(9)).wake_at == at(10)
    taken_away = replace(here, triggers=TriggerRecord(requested="a digest"))
    assert planned(ALONE, recorded(1, taken_away), at(9)).actions == (
        ApplyTriggers(**HERE, triggers=ALONE.spec.triggers),
    )
    assert planned(ALONE, recorded(1, here), at(9)).empty
