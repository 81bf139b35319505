"""Gates, freezes and dates with a real daemon on the real clock, and people who type commands."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.commands import typed
from tests.e2e.daemon import Live, environment_manifest
from tests.world import app_manifest


def soon(seconds: float) -> str:
    """A moment so many seconds from now."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def begin(live: Live, **spec: Any) -> None:
    """Version 1 runs in both environments; then live gets its settings."""
    sandbox = environment_manifest("sandbox", "latest")
    files = {"shop.yaml": app_manifest(environments=["sandbox", "live"]), "shop/index.html": "one"}
    live.commit("Begin", {"sandbox.yaml": sandbox, "live.yaml": environment_manifest("live", "sandbox"), **files})
    live.start()
    runs(live, "one")
    if spec:
        live.commit("Rules for live", {"live.yaml": environment_manifest("live", "sandbox", **spec)})


def runs(live: Live, text: str, environment: str = "live") -> None:
    live.wait_for(lambda: live.runs(environment) == text, f"{text} in {environment}")


def waits(live: Live, waits_for: str) -> dict[str, Any]:
    """What live waits for, once it waits for this."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        rows = typed("status", "shop", "-o", "json", at=live.directory).json
        waiting = next(row for row in rows if row["environment"] == "live")["waiting"]
        found[:] = [one for one in waiting if one["for"] == waits_for]
        return bool(found)

    live.wait_for(look, f"live waits for {waits_for}")
    return found[0]


def test_a_soak_ends_by_itself(live: Live) -> None:
    begin(live, gates={"soak": "2s"})
    live.commit("Say two", {"shop/index.html": "two"})
    runs(live, "two", "sandbox")
    until = datetime.fromisoformat(waits(live, "soak")["until"])
    runs(live, "two")
    promoted = live.history(environment="live")[-1]
    assert promoted.created_at >= until
    # Not when git is asked next, which is every 30 s.
    assert promoted.created_at - until < timedelta(seconds=10)


def test_somebody_else_approves_by_the_id_that_status_shows(live: Live) -> None:
    begin(live, gates={"approvals": 1})
    live.commit("Say two", {"shop/index.html": "two"})
    wanted = waits(live, "approval")["id"]
    author = live.versions()[-1].author.email
    mine = typed("approve", wanted, "--actor", author, at=live.directory)
    assert (mine.status, "the author's approval does not count" in mine.err) == (1, True)
    given = typed("approve", wanted[:6], "--actor", "bob@example.com", "--reason", "read it", at=live.directory)
    assert given.status == 0, given.err
    runs(live, "two")
    late = typed("approve", wanted, "--actor", "eve@example.com", at=live.directory)
    assert (late.status, "any more" in late.err) == (1, True)


def test_a_freeze_ends_by_itself_and_a_revert_does_not_wait_for_it(live: Live) -> None:
    begin(live)
    bad = live.commit("Say two", {"shop/index.html": "two"})
    runs(live, "two")
    spec = {"environments": ["live"], "from": soon(-60), "until": soon(4), "reason": "stock-taking"}
    freeze = {"apiVersion": "reconciler/v1", "kind": "Freeze", "metadata": {"name": "stock"}, "spec": spec}
    live.commit("Freeze", {"freeze.yaml": json.dumps(freeze)})
    live.repo.git("revert", "--no-edit", bad)
    live.repo.push()
    runs(live, "one")
    live.commit("Say three", {"shop/index.html": "three"})
    until = datetime.fromisoformat(waits(live, "freeze")["until"])
    runs(live, "three")
    assert live.history(environment="live")[-1].created_at >= until


def test_a_dated_promotion_comes_at_its_moment(live: Live) -> None:
    begin(live, when={"at": soon(4)})
    live.commit("Say two", {"shop/index.html": "two"})
    until = datetime.fromisoformat(waits(live, "train")["until"])
    runs(live, "two")
    made = live.history(environment="live")[-1]
    assert made.created_at >= until
    assert made.late_by_seconds is not None
    assert made.late_by_seconds < 1


def test_a_hotfix_goes_past_the_soak_and_says_so(live: Live) -> None:
    begin(live, gates={"soak": "1h", "hotfix": ["soak"]})
    live.commit("[HOTFIX] Say two", {"shop/index.html": "two"})
    runs(live, "two")
    last = live.history(environment="live")[-1]
    shown = typed("deployments", "show", last.id, "-o", "json", at=live.directory).json
    assert any("[HOTFIX] skipped soak" in event["message"] for event in shown["events"])


def test_an_experiment_ends_with_the_control_unless_a_commit_picks_the_winner(live: Live) -> None:
    begin(live)
    live.commit("Say two", {"shop/index.html": "two"})
    runs(live, "two")
    trial = {"control": "v1", "variant": "v2", "percent": 30, "until": soon(4)}
    entries = {"sandbox": {}, "live": {"experiment": trial}}
    live.commit("Try two", {"shop.yaml": app_manifest(environments=entries)})
    place = live.released("live").parent / "traffic.json"

    def shares() -> dict[int, float]:
        return {part["number"]: part["percent"] for part in json.loads(place.read_text())}

    live.wait_for(lambda: shares() == {1: 70, 2: 30}, "the split")
    live.wait_for(lambda: shares() == {1: 100}, "the control alone")
    live.commit("Two it is", {"shop.yaml": app_manifest(environments=["sandbox", "live"])})
    live.wait_for(lambda: shares() == {2: 100}, "the winner")


def test_what_waits_at_a_gate_still_waits_after_a_kill(live: Live) -> None:
    begin(live, gates={"approvals": 2})
    live.commit("Say two", {"shop/index.html": "two"})
    wanted = waits(live, "approval")["id"]
    typed("approve", wanted, "--actor", "bob@example.com", at=live.directory)
    live.kill()
    typed("approve", wanted, "--actor", "eve@example.com", at=live.directory)
    assert live.runs("live") == "one"
    live.start()
    runs(live, "two")
