"""Do people's wishes from the command line come true with the next turn, and is nonsense refused?"""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.commands import Told
from tests.world import ENVIRONMENTS, app_manifest

WHO = ["--actor", "ann@example.org"]
FLAKY = ENVIRONMENTS.replace(
    "{track: latest, target: {type: directory, path: releases/sandbox}}",
    '{track: latest, retry: {limit: 0}, target: {type: exec, command: ["/bin/sh", "-c", "test ! -e %s"]}}',
)


@pytest.fixture
def told(tmp_path: Path) -> Told:
    made = Told(tmp_path)
    made.start_repository()
    made.settle()
    return made


def versions_in(told: Told, environment: str) -> list[int]:
    (row,) = (row for row in told.json("status") if row["environment"] == environment)
    return [part["number"] for part in row["deployment"]["traffic"]]


def test_a_pause_holds_until_it_is_resumed(told: Told) -> None:
    done = told.type("pause", "shop", "live", "--reason", "the fair", "--until", "2h", *WHO)
    assert done.status == 0
    assert "shop in live is paused until" in done.out
    told.commit("Change", {"shop/index.html": "two"})
    told.settle()
    assert [versions_in(told, name) for name in ("sandbox", "live")] == [[2], [1]]
    (live,) = (row for row in told.json("status") if row["environment"] == "live")
    assert live["paused"]["by"] == "ann@example.org"
    assert live["paused"]["reason"] == "the fair"
    assert live["waiting"][0]["for"] == "pause"
    assert live["waiting"][0]["until"] == live["paused"]["until"]
    assert told.json("calendar")[0]["cause"] == "pause-end"

    assert told.type("resume", "shop", "live", *WHO).status == 0
    told.settle()
    assert versions_in(told, "live") == [2]
    again = told.type("resume", "shop", "live", *WHO)
    assert (again.status, again.out) == (1, "")
    assert "nobody has paused shop in live" in again.err


def test_a_pause_of_the_whole_app_is_seen_everywhere(told: Told) -> None:
    until = (told.now + timedelta(days=1)).isoformat(timespec="seconds")
    told.type("pause", "shop", "--reason", "moving", "--until", until, *WHO)
    rows = told.json("status")
    assert all(datetime.fromisoformat(row["paused"]["until"]) == datetime.fromisoformat(until) for row in rows)
    assert told.type("resume", "shop", "live", *WHO).status == 1
    assert told.type("resume", "shop", *WHO).status == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pause", "sop", "--reason", "x", "--until", "1h"], "did you mean shop?"),
        (["pause", "shop", "moon", "--reason", "x", "--until", "1h"], "not in an environment moon"),
        (["resume", "shop"], "nobody has paused shop"),
        (["abort", "ffff", "--reason", "x"], "no deployment"),
        (["retry", "ffff"], "no deployment"),
        (["abort", "f" * 64, "--reason", "x"], "no deployment has an id that begins with ffff"),
        (["accept", "abcdef0"], "no rewritten branch is held"),
    ],
)
def test_nonsense_is_refused_and_leaves_no_trace(told: Told, words: list[str], said: str) -> None:
    before = told.type("audit", "export").out
    done = told.type(*words, *WHO)
    assert (done.status, done.out) == (1, "")
    assert said in done.err
    assert told.type("audit", "export").out == before


def test_what_has_ended_is_neither_stopped_nor_tried_again(told: Told) -> None:
    completed = told.json("deployments", "list")[0]["id"]
    assert "nothing to stop" in told.type("abort", completed, "--reason", "x", *WHO).err
    assert "only what failed" in told.type("retry", completed, *WHO).err


def test_a_failed_deployment_is_tried_again_while_it_is_wanted(tmp_path: Path) -> None:
    told, flag = Told(tmp_path), tmp_path / "broken"
    flag.touch()
    told.commit("Begin", {"env.yaml": FLAKY % flag, "shop.yaml": app_manifest(), "shop/index.html": "one"})
    told.settle()
    (failed,) = told.json("deployments", "list")
    assert failed["status"] == "failed"

    flag.unlink()
    done = told.type("retry", failed["id"][:10], "--reason", "the disk is mended", *WHO)
    assert done.status == 0
    told.settle()
    newest = told.json("deployments", "list", "--environment", "sandbox")[0]
    assert (newest["status"], newest["cause"], newest["deployed_by"]) == ("completed", "retry", "ann@example.org")

    told.commit("Change", {"shop/index.html": "two"})
    told.settle()
    refused = told.type("retry", failed["id"], *WHO)
    assert refused.status == 1
    assert "shop is to run something else in sandbox by now" in refused.err


def test_a_running_deployment_is_stopped(tmp_path: Path) -> None:
    told = Told(tmp_path)
    never = ENVIRONMENTS.replace(
        "{track: latest, target: {type: directory, path: releases/sandbox}}",
        '{track: latest, target: {type: exec, command: ["/bin/sh", "-c", "sleep 60"]}}',
    )
    told.commit("Begin", {"env.yaml": never, "shop.yaml": app_manifest(), "shop/index.html": "one"})
    with told.running() as found:
        found.cycle.turn(told.now)
        (running,) = told.json("deployments", "list")
        assert running["status"] == "started"
        assert told.json("status")[0]["active"]["id"] == running["id"]
        assert told.type("abort", running["id"], "--reason", "wrong button", *WHO).status == 0
        found.daemon.settle()
    (stopped,) = told.json("deployments", "list")
    assert stopped["status"] == "aborted"
    asked = [event for event in told.json("deployments", "show", stopped["id"])["events"] if event["actor"] == WHO[1]]
    assert asked
    assert any("wrong button" in event["message"] for event in asked)


def test_a_rewritten_branch_is_accepted_by_its_own_id(told: Told) -> None:
    first = told.repo.head
    told.commit("Change", {"shop/index.html": "two"})
    told.settle()
    told.repo.force(first)
    told.commit("Another", {"shop/index.html": "three"}, push=False)
    told.repo.force("HEAD")
    told.settle()
    held = told.repo.head
    assert told.type("accept", "HEAD", *WHO).status == 2
    assert f"the branch is held at {held}" in told.type("accept", "1234567", *WHO).err
    assert told.type("accept", held[:10], *WHO).status == 0
    told.settle()
    assert versions_in(told, "live") == [3]


def test_who_asks_is_whom_git_knows(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(told.directory / "gitconfig"))
    unknown = told.type("pause", "shop", "--reason", "x", "--until", "1h")
    assert unknown.status == 2
    assert "say who you are" in unknown.err
    subprocess.run(["git", "config", "--global", "user.email", "grace@example.org"], check=True, env=os.environ)
    assert told.type("pause", "shop", "--reason", "x", "--until", "1h").status == 0
    assert told.json("status")[0]["paused"]["by"] == "grace@example.org"
