"""Is whatever cannot be answered refused with a problem document, whatever it is?"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests import looping
from tests.http_asking import PROBLEM, Face, face
from tests.world import World

LISTS = ["/apps", "/status", "/deployments", "/ledger", "/versions?app=shop", "/alerts/log"]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    world = World(tmp_path_factory.mktemp("hostile"))
    world.start_repository()
    world.settle()
    with face(world) as found:
        yield found


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/deployments?limits=5", 422, "did you mean limit?"),
        ("/deployments?LIMIT=5", 422, "did you mean limit?"),
        ("/healthz/nothing", 404, "Not Found"),
        ("/drift?wherever=1", 422, "there are app and environment"),
        ("/ledger/verification?deep=1", 422, "there are none here"),
        ("/deployments?limit=5&limit=6", 422, "it stands twice"),
        ("/deployments?limit=0", 422, "greater than or equal to 1"),
        ("/deployments?limit=-1", 422, "greater than or equal to 1"),
        ("/deployments?limit=1001", 422, "less than or equal to 1000"),
        ("/deployments?limit=ten", 422, "valid integer"),
        (f"/deployments?limit={'9' * 5000}", 422, "limit"),
        ("/deployments?status=done", 422, "'completed'"),
        ("/deployments?cause=because", 422, "'season-start'"),
        ("/deployments?since=yesterday", 422, "is not a date and time"),
        ("/deployments?since=2026-02-30T00:00:00Z", 422, "is not a date and time"),
        ("/deployments?since=2026-06-01T12:00:00", 422, "add an offset"),
        ("/deployments?since=2026-06-01T12:00:00+02:00", 422, "%2B"),
        ("/deployments?since=0001-01-01T00:00:00Z", 422, "too far away"),
        ("/deployments?since=99999999d", 422, "more than a century"),
        ("/deployments?app=nobody", 404, "there is no app nobody"),
        ("/deployments?app=shopp", 404, "did you mean shop?"),
        ("/deployments?app=%00", 422, "query.app"),
        ("/deployments?app=", 422, "query.app"),
        ("/deployments?environment=lives", 404, "did you mean live?"),
        ("/deployments/xyz", 404, "xyz is no deployment's id"),
        ("/deployments/%00", 404, "no deployment's id"),
        ("/apps/%00", 422, "path.app"),
        ("/apps/%F0%9F%92%A5", 404, "there is no app"),
        ("/apps/nobody/environments/live/why", 404, "there is no app nobody"),
        ("/apps/shop/environments/moon/why", 404, "it is in: sandbox, pre-release, live"),
        ("/apps/shop/versions/v99", 404, "shop has no version v99"),
        ("/apps/shop/versions/v1/compare/v99", 404, "v99"),
        ("/apps/shop/versions/v99999999999999999999999", 404, "shop has no version"),
        ("/versions", 422, "query.app: Field required"),
        ("/versions/compare?app=shop&a=v1", 422, "query.b: Field required"),
        ("/calendar?until=2020-01-01T00:00:00Z", 422, "that has been"),
        ("/plan?at=2d&until=1d", 422, "earlier than the plan begins"),
        ("/figures?since=2199-01-01T00:00:00Z", 422, "figures are of what has been"),
        ("/figures?since=1971-01-02T00:00:00Z", 422, "figures are told of 1098 days at most"),
        ("/figures?since=1200d", 422, "figures are told of 1098 days at most"),
        ("/apps?label=team", 422, "label"),
        ("/apps?label=a=b&label=a=c", 422, "two values"),
        ("/apps?state=sad", 422, "'moving'"),
        ("/ledger?kind=%27%3B--", 422, "query.kind"),
        ("/environments/%2e%2e", 404, "environment"),
        ("/alerts/log?alert=nobody", 404, "there is no alert nobody"),
        ("/alerts/log/abcd", 404, "there is no message abcd"),
        ("/alerts/log/xyz", 404, "there is no message xyz"),
    ],
)
def test_what_cannot_be_answered(asked: Face, address: str, status: int, words: str) -> None:
    said = asked.refused(address)
    assert said["status"] == status
    assert words in json.dumps(said, ensure_ascii=False)


def _cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%00",
        "%ff%fe",
        "%ED%A0%80",
        "A" * 599,
        _cursor("[" * 200),
        _cursor(["n", 7]),
        _cursor(["n", "\0"]),
        _cursor(["s", "x"]),
        _cursor(["s", -1]),
        _cursor(["s", 1 << 70]),
        _cursor(["h", "' or 1=1", None]),
        _cursor(["h", "\ud800", None]),
        _cursor(["z"]),
        _cursor({"a": 1}),
        _cursor(None),
    ],
)
def test_a_cursor_from_nowhere(asked: Face, address: str, cursor: str) -> None:
    said = asked.refused(f"{address}{'&' if '?' in address else '?'}cursor={cursor}")
    assert said["status"] == 422


def test_a_cursor_of_another_list(asked: Face) -> None:
    link = asked.get("/deployments?limit=1").headers["link"]
    cursor = link.partition("cursor=")[2].partition(">")[0]
    assert "does not come from this list" in asked.refused(f"/apps?cursor={cursor}")["detail"]


def test_a_query_of_ten_megabytes(asked: Face) -> None:
    # A client refuses to send that: the application is handed it as a server would.
    answers: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/deployments",
        "raw_path": b"/deployments",
        "query_string": b"app=" + b"a" * (10 << 20),
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8080),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    looping.run(asked.made(scope, receive, send))
    assert answers[0]["status"] == 414
    assert json.loads(answers[1]["body"])["details"] == {"limit": 8192}


@pytest.mark.parametrize("address", ["/deployments?app=%ED%A0%80", "/deployments?app=%FF%FE", "/ledger?actor=%C0%80"])
def test_bytes_that_are_no_text(asked: Face, address: str) -> None:
    answer = asked.get(address)
    assert answer.status_code in (200, 404, 422), answer.text
    assert answer.status_code == 200 or answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_done_to_a_list(asked: Face, method: str) -> None:
    answer = asked.client.request(method, "/status")
    assert (answer.status_code, answer.headers["content-type"]) == (405, PROBLEM)
    assert "GET" in answer.headers["allow"]


def test_before_anything_is_recorded(tmp_path_factory: pytest.TempPathFactory) -> None:
    with face(World(tmp_path_factory.mktemp("nothing"))) as asked:
        answer = asked.get("/deployments")
        assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
        assert answer.headers["retry-after"]
        assert "reconciler run" in answer.json()["next_step"]
