"""The pure part of gradual rollouts: the course, the split at a step, what follows what, what the planner says."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from reconciler.model.deployment import Allotment, Deployment, Subject
from reconciler.model.gates import Rollout
from reconciler.model.output import deployment_json
from reconciler.model.plan import Abort, Advance, Deploy
from reconciler.model.rollout import Course, Progress
from reconciler.planner import rollouts
from reconciler.planner.recorded import PauseRecord, RecordedApp
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
    waits,
    withdrawal,
)

ROLLOUT = TypeAdapter(Rollout)
SHOP = app(environments=("sandbox",))
CHECK = {"name": "smoke", "run": ["true"]}


def declared(**spec: Any) -> Rollout:
    return ROLLOUT.validate_python({"steps": [10, 50, 100], **spec})


def split(**percent: float) -> tuple[Allotment, ...]:
    """`v1=90, v2=10`."""
    numbers = {int(name[1:]): share for name, share in percent.items()}
    return tuple(Allotment(version=version(n).id, number=n, percent=share) for n, share in numbers.items())


def numbers(several: tuple[Allotment, ...]) -> dict[int, float]:
    return {part.number: part.percent for part in several}


# The split


def test_at_a_step_the_new_has_its_share_and_the_old_the_rest():
    assert numbers(rollouts.mix(traffic(1), traffic(2), 10)) == {1: 90, 2: 10}
    assert numbers(rollouts.mix(traffic(1), traffic(2), 100)) == {2: 100}
    assert numbers(rollouts.mix(traffic(1), traffic(2), 0)) == {1: 100, 2: 0}


def test_a_version_on_both_sides_has_one_share():
    assert numbers(rollouts.mix(split(v1=90, v2=10), split(v2=50, v3=50), 50)) == {1: 45, 2: 30, 3: 25}


shares = st.lists(st.integers(0, 8), min_size=1, max_size=4).filter(any)


@given(shares, shares, st.integers(0, 100))
def test_every_split_adds_up_to_the_whole(one: list[int], other: list[int], percent: int):
    def whole(parts: list[int]) -> tuple[Allotment, ...]:
        return split(**{f"v{n}": 100 * part / sum(parts) for n, part in enumerate(parts, start=1)})

    mixed = rollouts.mix(whole(one), whole(other), percent)
    assert sum(part.percent for part in mixed) == pytest.approx(100, abs=1e-4)
    assert len({part.version for part in mixed}) == len(mixed)


# The course


def course(subject: tuple[Allotment, ...] = traffic(2), cause: Any = "release", of: int | None = 1, **spec: Any) -> Any:
    before = deployment(1, of) if of is not None else None
    return rollouts.course(declared(**spec), Subject(traffic=subject), cause, before)


def test_versions_that_differ_go_by_steps():
    found = course(interval="10m")
    assert (found.steps, numbers(found.before)) == ((10, 50, 100), {1: 100})


@pytest.mark.parametrize("cause", ["rollback", "auto-rollback"])
def test_what_goes_back_goes_at_once(cause: str):
    assert course(cause=cause, bake="1h", checks=[CHECK]) is None


def test_what_retires_goes_at_once():
    assert course(subject=(), bake="1h") is None


def test_where_nothing_ran_there_is_one_step_and_all_the_checks():
    assert course(of=None) is None
    assert course(of=0) is None
    assert course(of=None, bake="1h").steps == (100,)
    assert course(of=None, checks=[CHECK]).steps == (100,)


def test_settings_alone_are_one_step():
    assert course(subject=traffic(1)) is None
    found = course(subject=traffic(1), checks=[CHECK])
    assert (found.steps, found.before) == ((100,), ())


def test_a_check_that_is_off_is_no_check():
    assert course(of=None, checks=[{**CHECK, "mode": "off"}]) is None


# What follows what


def way(progress: Progress, every: timedelta = timedelta(seconds=1)) -> list[tuple[str, int, float]]:
    """The phases of a rollout in which all goes well: name, percent, and minutes since its begin."""
    now, found = NOON, []
    at_phase: Progress | None = rollouts.begin(progress, now)
    while at_phase is not None:
        found.append((at_phase.phase, at_phase.percent, (now - NOON) / timedelta(minutes=1)))
        if at_phase.resting:
            assert at_phase.until is not None
            now = at_phase.until
        at_phase = rollouts.follows(at_phase, now)
        assert len(found) < 1000
    return found


def progress(**spec: Any) -> Progress:
    return Progress(course=course(**spec))


def test_steps_follow_each_other_after_their_interval():
    assert way(progress(interval="10m")) == [
        ("releasing", 10, 0),
        ("holding", 10, 0),
        ("releasing", 50, 10),
        ("holding", 50, 10),
        ("releasing", 100, 20),
    ]


def test_every_step_is_checked_before_it_is_held():
    phases = [phase for phase, _, _ in way(progress(interval="10m", checks=[CHECK]))]
    assert phases == ["releasing", "checking", "holding"] * 2 + ["releasing", "checking"]


def test_the_last_step_is_checked_again_every_interval_and_at_the_end_of_the_bake():
    found = way(progress(interval="10m", bake="25m", checks=[CHECK]))
    assert [when for phase, percent, when in found if (phase, percent) == ("checking", 100)] == [20, 30, 40, 45]


@pytest.mark.parametrize(("bake", "times"), [("1h", 61), ("5m", 11)])
def test_without_an_interval_a_bake_is_checked_every_minute_or_ten_times(bake: str, times: int):
    found = way(progress(of=None, bake=bake, checks=[CHECK]))
    assert sum(phase == "checking" for phase, _, _ in found) == times


def test_a_bake_without_checks_rests_once():
    assert way(progress(of=None, bake="30m")) == [("releasing", 100, 0), ("baking", 100, 0), ("checking", 100, 30)]


def test_a_late_look_makes_up_for_nothing_twice():
    baking = replace(rollouts.begin(progress(of=None, bake="1h", checks=[CHECK]), NOON), phase="checking")
    rested = rollouts.follows(baking, NOON)
    assert rested is not None
    again = rollouts.follows(rested, at(5))
    assert again is not None
    assert rollouts.follows(again, at(5)) is None


def test_checks_are_about_the_newest_that_did_not_run_before():
    rolling = deployment(2, 2, "started", rollout=progress())
    assert rollouts.under_test(rolling) == version(2).id
    both = replace(rolling, traffic=split(v1=60, v2=40))
    assert rollouts.under_test(both) == version(2).id


# The planner


def rolling(phase: Any = "holding", step: int = 0, status: Any = "started") -> Deployment:
    """Version 2 comes in the place of version 1, and goes on at three hours after noon."""
    course = Course(steps=(10, 50, 100), before=traffic(1))
    return deployment(2, 2, status, rollout=Progress(course=course, step=step, phase=phase, since=at(2), until=at(3)))


def facts(active: Deployment, content: int = 2, **more: Any) -> RecordedApp:
    several = more.pop("several", record("sandbox", active, deployment(1, 1), **more.pop("here", {})))
    return recorded(content, several, **more)


def plan(found: RecordedApp, hours: float, **spec: Any) -> Any:
    chain = {"sandbox": environment("sandbox", **{"rollout": {"steps": [10, 50, 100], "interval": "1h"}, **spec})}
    return planned(SHOP, found, at(hours), chain)


def test_a_new_version_is_planned_with_its_course():
    found = plan(recorded(2, record("sandbox", deployment(1, 1))), 2)
    (deploy,) = [action for action in found.actions if isinstance(action, Deploy)]
    assert deploy.rollout is not None
    assert deploy.rollout.steps == (10, 50, 100)


def test_a_rollout_that_is_held_says_so_and_wakes_the_planner():
    found = plan(facts(rolling()), 2.5)
    assert found.empty
    assert found.wake_at == at(3)
    assert "step 1 of 3 (10 %)" in found.waiting[0].detail


def test_a_rollout_goes_on_when_its_moment_has_come_and_not_twice():
    found = plan(facts(rolling()), 3)
    assert [type(action) for action in found.actions] == [Advance]
    assert plan(facts(rolling("releasing", 1)), 3).empty


def test_something_newer_waits_for_the_end():
    found = plan(facts(rolling(), 3), 2.5)
    assert found.empty
    assert waits(found, "sandbox") == ["rollout"]


def test_something_newer_does_not_stop_the_next_step():
    assert [type(action) for action in plan(facts(rolling(), 3), 3).actions] == [Advance]


def test_something_newer_takes_the_place_of_what_the_target_refuses():
    refused = replace(rolling("releasing"), next_attempt_at=at(4))
    found = plan(facts(refused, 3), 2.5)
    assert deploys(found) == {"sandbox": ("release", [3])}


def test_what_goes_back_ends_a_rollout_that_is_held_at_once():
    back = touch(1, "reverted", ["2" * 40], hours=2.5)
    found = plan(facts(rolling(), 1, content_touch=back, withdrawn=withdrawal(2, 1)), 2.6)
    assert [type(action) for action in found.actions] == [Abort, Deploy]
    assert deploys(found) == {"sandbox": ("rollback", [1])}
    assert found.actions[0].running is False
    assert found.actions[1].rollout is None


def test_what_goes_back_stops_a_step_that_is_being_released_first():
    back = touch(1, "reverted", ["2" * 40], hours=2.5)
    found = plan(facts(rolling("releasing"), 1, content_touch=back, withdrawn=withdrawal(2, 1)), 2.6)
    (stop,) = found.actions
    assert stop.running is True


def test_what_a_person_stopped_in_the_middle_is_undone():
    stopped = rolling(status="aborted")
    bad = suspicion(stopped.subject.fingerprint, stopped)
    found = plan(facts(stopped, here={"suspicions": bad}), 2.6)
    assert deploys(found) == {"sandbox": ("auto-rollback", [1])}


def test_what_a_person_stopped_before_it_reached_the_target_needs_nothing():
    stopped = replace(rolling(status="aborted"), started_at=None)
    bad = suspicion(stopped.subject.fingerprint, stopped)
    assert plan(facts(stopped, here={"suspicions": bad}), 2.6).empty


def test_a_pause_holds_the_next_step_and_not_the_watching():
    pause = (PauseRecord(environment=None, by="ann", reason="holiday", until=at(6)),)
    held = plan(facts(rolling(), pauses=pause), 4)
    assert held.empty
    assert waits(held, "sandbox") == ["rollout", "pause"]
    assert held.wake_at == at(6)
    assert [type(one) for one in plan(facts(rolling("baking", 2), pauses=pause), 4).actions] == [Advance]


def test_gates_that_close_behind_a_rollout_do_not_send_it_back():
    found = plan(facts(rolling()), 2.5, gates={"approvals": 1})
    assert found.empty
    newer = plan(facts(rolling(), 3), 2.5, gates={"approvals": 1})
    assert newer.empty
    assert "approval" in waits(newer, "sandbox")


def test_what_was_being_let_in_by_promotion_is_not_sent_back_by_new_settings():
    shop = app(environments={"sandbox": {}, "live": {"config": {"greeting": "Hello"}}})
    chain = {
        "sandbox": environment("sandbox"),
        "live": environment("live", "sandbox", gates={"approvals": 1}, rollout={"steps": [10, 100], "interval": "1h"}),
    }
    active = replace(rolling(), environment="live", id="live-2", cause="promotion")
    live = record("live", active, deployment(1, 1, environment="live"), touch=touch(2, "changed", hours=2.5))
    sandbox = record("sandbox", deployment(2, 2), deployment(1, 1))
    found = planned(shop, recorded(2, sandbox, live), at(2.6), chain)
    assert found.empty
    assert waits(found, "live") == ["rollout"]


def test_a_rollout_is_shown_with_steps_counted_from_one():
    shown = deployment_json(rolling())["rollout"]
    assert (shown["step"], shown["percent"], shown["phase"], shown["steps"]) == (1, 10, "holding", [10, 50, 100])
    assert deployment_json(deployment(1, 1))["rollout"] is None
