"""What a version waits for before it enters an environment, case by case."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.model.deployment import Deployment, Status, Subject
from reconciler.model.plan import Deploy, Plan, RunChecks
from reconciler.planner.recorded import Approval, Checked, EnvironmentRecord, RecordedApp, Signed
from tests.builders import (
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

SHOP = app(environments=("sandbox", "live"))


def chain(**spec: Any) -> dict[str, Any]:
    return {"sandbox": environment("sandbox"), "live": environment("live", "sandbox", **spec)}


def plan(facts: RecordedApp, hours: float, **spec: Any) -> Plan:
    return planned(SHOP, facts, at(hours), chain(**spec))


def two_in_line(live: EnvironmentRecord | None = None, **more: Any) -> RecordedApp:
    """Version 1 runs in live; 2 and 3 completed in the sandbox two and three hours after noon."""
    sandbox = record("sandbox", deployment(3, 3), deployment(2, 2), deployment(1, 1))
    return recorded(3, sandbox, live or record("live", deployment(1, 1, environment="live")), **more)


def key(number: int, config: Any = None) -> str:
    """What version `number` in live is filed under."""
    subject = Subject(traffic=traffic(number), config=config or {})
    return hashlib.sha256(f"shop/live/{subject.fingerprint}".encode()).hexdigest()


def approvals(*actors: str, of: int = 2, role: str | None = None, hours: float = 2.5) -> dict[str, Any]:
    given = tuple(Approval(actor=actor, role=role, at=at(hours)) for actor in actors)
    return {"approvals": {key(of): given}}


def live(**more: Any) -> EnvironmentRecord:
    return record("live", deployment(1, 1, environment="live"), **more)


# Soak


def test_what_soaks_waits_until_its_time_is_over_and_the_plan_wakes_then():
    found = plan(two_in_line(), 2.5, gates={"soak": "1h"})
    assert deploys(found) == {}
    assert (found.waiting[0].waits_for, found.waiting[0].until) == ("soak", at(3))
    assert found.wake_at == at(3)


def test_a_newer_version_does_not_restart_the_soak_of_the_one_in_line():
    assert deploys(plan(two_in_line(), 3.5, gates={"soak": "1h"})) == {"live": ("promotion", [2])}


def test_of_those_that_have_soaked_the_newest_enters():
    assert deploys(plan(two_in_line(), 4.5, gates={"soak": "1h"})) == {"live": ("promotion", [3])}


def test_what_was_taken_back_is_not_in_line_any_more():
    facts = two_in_line(withdrawn=withdrawal(2))
    found = plan(facts, 3.5, gates={"soak": "1h"})
    assert deploys(found) == {}
    assert found.wake_at == at(4)


def test_the_soak_counts_from_the_first_time_that_a_version_completed():
    sandbox = record("sandbox", deployment(4, 2, config={"a": 1}), deployment(2, 2), deployment(1, 1))
    facts = recorded(2, sandbox, live())
    assert deploys(plan(facts, 4, gates={"soak": "2h"}))["live"] == ("promotion", [2])


def test_settings_of_an_environment_wait_for_no_gate():
    shop = app(environments={"sandbox": {}, "live": {"config": {"a": 1}}})
    facts = two_in_line(live(touch=touch(9, "changed")))
    found = planned(shop, facts, at(2.5), chain(gates={"soak": "1h"}))
    assert deploys(found)["live"] == ("release", [1])
    assert "soak" in waits(found, "live")


def test_a_hotfix_skips_the_gates_that_the_environment_lets_it_skip():
    urgent = version(3, tags=("HOTFIX",))
    facts = two_in_line(versions=[urgent])
    found = plan(facts, 3.1, gates={"soak": "5h", "hotfix": ["soak"]})
    assert deploys(found) == {"live": ("promotion", [3])}
    assert "[HOTFIX] skipped soak" in found.actions[0].remarks  # type: ignore[union-attr]
    assert deploys(plan(facts, 3.1, gates={"soak": "5h"})) == {}


def test_what_failed_its_rollout_is_refused_although_it_has_soaked():
    failed = deployment(2, 3, "failed", environment="live", cause="promotion")
    back = deployment(3, 1, cause="auto-rollback", environment="live")
    here = record(
        "live", back, failed, deployment(1, 1, environment="live"), suspicions=suspicion(version(3).id, failed)
    )
    found = plan(two_in_line(here), 9, gates={"soak": "1h"})
    assert deploys(found) == {}
    assert [one.rule for one in found.refused] == ["suspect"]


# Approvals


def approved(facts: RecordedApp, needed: Any = 1, hours: float = 2.6) -> Plan:
    return plan(facts, hours, gates={"approvals": needed})


def test_without_approval_nothing_enters_and_the_way_in_is_said():
    found = approved(two_in_line())
    assert deploys(found) == {}
    texts = [one.detail for one in found.waiting]
    assert any(f"reconciler approve {key(2)[:12]}" in text and "ann@example.com" in text for text in texts)


def test_an_approved_version_enters():
    assert deploys(approved(two_in_line(live(**approvals("bob@example.com"))))) == {"live": ("promotion", [2])}


def test_the_author_does_not_count():
    assert deploys(approved(two_in_line(live(**approvals("ANN@example.com"))))) == {}


def test_one_person_counts_once():
    assert deploys(approved(two_in_line(live(**approvals("bob@example.com", "Bob@example.com"))), 2)) == {}
    both = live(**approvals("bob@example.com", "eve@example.com"))
    assert deploys(approved(two_in_line(both), 2)) == {"live": ("promotion", [2])}


def test_an_approval_of_another_plan_does_not_count():
    changed = planned(
        app(environments={"sandbox": {}, "live": {"config": {"a": 1}}}),
        two_in_line(live(**approvals("bob@example.com"), touch=touch(9, "changed"))),
        at(2.6),
        chain(gates={"approvals": 1}),
    )
    assert deploys(changed)["live"] == ("release", [1])
    same = planned(
        app(environments={"sandbox": {}, "live": {"config": {"a": 1}}}),
        two_in_line(
            live(approvals={key(2, {"a": 1}): (Approval(actor="bob@example.com", role=None, at=at(2)),)}),
        ),
        at(2.6),
        chain(gates={"approvals": 1}),
    )
    assert deploys(same)["live"] == ("promotion", [2])


def test_approvals_by_role_need_each_role_and_each_person_once():
    needed = {"qa": 1, "security": 1}
    qa = approvals("bob@example.com", role="qa")["approvals"][key(2)]
    security = approvals("eve@example.com", role="security")["approvals"][key(2)]
    same = approvals("bob@example.com", role="security")["approvals"][key(2)]
    assert deploys(approved(two_in_line(live(approvals={key(2): (*qa, *same)})), needed)) == {}
    found = approved(two_in_line(live(approvals={key(2): (*qa, *security)})), needed)
    assert deploys(found) == {"live": ("promotion", [2])}


# Checks and signatures

SMOKE = {"checks": [{"name": "smoke", "run": ["true"]}]}


def checks_of(found: Plan) -> Sequence[RunChecks]:
    return [action for action in found.actions if isinstance(action, RunChecks)]


def test_checks_are_run_on_the_newest_and_then_it_waits_for_them():
    found = plan(two_in_line(), 3.5, gates=SMOKE)
    assert [(one.key, [check.name for check in one.checks]) for one in checks_of(found)] == [(key(3), ["smoke"])]
    running = live(checked={(key(3), "smoke"): Checked(verdict="running", at=at(3))})
    again = plan(two_in_line(running), 3.6, gates=SMOKE)
    assert again.empty
    assert "checks" in waits(again, "live")


def test_a_passed_check_lets_in_and_a_failed_one_refuses_with_the_way_out():
    passed = live(checked={(key(3), "smoke"): Checked(verdict="passed", at=at(3))})
    assert deploys(plan(two_in_line(passed), 3.6, gates=SMOKE)) == {"live": ("promotion", [3])}
    both = {(key(number), "smoke"): Checked(verdict="failed", at=at(3), detail="exit 1") for number in (2, 3)}
    found = plan(two_in_line(live(checked=both)), 3.6, gates=SMOKE)
    assert found.empty
    assert all(f"reconciler retry {key(n)[:12]}" in "".join(one.detail for one in found.refused) for n in (2, 3))


def test_checks_wait_until_the_soak_is_over():
    assert checks_of(plan(two_in_line(), 2.5, gates={**SMOKE, "soak": "1h"})) == []


def test_a_check_that_is_only_reported_runs_and_holds_nothing_back():
    reported = {"checks": [{"name": "smoke", "run": ["true"], "mode": "report"}]}
    found = plan(two_in_line(), 3.5, gates=reported)
    assert deploys(found) == {"live": ("promotion", [3])}
    assert len(checks_of(found)) == 1


def test_only_a_verified_signature_lets_in():
    unsigned = plan(two_in_line(), 3.5, gates={"signed": True})
    assert (deploys(unsigned), waits(unsigned, "live")[0]) == ({}, "signature")
    facts = two_in_line(signatures={version(3).commit: Signed(good=True, detail="ann")})
    assert deploys(plan(facts, 3.5, gates={"signed": True})) == {"live": ("promotion", [3])}


def test_gates_that_are_only_reported_are_remembered_with_the_deployment():
    found = plan(two_in_line(), 3.5, gates={"approvals": 2, "mode": "report"})
    assert deploys(found) == {"live": ("promotion", [3])}
    assert "0 of 2 approvals" in found.actions[0].remarks[0]  # type: ignore[union-attr]
    assert deploys(plan(two_in_line(), 3.5, gates={"approvals": 2, "mode": "off"})) == {"live": ("promotion", [3])}


# Release trains

NINE = {"cron": "0 15 * * *", "timezone": "UTC"}  # three hours after noon


def test_a_train_takes_what_was_ready_when_it_left_and_leaves_the_rest():
    assert plan(two_in_line(), 2.9, when=NINE).wake_at == at(3)
    late = two_in_line()
    found = plan(late, 4, when=NINE)  # version 3 completed at the very moment of departure
    assert deploys(found) == {"live": ("promotion", [3])}
    sandbox = record("sandbox", deployment(4, 4), deployment(2, 2), deployment(1, 1))
    found = plan(recorded(4, sandbox, live()), 4.5, when=NINE)
    assert deploys(found) == {"live": ("promotion", [2])}
    assert found.actions[0].due_at == at(3)  # type: ignore[union-attr]


def test_what_comes_after_the_train_waits_for_the_next():
    sandbox = record("sandbox", deployment(4, 4), deployment(1, 1))
    found = plan(recorded(4, sandbox, live()), 4.5, when=NINE)
    assert deploys(found) == {}
    assert (found.waiting[0].waits_for, found.waiting[0].until) == ("train", at(27))


def test_a_train_with_nothing_to_take_changes_nothing():
    facts = recorded(1, record("sandbox", deployment(1, 1)), live())
    assert plan(facts, 4, when=NINE).empty


def test_a_soak_that_ends_after_the_departure_misses_the_train():
    found = plan(two_in_line(), 4.5, when=NINE, gates={"soak": "2h"})
    assert deploys(found) == {}
    assert waits(found, "live") == ["train", "soak"]


def test_a_train_that_left_before_its_timetable_was_written_took_nothing():
    facts = two_in_line(live(touch=touch(9, "changed", hours=3.5)))
    assert deploys(plan(facts, 4, when=NINE)) == {}


def test_a_dated_promotion_takes_what_is_ready_then_and_nothing_after():
    once = {"at": "2026-06-01T14:30:00Z"}
    assert plan(two_in_line(), 2.2, when=once).wake_at == at(2.5)
    assert deploys(plan(two_in_line(), 5, when=once)) == {"live": ("promotion", [2])}
    moved = recorded(3, record("sandbox", deployment(3, 3), deployment(2, 2)), record("live", deployment(3, 2)))
    found = plan(moved, 5, when=once)
    assert deploys(found) == {}
    assert "new `when`" in found.waiting[0].detail


# The branch and pins


def test_what_comes_from_the_branch_passes_gates_too():
    sandbox = {"sandbox": environment("sandbox", gates={"approvals": 1})}
    shop = app(environments=("sandbox",))
    facts = recorded(2, record("sandbox", deployment(1, 1)))
    found = planned(shop, facts, at(3), sandbox)
    assert (deploys(found), waits(found, "sandbox")) == ({}, ["approval"])
    way = found.waiting[0].key
    given = record("sandbox", deployment(1, 1), approvals={way: (Approval(actor="bob", role=None, at=at(2)),)})
    assert deploys(planned(shop, recorded(2, given), at(3), sandbox)) == {"sandbox": ("release", [2])}


def test_a_pin_to_a_newer_version_passes_gates_and_one_to_an_older_does_not_need_to():
    places = {"sandbox": environment("sandbox", gates={"approvals": 1})}
    facts = recorded(3, record("sandbox", deployment(2, 2), deployment(1, 1), touch=touch(9, "changed")))
    facts = _with_references(facts, {"v1": 1, "v3": 3})
    newer = planned(app(environments={"sandbox": {"version": "v3"}}), facts, at(3), places)
    assert (deploys(newer), waits(newer, "sandbox")) == ({}, ["approval"])
    older = planned(app(environments={"sandbox": {"version": "v1"}}), facts, at(3), places)
    assert deploys(older) == {"sandbox": ("rollback", [1])}


BACK = {"cause": "rollback", "started_at": at(3)}
"""A pin has moved to version 1, and the way back to it has begun."""
UNDER_WAY = {
    "runs": {"status": "started"},
    "waits for its next try": {"status": "started", "attempts": 1, "next_attempt_at": at(3.1), "error": "busy"},
}


@pytest.mark.parametrize("how", UNDER_WAY.values(), ids=UNDER_WAY)
@pytest.mark.parametrize("taken_back", [{}, withdrawal(1)], ids=["", "taken back"])
def test_a_way_back_that_has_begun_goes_past_the_gates_to_its_end(how: dict[str, Any], taken_back: dict[str, Any]):
    back = deployment(3, 1, **BACK, **how)
    facts = _pinned_to_one(back, withdrawn=taken_back)
    found = planned(PINNED, facts, at(3.05), APPROVED)
    assert (found.actions, set(waits(found, "sandbox")) - {"retry"}) == ((), set())


@pytest.mark.parametrize("status", ["pending", "started", "completed"])
def test_settings_that_change_on_the_way_back_do_not_bring_back_what_is_left(status: Status):
    """What replaces a way back goes back too, and what carries that out is not replaced again."""
    begun = deployment(3, 1, "started", **BACK, attempts=1, next_attempt_at=at(3.1))
    sized = app(environments={"sandbox": {"version": "v1", "config": {"size": 9}}})
    found = planned(sized, _pinned_to_one(begun), at(3.05), APPROVED)
    assert (deploys(found), waits(found, "sandbox")) == ({"sandbox": ("rollback", [1])}, [])
    (one,) = [action for action in found.actions if isinstance(action, Deploy)]
    assert one.rolled_back_from == "sandbox-2"
    again = deployment(4, 1, status, cause="rollback", config={"size": 9}, grounds=one.grounds)
    assert planned(sized, _pinned_to_one(again, replace(begun, status="aborted")), at(4.05), APPROVED).actions == ()


def test_a_revert_that_is_on_its_way_passes_the_gates_of_the_branch_to_its_end():
    between = deployment(3, 1, "started", **BACK, attempts=1, next_attempt_at=at(3.1))
    facts = recorded(
        1,
        record("sandbox", between, deployment(2, 2), deployment(1, 1)),
        content_touch=touch(1, "reverted", hours=3),
        withdrawn=withdrawal(2, restores=1),
    )
    found = planned(app(environments=("sandbox",)), facts, at(3.05), APPROVED)
    assert (found.actions, waits(found, "sandbox")) == ((), ["retry"])


PINNED = app(environments={"sandbox": {"version": "v1"}})
APPROVED = {"sandbox": environment("sandbox", gates={"approvals": 1})}


def _pinned_to_one(*newest: Deployment, **more: Any) -> RecordedApp:
    line = (*newest, deployment(2, 2), deployment(1, 1))
    facts = recorded(3, record("sandbox", *line, touch=touch(9, "changed", hours=3)), **more)
    return _with_references(facts, {"v1": 1})


def _with_references(facts: RecordedApp, numbers: dict[str, int]) -> RecordedApp:
    return replace(facts, references={name: version(number).id for name, number in numbers.items()})


def test_promotions_wait_while_an_experiment_holds_the_split():
    trial = {"control": "v1", "variant": "v2", "percent": 20, "until": "2026-06-01T20:00:00Z"}
    shop = app(environments={"sandbox": {}, "live": {"experiment": trial}})
    facts = _with_references(two_in_line(live(touch=touch(9, "changed"))), {"v1": 1, "v2": 2})
    found = planned(shop, facts, at(4), chain())
    assert deploys(found)["live"] == ("release", [1, 2])
    assert [(one.waits_for, one.until) for one in found.waiting] == [("experiment", at(8))]
    assert found.wake_at == at(8)
    over = planned(shop, facts, at(8) + timedelta(seconds=1), chain())
    assert over.empty  # the control alone, which runs here
