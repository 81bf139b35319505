"""What is told where a plan refuses something, and who lets it pass: word for word."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from reconciler.model.app import Binding, SecretReference
from reconciler.model.plan import Plan, Refused, Waiting
from reconciler.planner.recorded import (
    Allowance,
    Brake,
    PauseRecord,
)
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
    version,
    withdrawal,
)
from tests.plans import BOTH, HERE, ONE, PLACES, TWO, alone, deploy_of, live
from tests.unit.test_planner_told import rolling

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
        found = alone(replace(guarded, allowances=(allowed,)))
        assert deploys(found) == {"sandbox": ("auto-rollback", [1])}
        word_of = f"passed by the word of ann in {allowed.commit[:10]} (`Allow-Rollback: shop/sandbox`)"
        assert deploy_of(found).remarks == (f"{said}: {word_of}",)
    for vain in (replace(word, at=at(1)), replace(word, environment="live")):
        assert alone(replace(guarded, allowances=(vain,))).empty


def test_the_way_back_from_a_withdrawn_version_is_allowed_by_its_revert_or_what_follows():
    facts = recorded(1, record("sandbox", deployment(1, 1)), record("live", live(2, 2), live(1, 1)))
    facts = replace(facts, withdrawn=withdrawal(2), versions={**facts.versions, TWO: version(2, migrations=("a",))})
    assert [one.rule for one in planned(BOTH, facts, at(9), PLACES).refused] == ["rollback"]
    word = Allowance(environment="live", position=50, at=at(3), author="ann", commit="c" * 40)
    allowed = planned(BOTH, replace(facts, allowances=(word,)), at(9), PLACES)
    assert deploys(allowed) == {"live": ("rollback", [1])}
    assert "passed by the word of ann" in deploy_of(allowed, "live").remarks[0]
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
    assert deploy_of(alone(allowed, 16, entry={"version": "v1"})).remarks == (
        f"{detail}: passed by the word of ann in cccccccccc (`Allow-Rollback: shop/sandbox`)",
    )
    near = replace(allowed, environments={"sandbox": replace(here, depths={ONE: 9})})
    assert deploy_of(alone(near, 16, entry={"version": "v1"})).remarks == ()
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
