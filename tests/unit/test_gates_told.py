"""What is told at the gates: what is missing, what was refused, what is run, and when somebody looks again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.deployment import Subject
from reconciler.model.plan import Deploy, Plan, Refused, RunChecks, Waiting
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
    touch,
    traffic,
    version,
    waits,
)

SHOP = app(environments=("sandbox", "live"))
SETTINGS = {"size": 9}
LIVE = {"app": "shop", "environment": "live"}


def key(number: int, config: Any = None) -> str:
    subject = Subject(traffic=traffic(number), config=config or {})
    return hashlib.sha256(f"shop/live/{subject.fingerprint}".encode()).hexdigest()


KEY = key(2)


def facts(here: dict[str, Any] | None = None, **more: Any) -> RecordedApp:
    """Version 2 completed in the sandbox two hours after noon, and version 1 runs in live."""
    live = record("live", deployment(1, 1, environment="live"), **(here or {}))
    return recorded(2, record("sandbox", deployment(2, 2), deployment(1, 1)), live, **more)


def plan(found: RecordedApp, hours: float = 3, **spec: Any) -> Plan:
    return planned(
        SHOP, found, at(hours), {"sandbox": environment("sandbox"), "live": environment("live", "sandbox", **spec)}
    )


def entered(found: Plan) -> Deploy:
    (deploy,) = [action for action in found.actions if isinstance(action, Deploy)]
    assert deploys(found) == {"live": ("promotion", [2])}
    return deploy


def waiting(waits_for: Any, detail: str, **more: Any) -> Waiting:
    return Waiting(**LIVE, waits_for=waits_for, detail=detail, key=KEY, **more)


def test_a_soak():
    wait = waiting("soak", "v2 soaks in sandbox for 2h", until=at(4))
    assert plan(facts(), gates={"soak": "2h"}) == Plan(waiting=(wait,), wake_at=at(4))
    assert entered(plan(facts(), 4, gates={"soak": "2h"})).remarks == ()


def test_approvals_of_anybody():
    one = f"v2 has 0 of 1 approval: `reconciler approve {KEY[:12]}`, by someone other than ann@example.com"
    writers = frozenset({"ann@example.com"})
    missing = waiting("approval", one, what="v2", authors=writers)
    assert plan(facts(), gates={"approvals": 1}) == Plan(waiting=(missing,))
    bob = (Approval(actor="bob@example.com", role=None, at=at(2)),)
    more = "v2 has 1 of 3 approvals by bob@example.com: "
    several = plan(facts({"approvals": {KEY: bob}}), gates={"approvals": 3})
    assert several.waiting[0].detail.startswith(more)
    eve = (*bob, Approval(actor="eve@example.com", role="qa", at=at(2)))
    both = plan(facts({"approvals": {KEY: eve}}), gates={"approvals": 3})
    assert both.waiting[0].detail.startswith("v2 has 2 of 3 approvals by bob@example.com, eve@example.com: ")


def test_approvals_of_a_role():
    bob = (Approval(actor="bob@example.com", role="security", at=at(2)),)
    found = plan(facts({"approvals": {KEY: bob}}), gates={"approvals": {"qa": 2, "security": 1}})
    detail = (
        f"v2 has 0 of 2 approvals of qa: `reconciler approve {KEY[:12]} --role qa`, by someone other than "
        "ann@example.com"
    )
    wait = waiting("approval", detail, what="v2", role="qa", authors=frozenset({"ann@example.com"}))
    assert found == Plan(waiting=(wait,))


def test_an_author_without_address_keeps_nobody_from_approving():
    unknown = version(2)
    unknown = replace(unknown, author=replace(unknown.author, email=""))
    found = plan(facts(versions=[unknown]), gates={"approvals": 1})
    detail = f"v2 has 0 of 1 approval: `reconciler approve {KEY[:12]}`"
    assert found == Plan(waiting=(waiting("approval", detail, what="v2"),))


def test_no_approval_needed_is_none_missing():
    assert entered(plan(facts(), gates={"approvals": 0}))


def test_a_train_takes_what_had_all_its_approvals_when_it_left():
    train = {"cron": "0 17 * * *", "timezone": "UTC"}  # five hours after noon
    given = tuple(
        Approval(actor=f"{who}@example.com", role=None, at=at(hour)) for who, hour in (("bob", 3), ("eve", 6))
    )
    here = {"approvals": {KEY: given}}
    assert entered(plan(facts(here), 7, gates={"approvals": 1}, when=train)).due_at == at(5)
    late = plan(facts(here), 7, gates={"approvals": 2}, when=train)
    wait = waiting("train", "v2 waits for the next train", until=at(29))
    assert late == Plan(waiting=(wait,), wake_at=at(29))
    # The approval was there when the train left, but the soak was not over; and the other way round.
    assert deploys(plan(facts(here), 7, gates={"soak": "4h", "approvals": 1}, when=train)) == {}
    assert deploys(plan(facts(here), 7, gates={"soak": "1h", "approvals": 2}, when=train)) == {}


def test_after_the_last_train():
    once = {"at": "2026-06-01T13:00:00Z"}
    detail = "v2 came after the last train: write a new `when`"
    assert plan(facts(), when=once) == Plan(waiting=(waiting("train", detail),))


def test_a_dated_train_leaves_at_that_very_moment():
    once = {"at": "2026-06-01T16:30", "timezone": "Europe/Paris"}
    assert entered(plan(facts(), 2.5, when=once)).due_at == at(2.5)
    assert plan(facts(), 2.4, when=once).wake_at == at(2.5)


def test_a_hotfix_that_may_skip_the_train():
    urgent = facts(versions=[version(2, tags=("HOTFIX",))])
    train = {"cron": "0 17 * * *", "timezone": "UTC"}
    skipped = entered(plan(urgent, gates={"hotfix": ["when"]}, when=train))
    assert (skipped.due_at, skipped.remarks) == (None, ("[HOTFIX] skipped when",))
    assert waits(plan(urgent, gates={"hotfix": ["soak"]}, when=train), "live") == ["train"]


GATES = {
    "soak": ({"soak": "5h"}, "soak"),
    "signed": ({"signed": True}, "signature"),
    "approvals": ({"approvals": 1}, "approval"),
    "checks": ({"checks": [{"name": "smoke", "run": ["true"]}]}, "checks"),
}


@pytest.mark.parametrize("name", GATES)
def test_a_hotfix_skips_a_gate_only_where_that_is_named(name: str):
    urgent = facts(versions=[version(2, tags=("HOTFIX",))])
    gate, word = GATES[name]
    assert entered(plan(urgent, gates={**gate, "hotfix": [name]})).remarks == (f"[HOTFIX] skipped {name}",)
    others = [other for other in GATES if other != name]
    held = plan(urgent, gates={**gate, "hotfix": others})
    assert (deploys(held), waits(held, "live")) == ({}, [word])
    assert waits(plan(facts(), gates={**gate, "hotfix": [name]}), "live") == [word]


def test_a_signature():
    commit = version(2).commit
    unknown = "v2 needs a verified signature of 0000000000: its signature has not been looked at yet"
    assert plan(facts(), gates={"signed": True}) == Plan(waiting=(waiting("signature", unknown),))
    bad = facts(signatures={commit: Signed(good=False, detail="nobody signed it")})
    detail = "v2 needs a verified signature of 0000000000: nobody signed it"
    assert plan(bad, gates={"signed": True}) == Plan(waiting=(waiting("signature", detail),))
    good = facts(signatures={commit: Signed(good=True, detail="ann")})
    assert entered(plan(good, gates={"signed": True}))


def checks(*modes: str) -> dict[str, Any]:
    names = ("smoke", "load", "lint")
    return {"checks": [{"name": n, "run": ["true"], "mode": m} for n, m in zip(names, modes, strict=False)]}


def checked(**verdicts: tuple[str, str]) -> dict[str, Any]:
    return {
        "checked": {
            (KEY, name): Checked(verdict=verdict, at=at(2.5), detail=detail)  # type: ignore[arg-type]
            for name, (verdict, detail) in verdicts.items()
        }
    }


def run_of(found: Plan) -> RunChecks:
    (run,) = [action for action in found.actions if isinstance(action, RunChecks)]
    return run


def test_checks_to_run():
    found = plan(facts(), gates=checks("enforced", "off", "report"))
    gates = environment("live", gates=checks("enforced", "off", "report")).spec.gates
    assert gates is not None
    expected = RunChecks(
        **LIVE,
        key=KEY,
        traffic=traffic(2),
        commit=version(2).commit,
        checks=(gates.checks[0], gates.checks[2]),
        config={},
    )
    assert found == Plan(actions=(expected,), waiting=(waiting("checks", "smoke is still to run on v2"),))


def test_checks_are_run_with_the_settings_of_the_environment():
    shop = app(environments={"sandbox": {}, "live": {"config": SETTINGS}})
    places = {"sandbox": environment("sandbox"), "live": environment("live", "sandbox", gates=checks("enforced"))}
    run = run_of(planned(shop, facts({"touch": touch(1)}), at(3), places))
    assert (run.config, run.key) == (SETTINGS, key(2, SETTINGS))


def test_a_check_that_runs_and_one_that_failed():
    running = plan(facts(checked(smoke=("running", ""))), gates=checks("enforced"))
    assert running == Plan(waiting=(waiting("checks", "smoke is being run on v2"),))
    way_out = f"commit a fix, or `reconciler retry {KEY[:12]}` runs it again"
    for given, said in (("exit 1", "exit 1"), ("", "no word why")):
        failed = plan(facts(checked(smoke=("failed", given))), gates=checks("enforced"))
        detail = f"the check smoke failed for v2: {said}; {way_out}"
        assert failed == Plan(refused=(Refused(**LIVE, rule="check", detail=detail, key=KEY),))


def test_each_check_that_is_still_to_run_is_run_beside_those_that_have():
    found = plan(facts(checked(smoke=("passed", ""))), gates=checks("enforced", "enforced"))
    assert [check.name for check in run_of(found).checks] == ["load"]
    assert [one.detail for one in found.waiting] == ["load is still to run on v2"]
    assert entered(
        plan(facts(checked(smoke=("passed", ""), load=("passed", ""))), gates=checks("enforced", "enforced"))
    )


@pytest.mark.parametrize("gate", [{"soak": "5h"}, {"signed": True}])
def test_checks_are_not_begun_before_the_soak_is_over_and_the_signature_is_known(gate: dict[str, Any]):
    found = plan(facts(), gates={**checks("enforced"), **gate})
    assert found.actions == ()
    assert waits(found, "live")[-1] == "checks"


def test_gates_that_only_report():
    reported = entered(plan(facts(), gates={"soak": "5h", "approvals": 1, "mode": "report"}))
    assert [one.partition(":")[0] for one in reported.remarks] == ["reported only"] * 2
    assert reported.remarks[0] == "reported only: v2 soaks in sandbox for 5h"
    failed = entered(plan(facts(checked(smoke=("failed", "exit 1"))), gates={**checks("enforced"), "mode": "report"}))
    assert failed.remarks[0].startswith("reported only: the check smoke failed for v2: exit 1")
    begun = plan(facts(), gates={**checks("enforced"), "mode": "report"})
    assert entered(begun)
    assert [check.name for check in run_of(begun).checks] == ["smoke"]


def test_the_oldest_and_the_newest_of_a_line_are_told():
    line = [deployment(n, n) for n in (4, 3, 2, 1)]
    live: EnvironmentRecord = record("live", deployment(1, 1, environment="live"))
    found = plan(recorded(4, record("sandbox", *line), live), 4.5, gates={"soak": "3h"})
    assert [one.detail for one in found.waiting] == ["v2 soaks in sandbox for 3h", "v4 soaks in sandbox for 3h"]
    assert found.wake_at == at(5)


def branch(found: RecordedApp, entry: dict[str, Any] | None = None, **spec: Any) -> Plan:
    return planned(
        app(environments={"sandbox": entry or {}}), found, at(9), {"sandbox": environment("sandbox", **spec)}
    )


def test_what_comes_from_the_branch_may_not_be_approved_by_its_author():
    found = branch(recorded(2, record("sandbox", deployment(1, 1))), gates={"approvals": 1})
    assert found.waiting[0].authors == {"ann@example.com"}


def test_a_pin_may_not_be_approved_by_who_wrote_it_either():
    pinned = replace(touch(9, "changed"), author="Bob@Example.com")
    there = record("sandbox", deployment(1, 1), touch=pinned)
    found = branch(recorded(1, there, references={"v3": version(3).id}), {"version": "v3"}, gates={"approvals": 1})
    assert found.waiting[0].authors == {"ann@example.com", "bob@example.com"}
    merged = replace(touch(2), author="carl@example.com")  # who merged it did not write it
    newest = branch(recorded(2, there, content_touch=merged), gates={"approvals": 1})
    assert newest.waiting[0].authors == {"ann@example.com"}


def test_what_comes_from_the_branch_takes_a_train_and_a_pin_does_not():
    train = {"cron": "0 17 * * *", "timezone": "UTC"}  # five hours after noon
    ready = branch(recorded(2, record("sandbox", deployment(1, 1)), content_touch=touch(2, hours=4)), when=train)
    (deploy,) = ready.actions
    assert deploy.due_at == at(5)  # type: ignore[union-attr]
    late = branch(recorded(2, record("sandbox", deployment(1, 1)), content_touch=touch(2, hours=6)), when=train)
    assert (deploys(late), waits(late, "sandbox"), late.wake_at) == ({}, ["train"], at(29))
    there = record("sandbox", deployment(1, 1), touch=touch(9, "changed", hours=6))
    pin = branch(recorded(1, there, references={"v3": version(3).id}), {"version": "v3"}, when=train)
    assert deploys(pin) == {"sandbox": ("release", [3])}


def test_a_hotfix_from_the_branch_skips_gates_and_that_is_remembered():
    urgent = recorded(2, record("sandbox", deployment(1, 1)), versions=[version(2, tags=("HOTFIX",))])
    found = branch(urgent, gates={"approvals": 1, "hotfix": ["approvals"]})
    (deploy,) = found.actions
    assert deploys(found) == {"sandbox": ("release", [2])}
    assert deploy.remarks == ("[HOTFIX] skipped approvals",)  # type: ignore[union-attr]


def test_settings_reach_what_is_here_while_the_branch_waits_at_a_gate():
    there = record("sandbox", deployment(1, 1), touch=touch(9, "changed"))
    found = branch(recorded(2, there), {"config": SETTINGS}, gates={"approvals": 1})
    (deploy,) = found.actions
    assert deploys(found) == {"sandbox": ("release", [1])}
    assert deploy.subject.config == SETTINGS  # type: ignore[union-attr]
    assert waits(found, "sandbox") == ["approval"]


def test_the_first_of_all_waits_at_the_gate_as_well():
    found = branch(recorded(1), gates={"approvals": 1})
    assert (found.actions, waits(found, "sandbox")) == ((), ["approval"])


def test_an_experiment_that_holds_a_promotion_back():
    trial = {"control": "v1", "variant": "v3", "percent": 20, "until": "2026-06-01T20:00:00Z"}
    shop = app(environments={"sandbox": {}, "live": {"experiment": trial}})
    found = facts({"touch": touch(9, "changed")}, references={"v1": version(1).id, "v3": version(3).id})
    places = {"sandbox": environment("sandbox"), "live": environment("live", "sandbox")}
    detail = "v2 waits, since an experiment is to end: commit the winner in place of it"
    assert planned(shop, found, at(4), places).waiting == (
        Waiting(**LIVE, waits_for="experiment", until=at(8), detail=detail),
    )
