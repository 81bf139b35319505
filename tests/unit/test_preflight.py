"""May a deployment that is made elsewhere start? Asked of values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.desired import Desired, Latest, Tracked
from reconciler.freezing import ActiveFreeze
from reconciler.model.gates import Gates
from reconciler.planner.preflight import Asked, Runs, approvals_missing, key_of, verdict
from reconciler.planner.recorded import Approval

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = key_of("billing", "live", "1.2.3")


def wanted(gates: Gates | None = None, *, after: str | None = "staging", freezes: tuple[ActiveFreeze, ...] = ()) -> Any:
    return Desired(
        app="billing",
        environment="live",
        at=NOON,
        choice=Latest(),
        chosen_by="base",
        config={},
        base_choice=Latest(),
        base_config={},
        scheduled_at=None,
        seasons=(),
        pause=None,
        next_edge=None,
        gates=gates,
        follows=Tracked(after) if after else Latest(),
        freezes=freezes,
    )


def asked(gates: Gates | None = None, **other: Any) -> Asked:
    """It completed in staging two hours ago, unless told otherwise."""
    said = {"app": "billing", "environment": "live", "version": "1.2.3", "kind": "release"}
    return Asked(**{**said, "wanted": wanted(gates), "completed_before": NOON - 2 * HOUR, **other})


def rules(one: Asked) -> list[str]:
    return [objection.rule for objection in verdict(one).objections]


def freeze(*allow: str, hours: int = 3) -> ActiveFreeze:
    return ActiveFreeze(name="year-end", until=NOON + hours * HOUR, allow=allow, reason="nobody is there")


RUNS = Runs(id="ab12", number=7, version="1.2.2", since=NOON - HOUR, external=True)


def test_nothing_speaks_against_it() -> None:
    assert verdict(asked()).objections == ()
    assert verdict(asked(wanted=None, completed_before=None)).objections == ()


def test_something_runs_there() -> None:
    (found,) = verdict(asked(runs=RUNS, wanted=wanted(freezes=(freeze(),)))).objections
    assert found.rule == "busy"
    assert found.detail == (
        "deployment 7 (ab12, reported) of billing runs in live since 2026-06-01T11:00:00Z, with 1.2.2"
    )
    assert "report that it was aborted" in found.next_step
    (ours,) = verdict(asked(runs=replace(RUNS, external=False))).objections
    assert ours.next_step.endswith("`reconciler abort ab12`")


def test_it_runs_in_a_place_that_git_does_not_know() -> None:
    assert rules(asked(wanted=None, runs=RUNS)) == ["busy"]


@pytest.mark.parametrize(
    ("kind", "allow", "completed_here", "stopped"),
    [
        ("release", (), False, True),
        ("release", ("release",), False, False),
        ("release", ("promotion",), False, True),
        ("release", ("hotfix",), False, True),
        ("promotion", ("promotion",), False, False),
        ("promotion", ("release",), False, True),
        ("hotfix", ("hotfix",), False, False),
        ("hotfix", ("release",), False, False),
        ("hotfix", (), False, True),
        ("rollback", (), True, False),
        ("rollback", (), False, True),
        ("rollback", ("rollback",), False, True),
    ],
)
def test_freezes_by_kind(kind: str, allow: tuple[str, ...], completed_here: bool, stopped: bool) -> None:
    one = asked(kind=kind, completed_here=completed_here, wanted=wanted(freezes=(freeze(*allow),)))
    assert rules(one) == (["freeze"] if stopped else [])


def test_the_last_of_several_freezes_counts() -> None:
    several = (freeze(hours=1), freeze(hours=5), freeze("release", hours=9))
    (found,) = verdict(asked(wanted=wanted(freezes=several))).objections
    assert found.until == NOON + 5 * HOUR
    assert "year-end (nobody is there)" in found.detail


def test_what_never_ran_here_is_no_rollback() -> None:
    (found,) = verdict(asked(kind="rollback", wanted=wanted(freezes=(freeze(),)))).objections
    assert "1.2.3 never completed here, so it is no rollback" in found.next_step


def test_a_way_back_waits_for_no_gate() -> None:
    strict = Gates(soak=5 * HOUR, approvals=2)
    assert rules(asked(strict, kind="rollback", completed_here=True, completed_before=None)) == []
    assert rules(asked(strict, kind="rollback", completed_here=False)) == ["soak", "approval"]


def test_order() -> None:
    (found,) = verdict(asked(Gates(soak=HOUR, approvals=1), completed_before=None)).objections
    assert found.rule == "order"
    assert found.detail == "1.2.3 of billing has not completed in staging, which live follows"
    assert rules(asked(completed_before=None, wanted=wanted(after=None))) == []


def test_soak() -> None:
    (found,) = verdict(asked(Gates(soak=3 * HOUR))).objections
    assert (found.rule, found.until) == ("soak", NOON + HOUR)
    assert rules(asked(Gates(soak=2 * HOUR))) == []
    assert rules(asked(Gates(soak=3 * HOUR), wanted=wanted(Gates(soak=3 * HOUR), after=None))) == []


def approved(*people: str, role: str | None = None) -> tuple[Approval, ...]:
    return tuple(Approval(actor=person, role=role, at=NOON) for person in people)


@pytest.mark.parametrize(
    ("needed", "given", "missing"),
    [
        (1, (), True),
        (1, approved("ann@example.com"), False),
        (2, approved("ann@example.com"), True),
        (2, approved("ann@example.com", "Ann <ANN@example.com>"), True),
        (2, approved("ann@example.com", "bob@example.com"), False),
        (1, approved("Dev <dev@example.com>"), True),
        (1, approved("ci"), True),
        ({"qa": 1}, approved("ann@example.com"), True),
        ({"qa": 1}, approved("ann@example.com", role="qa"), False),
        (0, (), False),
    ],
)
def test_approvals(needed: Any, given: tuple[Approval, ...], missing: bool) -> None:
    one = asked(Gates(approvals=needed), approvals=given, people=frozenset({"dev@example.com", "ci"}))
    assert rules(one) == (["approval"] if missing else [])
    assert bool(approvals_missing(one)) == missing
    assert bool(approvals_missing(replace(one, runs=RUNS))) == missing


def test_what_to_approve_is_named() -> None:
    (found,) = verdict(asked(Gates(approvals={"qa": 1, "ops": 2}))).objections
    assert found.roles == ("ops", "qa")
    assert f"`reconciler approve {KEY[:12]}`" in found.next_step
    assert key_of("billing", "live", "1.2.4") != KEY


@pytest.mark.parametrize("mode", ["enforced", "report", "off"])
def test_modes(mode: Any) -> None:
    strict = Gates(soak=9 * HOUR, approvals=1, mode=mode)
    found = verdict(asked(strict))
    assert [one.rule for one in found.objections] == (["soak", "approval"] if mode == "enforced" else [])
    assert len(found.remarks) == (2 if mode == "report" else 0)
    early = verdict(asked(Gates(mode=mode), completed_before=None))
    assert bool(early.objections) == (mode == "enforced")
    assert all(one.startswith("reported only: ") for one in (*found.remarks, *early.remarks))
    # Neither what runs there nor a freeze is a gate.
    assert rules(asked(strict, runs=RUNS)) == ["busy"]
    assert rules(asked(strict, wanted=wanted(strict, freezes=(freeze(),)))) == ["freeze"]


def test_a_hotfix_skips_what_the_gates_let_it_skip() -> None:
    strict = Gates(soak=9 * HOUR, approvals=1, hotfix=("soak",))
    assert rules(asked(strict, kind="hotfix")) == ["approval"]
    assert rules(asked(strict)) == ["soak", "approval"]
