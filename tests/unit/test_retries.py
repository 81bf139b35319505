"""Another try that a person asks for: what it waits for, and that going back once more waits for nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.deployment import Subject
from reconciler.model.plan import Abort, Plan
from reconciler.model.rollout import Course
from reconciler.planner.recorded import Dependency, PauseRecord, RecordedApp, RetryRequest
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
    waits,
)
from tests.plans import ONE, PLACES, deploy_of, live, told

FREEZE = freeze("stock", "2026-06-01T13:00", "2026-06-02T13:00")
ASKED = RetryRequest(deployment="live-3", actor="bob@example.com")
FAILED = live(3, 1, "failed", cause="rollback", rolled_back_from="live-2")
PAUSE = PauseRecord(environment="live", by="bob", reason="moving", until=at(99))
BUSY = Dependency(app="till", environment="live", completed=True, active=True)


def pinned(*newest_first: Any, **more: Any) -> RecordedApp:
    """Live runs version 2 and was pinned back to version 1."""
    bad = suspicion(Subject(traffic=traffic(1)).fingerprint, FAILED)
    here = record("live", *newest_first, suspicions=more.pop("bad", bad), touch=touch(7, "changed", hours=2))
    return recorded(2, record("sandbox", deployment(2, 2)), here, references={"v1": ONE}, **more)


def plan(facts: RecordedApp, freezes: Any = (), **spec: Any) -> Plan:
    places = {**PLACES, "live": environment("live", "sandbox", **spec)}
    return planned(app(environments={"sandbox": {}, "live": {"version": "v1"}}), facts, at(9), places, (), freezes)


@pytest.mark.parametrize(
    "gates", [{"approvals": 1}, {"signed": True}, {"checks": [{"name": "smoke", "run": ["true"]}]}]
)
def test_a_way_back_that_failed_waits_at_no_gate_when_it_is_tried_again(gates: dict[str, Any]):
    facts = pinned(FAILED, live(2, 2), live(1, 1), retries=(ASKED,))
    deploy = deploy_of(plan(facts, gates=gates), "live")
    reason = "bob@example.com asked to try deployment 3 again: v1"
    assert told(deploy) == ("retry", reason, f"{1:040x}", "bob@example.com")
    assert deploy.rolled_back_from == "live-2"


def test_nor_for_a_freeze_a_pause_or_another_app():
    facts = pinned(FAILED, live(2, 2), live(1, 1), retries=(ASKED,), pauses=(PAUSE,), dependencies=(BUSY,))
    assert deploys(plan(facts, [FREEZE])) == {"live": ("retry", [1])}


def test_it_goes_at_once_where_releases_go_by_steps():
    facts = pinned(FAILED, live(2, 2), live(1, 1), retries=(ASKED,))
    assert deploy_of(plan(facts, rollout={"steps": [10, 100], "interval": "1m"}), "live").rollout is None


@pytest.mark.parametrize("status", ["pending", "started"])
def test_once_it_has_begun_nothing_stops_it(status: Any):
    again = live(4, 1, status, cause="retry", rolled_back_from="live-2")
    facts = pinned(again, FAILED, live(2, 2), live(1, 1), bad={}, pauses=(PAUSE,))
    found = plan(facts, [FREEZE], gates={"approvals": 1})
    assert found.empty
    assert waits(found, "live") == []


def test_when_it_fails_too_it_may_be_tried_again_in_the_same_way():
    again = live(4, 1, "failed", cause="retry", rolled_back_from="live-2")
    bad = suspicion(Subject(traffic=traffic(1)).fingerprint, again)
    asked = (replace(ASKED, deployment="live-4"),)
    facts = pinned(again, FAILED, live(2, 2), live(1, 1), bad=bad, retries=asked)
    assert deploys(plan(facts, [FREEZE], gates={"approvals": 1})) == {"live": ("retry", [1])}
    assert deploys(plan(replace(facts, retries=()), [FREEZE])) == {}


def test_another_try_of_what_goes_forward_waits_as_it_did():
    forward = live(3, 3, "failed", rollout=None)
    back = live(4, 2, cause="auto-rollback", rolled_back_from="live-3")
    here = record("live", back, forward, live(2, 2), suspicions=suspicion(forward.subject.fingerprint, forward))
    facts = recorded(3, record("sandbox", deployment(3, 3)), here, retries=(ASKED,))
    both = app(environments=("sandbox", "live"))
    found = planned(both, facts, at(9), PLACES, (), [FREEZE])
    assert (deploys(found), waits(found, "live")) == ({}, ["freeze"])
    stepped = {**PLACES, "live": environment("live", "sandbox", rollout={"steps": [10, 100]})}
    assert deploy_of(planned(both, facts, at(9), stepped), "live").rollout == Course(steps=(10, 100), before=traffic(2))
    waiting = live(5, 3, "pending", cause="retry")
    begun = replace(facts, retries=(), environments={"live": record("live", waiting, back, forward, live(2, 2))})
    found = planned(both, begun, at(9), PLACES, (), [FREEZE])
    assert [type(one) for one in found.actions if one.environment == "live"] == [Abort]
