"""Does `status` say what is in doubt, what concerns everything, and nothing wrong about another moment?"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from reconciler.engine.alone import alone
from tests.commands import Told
from tests.world import ENVIRONMENTS, World, app_manifest

LIVE = "{track: latest, target: {type: exec, command: [sh, -c, %s]}, retry: {limit: %d, backoff: 1h}}"


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def one_environment(told: World, script: str, limit: int = 0) -> None:
    """One environment, whose command is a line of shell in the bundle's directory."""
    environment = "apiVersion: reconciler/v1\nkind: Environment\nmetadata: {name: live}\nspec: "
    told.commit(
        "Begin",
        {
            "environments.yaml": environment + LIVE % (json.dumps(script), limit),
            "shop.yaml": app_manifest(environments=["live"]),
            "shop/index.html": "one",
        },
    )


def test_after_a_failed_rollback_nobody_claims_to_know_what_runs(told: Told) -> None:
    # The first version goes well once: going back to it fails.
    flag = told.directory / "done-once"
    one_environment(told, f"grep -q two index.html || {{ test ! -e {flag} && touch {flag}; }}")
    told.settle()
    told.commit("Two", {"shop/index.html": "two"})
    told.settle()
    (sure,) = told.json("status")
    assert (sure["deployment"]["traffic"][0]["number"], sure["doubt"]) == (2, None)
    assert "?" not in told.type("status").out
    told.repo.revert("HEAD")
    told.repo.push()
    told.settle()
    (row,) = told.json("status")
    (failed,) = told.json("deployments", "list", "--status", "failed")
    assert failed["cause"] == "rollback"
    assert row["deployment"]["traffic"][0]["number"] == 2
    assert row["doubt"]["deployment"] == failed["id"]
    assert "v2 completed last (deployment 2), then deployment 3 (rollback: v1) failed" in row["doubt"]["reason"]
    assert f"reconciler retry {failed['id']}" in row["doubt"]["remedy"]
    line = next(line for line in told.type("status").out.splitlines() if line.startswith("shop"))
    assert line.split()[2] == "v2?"
    assert "unknown what runs" in line
    assert "nobody knows for sure what runs: v2 completed last" in told.type("status").out
    flag.unlink()
    told.type("retry", failed["id"], "--actor", "ann@example.org")
    told.settle()
    (row,) = told.json("status")
    assert (row["deployment"]["traffic"][0]["number"], row["doubt"]) == (1, None)


def test_a_future_moment_shows_what_is_asked_for_and_no_ages(told: Told) -> None:
    told.commit("Begin", {"environments.yaml": ENVIRONMENTS, "shop.yaml": app_manifest(), "shop/index.html": "one"})
    told.settle()
    headings, *rows = told.type("status", "--at", "400d").out.splitlines()[1:4]
    assert headings.split("  ")[0] == "APP"
    assert "SINCE" not in headings
    assert "FOR " not in headings.replace("ASKED FOR", "")
    assert all("days" not in row and row.split()[2] == "v1" for row in rows)
    before = told.type("status", "--at", (told.now - timedelta(days=1)).isoformat()).out
    assert "nothing ran" in before


def test_the_first_reading_is_told(told: Told) -> None:
    # A daemon that has only just begun: it holds its lock, and then its store is there.
    state = told.directory / "state"
    state.mkdir()
    with alone(state):
        assert "has just started" in told.type("status").err
    with told.running() as found:
        for _ in range(2):
            assert "is being read for the first time" in told.type("status").out
            found.following.begin(told.now)
    assert "nothing has been read from the repository yet" in told.type("status").out
    assert "no daemon runs on this data directory" in told.type("status").out


def test_a_repository_without_apps_is_told(told: Told) -> None:
    told.commit("Nothing", {"README.md": "later"})
    told.settle()
    assert f"main at {told.repo.head[:10]} declares none" in told.type("status").out


def test_a_failed_attempt_that_is_tried_again_is_named_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    one_environment(world, "exit 1", limit=2)
    with world.running() as found, structlog.testing.capture_logs() as logs:
        for _ in range(3):
            found.daemon.settle()
            world.later(hours=5)
    told = [(one["event"], one.get("attempt"), one.get("of")) for one in logs if one["event"].startswith("deployment.")]
    again, failed = "deployment.attempt-failed", "deployment.failed"
    assert told == [(again, 1, 3), (again, 2, 3), (failed, None, None)]
    assert next(one for one in logs if one["event"] == again)["again_at"] == "2026-06-01T13:00:00Z"


def test_a_target_that_asks_for_time_has_not_failed(tmp_path: Path) -> None:
    world = World(tmp_path)
    one_environment(world, "exit 75")
    with world.running() as found, structlog.testing.capture_logs() as logs:
        found.daemon.settle()
    (put_off,) = (one for one in logs if one["event"].startswith("deployment."))
    assert (put_off["event"], put_off["log_level"]) == ("deployment.put-off", "info")
