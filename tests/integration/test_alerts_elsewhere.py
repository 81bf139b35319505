"""Who is told of deployments that are made elsewhere, as they were reported?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.notify.deriving import Deriving
from tests.http_asking import face
from tests.receiver import Receiver, receiving
from tests.reporter import GATED, Reporter
from tests.telling import alert, noted, settle_and_tell, to
from tests.world import World


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def ci(world: World) -> Iterator[Reporter]:
    with face(world) as asked:
        yield Reporter(asked, world)


def begin(world: World, **alerts: str) -> None:
    """A world whose alerts have been told all that came before."""
    files = {f"{name}.yaml": found for name, found in alerts.items()}
    world.commit("Places", {"places.yaml": GATED, **files})
    settle_and_tell(world)


def url(world: World, receiver: Receiver, name: str) -> str:
    return to(world, f"json://127.0.0.1:{receiver.port}/{name}", name)


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """To whom, and under which title."""
    return [(request.path, request.json["title"]) for request in receiver.requests]


def test_by_event_app_environment_and_cause(world: World, receiver: Receiver, ci: Reporter) -> None:
    begin(
        world,
        all=alert(url(world, receiver, "all"), "all", events=["started", "completed", "failed", "aborted"]),
        live=alert(url(world, receiver, "live"), "live", events=["completed"], environments=["live"]),
        shop=alert(url(world, receiver, "shop"), "shop", events=["failed"], apps=["shop"]),
        ours=alert(url(world, receiver, "ours"), "ours", events=["failed"], causes=["release", "promotion"]),
        theirs=alert(url(world, receiver, "theirs"), "theirs", events=["failed"], causes=["external"]),
    )
    receiver.requests.clear()
    ci.done("staging")
    assert ci.tell("failed", "staging", "2.1", message="no space left").status_code == 201
    assert ci.tell("queued", "staging", "2.2").status_code == 201
    assert ci.tell("cancelled", "staging", "2.2").status_code == 201
    settle_and_tell(world)
    heard = {path: request for request in receiver.requests for path in [request.path]}
    assert sorted(heard) == ["/all", "/theirs"]
    assert heard["/theirs"].json["title"] == "till in staging: 2.1 FAILED"
    body = heard["/theirs"].json["message"]
    assert "no space left\nmade elsewhere, as ci reported" in body
    assert "cause external" in body
    assert "by dev@example.com" in body
    assert heard["/all"].json["title"] == "5 notices: 2 started, 1 completed, 1 failed, 1 aborted"


def test_once_however_often_it_is_reported_or_looked_at(world: World, receiver: Receiver, ci: Reporter) -> None:
    begin(world, all=alert(url(world, receiver, "all"), "all", events=["started", "completed"]))
    receiver.requests.clear()
    before = noted(world)
    ci.done("staging")
    for status in ("started", "success", "success"):
        ci.tell(status, "staging", occurred_at="2026-06-01T11:00:00Z")
    with world.running() as found:
        # The one that looked is gone before anything is sent; another one looks again.
        Deriving(found.database).look(world.now)
    assert settle_and_tell(world) == 1
    world.later(minutes=5)
    assert settle_and_tell(world) == 0
    new = noted(world)
    for one in before:
        new.remove(one)
    assert new == [("all", "completed"), ("all", "started")]
    assert told(receiver) == [("/all", "2 notices: 1 started, 1 completed")]


def test_a_start_that_waits_for_an_approval_or_is_refused(world: World, receiver: Receiver, ci: Reporter) -> None:
    begin(world, gate=alert(url(world, receiver, "gate"), "gate", events=["waiting-for-approval", "refused"]))
    receiver.requests.clear()
    id_ = ci.refused(428, "careful")["details"]["approval"]["id"]
    ci.refused(428, "careful")
    settle_and_tell(world)
    (request,) = receiver.requests
    assert request.json["title"] == "till in careful: 2.0, deployed elsewhere, waits for approval"
    assert f"`reconciler approve {id_}` lets it start" in request.json["message"]
    ci.refused(428, "shopfront")
    settle_and_tell(world)
    assert told(receiver)[1:] == [("/gate", "till in shopfront: 2.0, deployed elsewhere, may not start")]
    assert "has not completed in staging" in receiver.requests[1].json["message"]


def test_as_cdevents(world: World, receiver: Receiver, ci: Reporter) -> None:
    address = to(world, f"http://127.0.0.1:{receiver.port}/events", "events")
    begin(world, events=alert(address, "events", events=["started", "completed"], format="cdevents", apps=["till"]))
    receiver.requests.clear()
    ci.done("staging")
    settle_and_tell(world)
    found = [(one.json["type"], one.json["data"]["subject"]) for one in receiver.requests]
    kinds = [kind.split(".")[2:4] for kind, _ in found]
    assert kinds == [["taskrun", "started"], ["taskrun", "finished"], ["service", "deployed"]]
    assert found[-1][1]["content"]["artifactId"] == "pkg:generic/till@2.0"
    assert found[-1][1]["content"]["environment"]["id"] == "staging"
