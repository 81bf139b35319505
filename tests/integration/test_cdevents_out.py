"""What happens to deployments leaves as CDEvents, each event of the published shape, in order and once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cdevents import check
from tests.http_asking import face
from tests.receiver import Answer, Receiver, receiving
from tests.telling import FAILING, alert, settle_and_tell, to
from tests.world import World, app_manifest

EVENTS = ["started", "completed", "failed", "aborted", "rolled-back"]
RIGHT = FAILING.replace('retry: {limit: 0}, target: {type: exec, command: [sh, -c, "exit 3"]}', "target: {}")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def begin(world: World, receiver: Receiver, environments: str) -> None:
    url = to(world, f"http://127.0.0.1:{receiver.port}/events")
    told = alert(url, format="cdevents", events=EVENTS)
    shop = {"shop.yaml": app_manifest(environments=["sandbox"]), "shop/index.html": "one"}
    world.commit("Begin", {"environments.yaml": environments, "alert.yaml": told, **shop})
    settle_and_tell(world)


def types(receiver: Receiver) -> list[str]:
    for request in receiver.requests:
        assert request.headers["content-type"].startswith("application/cloudevents+json")
        check(request.json)
    return [request.json["type"].removeprefix("dev.cdevents.").removesuffix(".0.2.0") for request in receiver.requests]


def test_a_release_an_upgrade_and_a_rollback(world: World) -> None:
    with receiving() as receiver:
        begin(world, receiver, RIGHT.replace("target: {}", "target: {type: directory, path: releases/sandbox}"))
        world.commit("Two", {"shop/index.html": "two"})
        settle_and_tell(world)
        world.repo.revert(world.repo.head)
        world.repo.push()
        settle_and_tell(world)
        told = types(receiver)
        several = [request.json for request in receiver.requests]
    assert told == [
        *("taskrun.started", "taskrun.finished", "service.deployed"),
        *("taskrun.started", "taskrun.finished", "service.upgraded"),
        *("taskrun.started", "taskrun.finished", "service.rolledback"),
    ]
    assert len({one["id"] for one in several}) == len(several)
    # Whoever reads the log of what was sent knows what each message was about.
    with face(world) as asked:
        titles = [one["title"] for one in asked.json("/alerts/log")]
        page = asked.get("/ui/alerts").text
    assert titles[-1] == "shop in sandbox: v1 is being deployed"
    assert titles[0] == "shop in sandbox: rolled back to v1"
    assert all(f"<b>{title}</b>" in page for title in titles)
    released, rolled_back = several[2]["data"]["subject"], several[-1]["data"]["subject"]
    assert released["id"] == "shop"
    assert released["content"]["environment"]["id"] == "sandbox"
    assert released["content"]["artifactId"] == rolled_back["content"]["artifactId"]
    assert released["content"]["artifactId"].startswith("pkg:generic/shop@v1?checksum=sha256:")


def test_a_failure(world: World) -> None:
    with receiving() as receiver:
        begin(world, receiver, FAILING)
        assert types(receiver) == ["taskrun.started", "taskrun.finished"]
    content = receiver.requests[-1].json["data"]["subject"]["content"]
    assert content["outcome"] == "failure"
    assert "3" in content["errors"]


def test_an_event_that_did_not_arrive_is_sent_again_under_its_id_and_before_those_behind_it(world: World) -> None:
    answers = [Answer(503)]
    with receiving(lambda request: answers.pop() if answers else Answer(202)) as receiver:
        begin(world, receiver, FAILING)
        assert types(receiver) == ["taskrun.started"]
        world.later(seconds=6)
        settle_and_tell(world)
        assert types(receiver) == ["taskrun.started", "taskrun.started", "taskrun.finished"]
    assert receiver.requests[0].json["id"] == receiver.requests[1].json["id"]


def test_an_app_that_leaves_is_removed(world: World) -> None:
    with receiving() as receiver:
        prune = "target: {type: directory, path: releases/sandbox}, prune: true"
        begin(world, receiver, RIGHT.replace("target: {}", prune))
        world.commit("Away", {"shop.yaml": None})
        settle_and_tell(world)
        assert types(receiver)[3:] == ["taskrun.started", "taskrun.finished", "service.removed"]
