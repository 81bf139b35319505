"""What differs from what was left, when is it put right, and how are looks spread over time?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reconciler.engine.pacing import Sweep, sweeps
from reconciler.errors import PersonNeeded
from reconciler.model.deployment import Deployment
from reconciler.model.plan import Deploy, Plan
from reconciler.planner.drift import Left, Seen, difference
from reconciler.planner.recorded import AbortRequest, DriftRecord, EnvironmentRecord, HoldRecord, PauseRecord
from reconciler.planner.repairs import LONGEST
from tests.builders import (
    NOON,
    app,
    at,
    deployment,
    deploys,
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

HERE = app(environments=("sandbox",))
WISHED = {"sandbox": environment("sandbox", drift={"repair": True})}
ONE, TWO = version(1).id, version(2).id


def drifted(*newest_first, of=None, **more) -> EnvironmentRecord:
    """What was seen last is that the newest one's page is another."""
    seen = DriftRecord(deployment=of or newest_first[0].id, since=NOON, detail="index.html was changed")
    return record("sandbox", *newest_first, seen=seen, **more)


def plan_of(here: EnvironmentRecord, content: int = 1, now=NOON, environments=WISHED, **more) -> Plan:
    return planned(HERE, recorded(content, here, **more), now, environments)


# --- what differs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (Seen(deployment="d1", traffic={ONE: 100}), ""),
        (None, "nothing runs there instead of v1"),
        (Seen(deployment="d1", traffic={ONE: 40}), "v1 40 % runs there instead of v1"),
        (Seen(deployment="d9", traffic={ONE: 100}), "deployment d9 runs there instead of deployment d1"),
        (
            Seen(deployment="d9", traffic={TWO: 100}),
            f"{TWO.removeprefix('sha256:')[:12]} runs there instead of v1; "
            "deployment d9 runs there instead of deployment d1",
        ),
        (
            Seen(deployment=None, traffic={ONE: 100}),
            "something that no one deployment left runs there instead of deployment d1",
        ),
        (
            Seen(deployment=None, traffic={ONE: 100}, changed=("a was changed", "b is missing")),
            "a was changed; b is missing",
        ),
        (Seen(deployment="d1", traffic={}), "no known version runs there instead of v1"),
    ],
)
def test_what_differs_is_said_in_words(seen, said):
    assert difference(Left(deployment="d1", number=1, traffic=traffic(1)), seen) == said


def test_what_was_retired_is_to_be_gone():
    retired = Left(deployment="d2", number=2, traffic=())
    assert difference(retired, None) == ""
    assert "which deployment 2 retired" in difference(retired, Seen(deployment="d1", traffic={ONE: 100}))


def test_the_order_of_shares_says_nothing():
    split = traffic(1, 2)
    left = Left(deployment="d1", number=1, traffic=split)
    seen = {part.version: float(part.percent) for part in reversed(split)}
    assert difference(left, Seen(deployment="d1", traffic=seen)) == ""


def test_a_flood_of_differences_is_cut():
    changed = tuple(f"{'x' * 50}{number} was changed" for number in range(100))
    said = difference(
        Left(deployment="d1", number=1, traffic=traffic(1)), Seen(deployment="d1", traffic={ONE: 100}, changed=changed)
    )
    assert len(said) == 500


# --- when it is put right ---------------------------------------------------------------------------------


def test_what_drifted_is_deployed_once_more_where_that_is_wished():
    here = drifted(deployment(1, 1))
    assert deploys(plan_of(here)) == {"sandbox": ("repair", [1])}
    assert plan_of(here, environments={"sandbox": environment("sandbox")}).empty
    (action,) = plan_of(here).actions
    assert isinstance(action, Deploy)
    assert action.reason == "v1 once more, since it has drifted: index.html was changed"
    assert action.subject == here.recent[0].subject
    assert action.grounds == here.recent[0].grounds
    assert action.rollout is None


@pytest.mark.parametrize("status", ["pending", "started", "completed"])
def test_planning_again_gives_nothing_more(status):
    again = deployment(2, 1, status, cause="repair")
    assert plan_of(drifted(again, deployment(1, 1), of=deployment(1, 1).id)).empty


def test_what_is_new_is_deployed_and_nothing_besides():
    assert deploys(plan_of(drifted(deployment(1, 1)), content=2)) == {"sandbox": ("release", [2])}


def test_what_is_new_and_waits_does_not_keep_what_is_here_from_being_put_right():
    gated = {"sandbox": environment("sandbox", drift={"repair": True}, gates={"approvals": 1})}
    answer = plan_of(drifted(deployment(1, 1)), content=2, environments=gated)
    assert deploys(answer) == {"sandbox": ("repair", [1])}
    assert [wait.waits_for for wait in answer.waiting] == ["approval"]


@pytest.mark.parametrize(
    "besides",
    [
        {"pauses": (PauseRecord(environment=None, by="ann", reason="x", until=at(9)),)},
        {"complaints": ("shop.yaml:1:1: broken",)},
    ],
)
def test_a_pause_or_a_broken_file_leaves_it_as_it_is(besides):
    answer = plan_of(drifted(deployment(1, 1)), **besides)
    assert answer.empty
    assert answer.waiting


def test_what_is_held_or_suspect_stays():
    hold = HoldRecord(by="ann", reason="slow", since=NOON, traffic=traffic(1))
    bad = suspicion(TWO, deployment(2, 2, "failed"))
    good = deployment(3, 1, cause="rollback")
    assert plan_of(drifted(good, hold=hold, suspicions=bad), content=2).empty
    assert plan_of(drifted(good, suspicions=bad), content=2).empty


def repaired(number: int, ended: datetime) -> Deployment:
    return replace(deployment(number, 1, cause="repair"), finished_at=ended)


@pytest.mark.parametrize(
    ("lasted", "waits"),
    [([], None), ([0.5], 0.5), ([2], None), ([2, 2], 3), ([6, 6], None), ([10, 10, 10], 50), ([61, 61, 61], None)],
)
def test_each_repair_in_vain_makes_the_next_one_wait_longer(lasted, waits):
    """`lasted` are minutes, the last one first; `waits` the minutes that are left to wait."""
    ended, line = NOON, []
    for number, minutes in enumerate(lasted):
        ended -= timedelta(minutes=minutes)
        line.append(repaired(len(lasted) - number + 1, ended))
    answer = plan_of(drifted(*line, deployment(1, 1)))
    if waits is None:
        assert deploys(answer) == {"sandbox": ("repair", [1])}
    else:
        assert answer.empty
        assert answer.wake_at == NOON + timedelta(minutes=waits)
        assert [wait.waits_for for wait in answer.waiting] == ["repair"]


def test_however_many_were_in_vain_one_a_day_is_tried_and_what_lasted_is_forgotten():
    many = [repaired(30 - number, NOON - LONGEST * number) for number in range(25)]
    assert plan_of(drifted(*many)).wake_at == NOON + LONGEST
    old = [repaired(9 - number, NOON - 3 * LONGEST) for number in range(5)]
    assert deploys(plan_of(drifted(*old))) == {"sandbox": ("repair", [1])}


def test_a_repair_that_failed_goes_back_nowhere():
    failed = deployment(3, 2, "failed", cause="repair")
    wrong = suspicion(failed.subject.fingerprint, failed)
    here = record("sandbox", failed, deployment(2, 2), deployment(1, 1), suspicions=wrong)
    answer = plan_of(here, content=2)
    assert answer.empty
    assert [refused.rule for refused in answer.refused] == ["suspect"]


def test_repairs_do_not_stand_in_the_way_back():
    repairs = [deployment(14 - number, 2, cause="repair") for number in range(12)]
    here = record("sandbox", *repairs, deployment(2, 2), deployment(1, 1))
    back = {"content_touch": touch(1, "reverted"), "withdrawn": withdrawal(2, restores=1)}
    assert deploys(plan_of(here, **back)) == {"sandbox": ("rollback", [1])}


def test_a_person_stops_a_repair():
    running = deployment(2, 1, "started", cause="repair")
    stop = AbortRequest(deployment=running.id, actor="ann", reason="enough")
    answer = plan_of(record("sandbox", running, deployment(1, 1)), aborts=(stop,))
    assert [type(action).__name__ for action in answer.actions] == ["Abort"]


# --- how looks are spread ---------------------------------------------------------------------------------


def walked(sweep: Sweep, step: float, upto: float) -> Mapping[float, int]:
    """How many are looked at at each moment, with `step` seconds between two."""
    found, now = {}, 0.0
    while now <= upto:
        if due := sweep.due(now):
            left = sweep.total - sweep.done
            sweep.took(due, [("app", "live")] * min(due, left))
            found[now] = due
        now += step
    return found


def test_looks_are_spread_evenly_over_the_interval():
    looks = walked(Sweep(600, frozenset({"live"}), 100_000, 0), 1, 600)
    assert sum(looks.values()) == 100_000
    assert set(looks.values()) <= {166, 167}


def test_few_are_looked_at_one_by_one():
    assert walked(Sweep(600, frozenset({"live"}), 3, 0), 1, 1200) == {200: 1, 400: 1, 600: 1}
    assert Sweep(600, frozenset({"live"}), 3, 0).wait(0) == 200


def test_who_was_asleep_looks_at_each_once_and_not_more_often():
    assert walked(Sweep(600, frozenset({"live"}), 3, 0), 5000, 5000) == {5000: 3}


def test_the_next_round_begins_after_the_interval_and_when_environments_change():
    slow = environment("live", drift={"check": "10m"})
    off = environment("sandbox", drift={"check": "0s"})
    first = sweeps({}, [slow, off], 0, lambda _: 2)
    assert [(period, sweep.environments) for period, sweep in first.items()] == [(600, {"live"})]
    walked(first[600], 1, 599)
    assert sweeps(first, [slow, off], 599, lambda _: 2)[600] is first[600]
    walked(first[600], 600, 600)
    assert sweeps(first, [slow, off], 600, lambda _: 2)[600].begun == 600
    quick = environment("sandbox", drift={"check": "10s"})
    assert sorted(sweeps(first, [slow, quick], 300, lambda _: 2)) == [10, 600]


@pytest.mark.parametrize("check", ["0.5s", "-1s", "8d", 10, True])
def test_a_pace_that_is_none_is_refused(check):
    with pytest.raises((ValueError, PersonNeeded)):
        environment("live", drift={"check": check})
