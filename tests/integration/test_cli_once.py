"""Does `run --once` say by its exit status whether everything that could be done went well?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import Told
from tests.world import ENVIRONMENTS, app_manifest

SANDBOX = "{track: latest, target: {type: directory, path: releases/sandbox}}"


def began(told: Told, sandbox: str = SANDBOX) -> None:
    """The first commit, with the sandbox as it is given."""
    environments = ENVIRONMENTS.replace(SANDBOX, sandbox)
    told.commit("Begin", {"environments.yaml": environments, "shop.yaml": app_manifest(), "shop/index.html": "one"})


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def test_settled_is_0_and_once_more_is_nothing_to_do(told: Told) -> None:
    began(told)
    done = told.type("run", "--once")
    assert (done.status, done.out) == (0, f"settled at {told.repo.head[:10]}: 3 completed\n")
    assert told.runs("live") == "one"
    assert all("event" in json.loads(line) for line in done.err.splitlines())
    assert told.type("run", "--once").out.endswith("nothing to do\n")
    assert told.json("audit", "verify")["unsealed"] == 0


def test_a_repository_that_is_empty_or_gone_is_1(told: Told) -> None:
    empty = told.type("run", "--once")
    assert empty.status == 1
    assert "has no branch main" in empty.err
    began(told)
    assert told.type("run", "--once").status == 0
    told.home.path.rename(told.directory / "gone")
    gone = told.type("run", "--once")
    assert gone.status == 1
    assert "there is no repository at this address" in gone.err


@pytest.mark.sqlite_only("its file is no database")
def test_a_store_that_does_not_answer_is_1(told: Told) -> None:
    began(told)
    (told.directory / "state").mkdir()
    (told.directory / "state" / "reconciler.db").write_bytes(b"this is no database" * 1000)
    done = told.type("run", "--once")
    assert (done.status, done.out) == (1, "")
    assert "not a database" in done.err


def test_a_deployment_that_failed_is_1_in_that_run_alone(told: Told) -> None:
    began(told, '{track: latest, target: {type: exec, command: ["/bin/false"]}, retry: {limit: 0}}')
    done = told.type("run", "--once")
    assert done.status == 1
    assert "1 deployment failed" in done.err
    assert told.type("run", "--once").status == 0


def test_an_attempt_that_is_left_for_later_is_1(told: Told) -> None:
    began(told, '{track: latest, target: {type: exec, command: ["/bin/false"]}, retry: {limit: 3, backoff: 1h}}')
    done = told.type("run", "--once")
    assert done.status == 1
    assert "1 deployment waits for another attempt" in done.err
    assert "waits for retry until" in told.type("status").out


def test_a_branch_that_is_held_is_told(told: Told) -> None:
    began(told)
    told.commit("Second", {"shop/index.html": "two"})
    told.type("run", "--once")
    told.repo.force("HEAD~1")
    done = told.type("run", "--once")
    assert (done.status, done.out.split(" at ")[0]) == (1, "not settled")
    assert f"{told.repo.head[:10]}, the head of the branch main, is held and was not taken in" in done.err
    assert f"reconciler accept {told.repo.head[:10]}" in done.err
    assert told.type("accept", told.repo.head[:10], "--actor", "ann@example.org").status == 0
    assert told.type("run", "--once").status == 0


def test_two_reconcilers_do_not_share_a_directory(told: Told) -> None:
    began(told)
    with told.running():
        done = told.type("run", "--once")
    assert done.status == 1
    assert "another reconciler runs" in done.err


def test_init_makes_what_run_releases(tmp_path: Path) -> None:
    from tests.commands import typed

    assert typed("init", "demo", at=tmp_path).status == 0
    again = typed("init", "demo", at=tmp_path)
    assert again.status == 1
    assert "is not an empty directory" in again.err
    assert typed("init", "file/below", at=tmp_path).status == 0
    (tmp_path / "taken").write_text("")
    assert typed("init", "taken", at=tmp_path).status == 1
    assert typed("init", "taken/below", at=tmp_path).status == 1
    assert typed("validate", at=tmp_path / "demo").status == 0
    assert typed("run", "--once", at=tmp_path / "demo").status == 0
