"""Where failures are held: nothing goes back by itself, also not while something newer waits."""

from __future__ import annotations

from typing import Any

from reconciler.model.plan import Plan
from reconciler.planner.recorded import HoldRecord, RetryRequest
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
    waits,
)
from tests.plans import BOTH, PLACES, both, live

BAD = live(3, 3, "failed")
HOLD = HoldRecord(by="reconciler", reason="v3 failed", since=at(3), deployment="live-3", version=BAD.traffic[0].version)
HERE: dict[str, Any] = {"suspicions": suspicion(BAD.traffic[0].version, BAD), "hold": HOLD}


def soaking(**spec: Any) -> Plan:
    """Version 4 is still to soak, where version 3 failed in live and 2 ran before."""
    above = record("sandbox", deployment(4, 4), deployment(3, 3), deployment(2, 2))
    return both(recorded(4, above, record("live", BAD, live(2, 2), **HERE)), 4.5, gates={"soak": "1h"}, **spec)


def test_what_waits_at_a_gate_brings_nothing_back():
    held = soaking(on_failure="hold")
    assert (held.actions, waits(held, "live")) == ((), ["soak"])
    assert deploys(soaking()) == {"live": ("auto-rollback", [2])}


def test_what_waits_at_the_gates_of_the_branch_brings_nothing_back():
    here = record("sandbox", deployment(3, 3, "failed"), deployment(2, 2))
    alone = {"sandbox": environment("sandbox", on_failure="hold", gates={"approvals": 1})}
    found = planned(app(environments=("sandbox",)), recorded(4, here), at(5), alone)
    assert (found.actions, waits(found, "sandbox")) == ((), ["approval"])


def test_another_try_that_waits_for_a_freeze_brings_nothing_back():
    facts = recorded(
        3,
        record("sandbox", deployment(3, 3)),
        record("live", BAD, live(2, 2), **HERE),
        retries=(RetryRequest(deployment="live-3", actor="bob@example.com"),),
    )
    places = {**PLACES, "live": environment("live", "sandbox", on_failure="hold")}
    stock = freeze("stock", "2026-06-01T13:00", "2026-06-02T13:00")
    found = planned(BOTH, facts, at(9), places, (), [stock])
    assert (found.actions, waits(found, "live")) == ((), ["freeze"])
