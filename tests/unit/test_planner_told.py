"""What is told of a plan: every waiting, refusal, stop and deployment as the operator reads it, word for word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.deployment import Deployment
from reconciler.model.plan import Abort, Advance, ApplyTriggers, Plan, Waiting
from reconciler.model.rollout import Course, Progress
from reconciler.planner.plan import plan as plan_of
from reconciler.planner.recorded import (
    AbortRequest,
    Dependency,
    PauseRecord,
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
    touch,
    traffic,
    version,
    withdrawal,
)
from tests.plans import ALONE, BOTH, HERE, PLACES, alone, live

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


def test_a_retirement_keeps_its_place_in_the_line():
    waits = deployment(2, 0, "pending")
    facts = recorded(1, record("sandbox", waits, deployment(1, 1)))
    assert plan_of(None, {}, {"sandbox": environment("sandbox", prune=True)}, facts, at(9)) == Plan()
    again = deployment(2, 0, "started", next_attempt_at=at(10))
    facts = recorded(1, record("sandbox", again, deployment(1, 1)))
    plan = plan_of(None, {}, {"sandbox": environment("sandbox", prune=True)}, facts, at(9))
    assert (plan.actions, plan.wake_at, [wait.waits_for for wait in plan.waiting]) == ((), at(10), ["retry"])


def test_a_retirement_that_is_not_wanted_any_more_before_its_turn_came():
    facts = recorded(1, record("sandbox", deployment(2, 0, "pending"), deployment(1, 1)))
    reason = "it left git before its turn came"
    plan = plan_of(None, {}, {"sandbox": environment("sandbox")}, facts, at(9))
    assert plan == Plan(
        actions=(Abort(**HERE, deployment="sandbox-2", running=False, reason=reason, actor="reconciler"),)
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


# Triggers


def test_triggers_are_handed_over_once_something_runs():
    shop = app(environments=("sandbox",), triggers={"routes": ["shop.example/*"]})
    here = record("sandbox", deployment(1, 1))
    (action,) = planned(shop, recorded(1, here), at(9)).actions
    assert isinstance(action, ApplyTriggers)
    assert (action.app, action.environment, action.triggers) == (*HERE.values(), shop.spec.triggers)
    there = TriggerRecord(requested=action.digest, target=action.target)
    assert planned(shop, recorded(1, replace(here, triggers=there)), at(9)).empty
    nothing_runs = recorded(1, record("sandbox", deployment(1, 1, "started")))
    assert planned(shop, nothing_runs, at(9)).actions == ()
    broken = recorded(1, here, complaints=("shop.yaml:1:1: what",))
    assert planned(shop, broken, at(9)).actions == ()
    waiting = replace(here, triggers=TriggerRecord(requested=None, retry_at=at(10)))
    assert planned(shop, recorded(1, waiting), at(9)).wake_at == at(10)
    taken_away = replace(here, triggers=TriggerRecord(requested="a digest"))
    (action,) = planned(ALONE, recorded(1, taken_away), at(9)).actions
    assert isinstance(action, ApplyTriggers)
    assert (action.triggers, action.digest) == (ALONE.spec.triggers, None)
    assert planned(ALONE, recorded(1, here), at(9)).empty


def test_triggers_follow_what_runs_to_another_place():
    shop = app(environments=("sandbox",), triggers={"routes": ["shop.example/*"]})
    here = record("sandbox", deployment(1, 1))
    (action,) = planned(shop, recorded(1, here), at(9)).actions
    assert isinstance(action, ApplyTriggers)
    for nobody_knows_where in (None, "another place"):
        before = replace(here, triggers=TriggerRecord(requested=action.digest, target=nobody_knows_where))
        assert planned(shop, recorded(1, before), at(9)).actions == (action,)
    nothing = replace(here, triggers=TriggerRecord(requested=None, target="another place"))
    assert planned(ALONE, recorded(1, nothing), at(9)).empty
