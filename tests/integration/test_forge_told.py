"""A forge is told how commits fare in each environment and of each deployment: in order, and once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.forges import TOKEN, GitHubStandIn, GitLabStandIn, StandIn
from tests.stores import content
from tests.telling import FAILING, said, settle_and_tell
from tests.world import World, app_manifest

RIGHT = """\
apiVersion: reconciler/v1
kind: Environment
metadata: {name: sandbox}
spec: {track: latest, target: {type: directory, path: releases/sandbox}}
"""


@pytest.fixture(params=[GitHubStandIn, GitLabStandIn], ids=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    made: StandIn = request.param()
    yield made
    made.close()
    assert made.refused == []


@pytest.fixture
def world(tmp_path: Path, forge: StandIn) -> World:
    made = World(tmp_path)
    (tmp_path / "token").write_text(TOKEN)
    kind = "github" if isinstance(forge, GitHubStandIn) else "gitlab"
    token = f"file:{tmp_path / 'token'}"
    made.settings["forge"] = {"type": kind, "url": forge.url, "repository": "shops/desired", "token": token}
    return made


def begin(world: World, environments: str = RIGHT, apps: int = 1) -> str:
    files = {"environments.yaml": environments}
    for number in range(apps):
        triggers = {"domains": [f"app{number}.example.org"]}
        files[f"app{number}.yaml"] = app_manifest(f"app{number}", environments=["sandbox"], triggers=triggers)
        files[f"app{number}/index.html"] = "one"
    return world.commit("Begin", files)


def test_a_deployment_is_a_record_and_a_status_of_its_commit(world: World, forge: StandIn) -> None:
    commit = begin(world)
    settle_and_tell(world)
    github = isinstance(forge, GitHubStandIn)
    (deployment,) = forge.deployments
    assert deployment["environment"] == "sandbox/app0"
    assert deployment["ref" if github else "sha"] == commit
    assert forge.told(0)[-1] == "success"
    if github:
        assert forge.told(0) == ["in_progress", "success"]
        assert deployment["url"] == "https://app0.example.org"
    status = forge.statuses[-1]
    assert status["sha"] == commit
    assert status["context" if github else "name"] == "reconciler/sandbox"
    assert status["state"] == "success"
    before = len(forge.calls)
    settle_and_tell(world)
    assert len(forge.calls) == before


def test_what_fails_is_told(world: World, forge: StandIn) -> None:
    begin(world, FAILING)
    settle_and_tell(world)
    failed = "failure" if isinstance(forge, GitHubStandIn) else "failed"
    assert forge.statuses[-1]["state"] == failed
    assert forge.told(0)[-1] == failed


def test_many_apps_of_a_commit_are_few_statuses(world: World, forge: StandIn) -> None:
    begin(world, apps=12)
    settle_and_tell(world)
    assert len(forge.statuses) == 1
    assert forge.statuses[0]["description"] == "12 completed"
    assert len(forge.deployments) == 12


def test_a_record_whose_answer_was_lost_is_found_and_not_made_twice(world: World, forge: StandIn) -> None:
    forge.lose_next = 2
    begin(world)
    settle_and_tell(world)
    assert len(forge.deployments) == 1
    for _ in range(4):
        world.later(seconds=30)
        settle_and_tell(world)
    assert len(forge.deployments) == 1
    assert forge.told(0)[-1] == "success"
    assert {status for _, status, _ in said(world)} == {"sent"}


def test_a_limit_is_waited_for_by_all_that_goes_there(world: World, forge: StandIn) -> None:
    begin(world, apps=5)
    forge.limited = 1
    assert settle_and_tell(world) == 1
    world.later(seconds=6)
    assert settle_and_tell(world) == 0
    assert forge.calls == []
    world.later(seconds=2)
    settle_and_tell(world)
    assert len(forge.deployments) == 5
    assert {status for _, status, _ in said(world)} == {"sent"}


def test_the_token_is_in_no_log_and_not_in_the_store(
    world: World, forge: StandIn, capfd: pytest.CaptureFixture[str]
) -> None:
    begin(world)
    forge.lose_next = 1
    settle_and_tell(world)
    written = capfd.readouterr()
    assert TOKEN not in written.out + written.err
    assert TOKEN.encode() not in content(world.settings["state"]["url"])
