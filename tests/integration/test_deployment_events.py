"""Is a deployment that is made elsewhere taken as it is reported, once, and shown with the others?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response

from tests.bearers import bearer, header
from tests.http_asking import PROBLEM, Face, face
from tests.world import World

WHERE = {"product_name": "billing", "version": "1.2.3", "environment_name": "moon"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("events")).begun()


@pytest.fixture(scope="module")
def token(world: World) -> str:
    return bearer(world.settings["state"]["url"], "report", now=world.now, name="ci@example.com")


@pytest.fixture
def asked(world: World) -> Iterator[Face]:
    with face(world) as found:
        yield found


def report(asked: Face, token: str, **event: Any) -> Response:
    return asked.client.post("/deployment-events/", json={**WHERE, **event}, headers=header(token))


def taken(answer: Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/deployments/{found['id']}"
    return found


def test_a_deployment_from_queue_to_end(asked: Face, token: str, world: World) -> None:
    said = {"product_name": "a whole", "deployed_by": "Ann <ann@example.com>", "scm_branch": "main"}
    queued = taken(report(asked, token, **said, status="queued", extra_metadata={"run": 7}), 201)
    assert (queued["status"], queued["number"], queued["started_at"]) == ("pending", 1, None)
    world.later(minutes=1)
    started = taken(report(asked, token, **said, status="in-progress", build_url="https://ci.example.com/7"), 201)
    assert (started["id"], started["status"]) == (queued["id"], "started")
    world.later(seconds=90)
    done = taken(report(asked, token, **said, status="SUCCESS", extra_metadata={"tests": 12}), 201)
    assert (done["status"], done["duration_seconds"], done["cause"]) == ("completed", 90, "external")
    assert done["extra_metadata"] == {"run": 7, "tests": 12}
    shown = asked.json(f"/deployments/{done['id']}")
    assert [one["status"] for one in shown["events"]] == ["pending", "started", "completed"]
    assert {one["actor"] for one in shown["events"]} == {"ci@example.com"}
    assert (shown["deployed_by"], shown["build_url"]) == ("Ann <ann@example.com>", "https://ci.example.com/7")
    assert shown in [{**one, "events": shown["events"]} for one in asked.json("/deployments?app=a%20whole")]


def test_the_same_event_twice_is_recorded_once(asked: Face, token: str) -> None:
    said = {"product_name": "twice"}
    for status, outcome in (("started", 201), ("started", 200), ("success", 201), ("completed", 200), ("success", 200)):
        found = taken(report(asked, token, **said, status=status), outcome)
        assert found["outcome"] == ("recorded" if outcome == 201 else "known")
    assert len(asked.json("/deployments?app=twice")) == 1
    facts = [one["kind"] for one in asked.json("/ledger?app=twice")]
    assert facts == ["report.completed", "report.started"]
    again = taken(report(asked, token, **said, status="started"), 201)
    assert again["number"] == 2


def test_an_end_without_a_start(asked: Face, token: str) -> None:
    found = taken(report(asked, token, product_name="sudden", status="failure", message="out of disk"), 201)
    assert (found["status"], found["error"]) == ("failed", "out of disk")
    events = asked.json(f"/deployments/{found['id']}")["events"]
    assert [(one["status"], one["message"]) for one in events] == [("started", ""), ("failed", "out of disk")]


def test_what_is_late_changes_nothing_and_says_so(asked: Face, token: str, world: World) -> None:
    said = {"product_name": "late"}
    before = world.now
    world.later(minutes=5)
    done = taken(report(asked, token, **said, status="deployed"), 201)
    for event in ({"status": "started", "occurred_at": before.isoformat()}, {"status": "cancelled"}):
        found = taken(report(asked, token, **said, **event), 200)
        assert found["outcome"] == "late"
        assert "comes too late for deployment 1 and changes nothing" in found["detail"]
        assert {key: found[key] for key in done if key not in ("outcome", "detail")} == {
            key: value for key, value in done.items() if key not in ("outcome", "detail")
        }


def test_it_happened_when_it_is_told_to_have(asked: Face, token: str, world: World) -> None:
    then = world.now - timedelta(hours=2)
    found = taken(report(asked, token, product_name="then", status="started", occurred_at=then.isoformat()), 201)
    assert found["started_at"] == f"{then:%Y-%m-%dT%H:%M:%SZ}"
    ahead = (world.now + timedelta(hours=2)).isoformat()
    done = taken(report(asked, token, product_name="then", status="success", occurred_at=ahead), 201)
    assert done["finished_at"] == f"{world.now:%Y-%m-%dT%H:%M:%SZ}"


def test_it_is_listed_with_the_others(asked: Face, token: str) -> None:
    found = taken(report(asked, token, product_name="beside", status="started"), 201)
    assert asked.json("/deployments?limit=1")[0]["id"] == found["id"]
    here = asked.json("/deployments?environment=moon&status=started&cause=external")
    assert here[0]["app"] == "beside"
    assert {one["cause"] for one in asked.json("/deployments?cause=promotion")} == {"promotion"}


def test_the_daemon_is_not_led_astray(asked: Face, token: str, world: World) -> None:
    taken(report(asked, token, product_name="shop", environment_name="live", version="v1", status="success"), 201)
    taken(report(asked, token, product_name="shop", environment_name="live", version="9", status="success"), 201)
    world.settle()
    assert world.story("live") == [("promotion", "completed", [1])]
    assert {row["app"] for row in asked.json("/status")} == {"shop"}


def test_without_the_last_slash(asked: Face, token: str) -> None:
    event = {**WHERE, "product_name": "bare", "status": "started"}
    assert asked.client.post("/deployment-events", json=event, headers=header(token)).status_code == 201


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"status": "startde"}, "body.status: 'startde' is no status (did you mean started?)"),
        ({"status": "started", "scm_shaa": "x"}, "body.scm_shaa: there is no such field"),
        ({"status": "started", "product_name": "a\0"}, "body.product_name"),
        ({"status": "started", "version": ""}, "body.version"),
        ({"status": "started", "extra_metadata": {"a": "x" * 17_000}}, "larger than 16384 bytes"),
        ({}, "body.status: Field required"),
    ],
)
def test_what_cannot_be_taken(asked: Face, token: str, event: dict[str, Any], words: str) -> None:
    answer = report(asked, token, **event)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'"started"',
        b"[" * 100_000,
        b'{"product_name": "a", "version": "1", "environment_name": "b", "status": "started", "extra_metadata": '
        b'{"a": NaN}}',
        b'{"product_name": "\\ud800", "version": "1", "environment_name": "b", "status": "started"}',
        b'{"product_name": "a", "version": "1", "environment_name": "b", "status": "started", "extra_metadata": '
        b'{"a": 1' + b"0" * 5_000 + b"}}",
    ],
)
def test_bodies_that_are_none(asked: Face, token: str, body: bytes) -> None:
    sent = {**header(token), "Content-Type": "application/json"}
    answer = asked.client.post("/deployment-events/", content=body, headers=sent)
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == PROBLEM
