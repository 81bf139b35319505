"""Does HTTP behave as whoever knows HTTP expects, whatever is asked?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response
from structlog.testing import capture_logs

from tests.bearers import bearer, header
from tests.http_asking import PROBLEM, Face, face
from tests.world import World

READ = (
    "/healthz",
    "/readyz",
    "/apps",
    "/status",
    "/ui/",
    "/ui/apps/shop",
    "/docs",
    "/openapi.json",
    "/ui/static/ui.css",
)
EVENT = {"product_name": "shop", "version": "v1", "environment_name": "live", "status": "completed"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("common")).begun()


@pytest.fixture(scope="module")
def asked(world: World) -> Iterator[Face]:
    with face(world) as found:
        yield found


@pytest.fixture(scope="module")
def known(world: World) -> dict[str, str]:
    token = bearer(world.settings["state"]["url"], "report", "approve", "operate", now=world.now, name="ci@example.com")
    return header(token)


def _but_moments(answer: Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in ("date", "connection")}


@pytest.mark.parametrize("address", READ)
def test_head_is_get_without_its_body(asked: Face, address: str) -> None:
    shown, head = asked.get(address), asked.client.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert _but_moments(head) == _but_moments(shown)
    tag = shown.headers.get("etag", "")
    if tag:
        assert asked.client.head(address, headers={"If-None-Match": tag}).status_code == 304


def test_head_of_what_is_not_there_and_of_what_is_only_done(asked: Face) -> None:
    assert (asked.client.head("/nothing").status_code, asked.client.head("/nothing").content) == (404, b"")
    assert asked.client.head("/apps/shop/pause").status_code == 405


def test_head_of_a_stream_ends(asked: Face) -> None:
    answer = asked.client.head("/ui/live/matrix")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("address", READ)
def test_of_what_is_there_any_copy_will_do(asked: Face, address: str) -> None:
    for _ in range(2):
        answer = asked.get(address, If_None_Match="*")
        assert (answer.status_code, answer.content) == (304, b"")
        assert "content-length" not in answer.headers


@pytest.mark.parametrize("address", ["/apps/nobody", "/nothing", "/ui/apps/nobody"])
def test_of_what_is_not_there_no_copy_will_do(asked: Face, address: str) -> None:
    assert asked.get(address, If_None_Match="*").status_code == 404


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("/status/", "/status"),
        ("/apps/shop/?limit=1", "/apps/shop?limit=1"),
        ("/ui", "/ui/"),
        ("/docs/", "/docs"),
        ("/ui/calendar/", "/ui/calendar"),
        ("/ui/static", "/ui/static/"),
    ],
)
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost:1"])
def test_no_redirect_says_how_this_place_is_reached(asked: Face, address: str, place: str, host: str) -> None:
    answer = asked.get(address, Host=host)
    assert answer.status_code in (307, 308)
    assert answer.headers["location"] == place


@pytest.mark.parametrize("address", ["//example.com/", "//example.com/status/", "/%2Fexample.com/", "/status//"])
def test_no_redirect_leads_away(asked: Face, address: str) -> None:
    answer = asked.client.get(f"http://127.0.0.1{address}", follow_redirects=False)
    place = answer.headers.get("location", "/")
    assert place.startswith("/")
    assert not place.startswith("//")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:x", "127.0.0.1:80:80", "127.0.0.1:", "127.0.0.1/x", "a b", "[::1", "u@127.0.0.1", "127.0.0.1:800000"],
)
def test_a_host_that_is_none(asked: Face, host: str) -> None:
    answer = asked.get("/status", Host=host)
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM)
    assert answer.json()["next_step"]


def test_two_hosts(asked: Face) -> None:
    for second in ("evil.example.com", "127.0.0.1"):
        answer = asked.client.get("/status", headers=[("Host", "127.0.0.1"), ("Host", second)])
        assert answer.status_code == 400
        assert "2 of them" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [
        ("DELETE", "/status", "GET, HEAD"),
        ("GET", "/apps/shop/pause", "POST"),
        ("PUT", "/deployment-events", "POST"),
        ("DELETE", "/ui/sign-in", "GET, HEAD, POST"),
        ("POST", "/ui/static/ui.css", "GET, HEAD"),
    ],
)
def test_what_a_path_does_not_take(asked: Face, method: str, address: str, allowed: str) -> None:
    answer = asked.client.request(method, address, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert address.startswith("/ui/") or answer.json()["next_step"] == f"use {allowed}"


def test_an_address_that_nobody_knows_leads_on(asked: Face) -> None:
    said = asked.refused("/nothing/here")
    assert said["detail"] == "there is nothing at /nothing/here"
    assert "/docs" in said["next_step"]


def post(asked: Face, known: dict[str, str], address: str, body: Any, sent_as: str = "application/json") -> Any:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = known | ({"Content-Type": sent_as} if sent_as else {})
    answer = asked.client.post(address, content=text, headers=headers)
    assert answer.headers["content-type"] == PROBLEM
    for ours in ("instance of", "DeploymentEvent", "Approval", "pattern", "^", "\\x"):
        assert ours not in answer.text
    return answer.json()


@pytest.mark.parametrize("sent_as", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
@pytest.mark.parametrize("address", ["/deployment-events", "/approvals", "/apps/shop/pause"])
def test_a_body_that_is_sent_as_something_else(asked: Face, known: dict[str, str], address: str, sent_as: str) -> None:
    said = post(asked, known, address, EVENT, sent_as)
    assert said["status"] == 415
    assert sent_as in said["detail"]
    assert said["next_step"] == "send JSON with the header Content-Type: application/json"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "this is no JSON"),
        (b'{"id": 1,}', "double quotes and no comma"),
        (b'{"id": "\xff"}', "body: this is no JSON: it is not text in UTF-8"),
        (b"[" * 200_000, "it is nested too deeply"),
        (b'{"id": ' + b"9" * 100_000 + b"}", "a number in it has too many digits"),
        (b"", "body: a JSON object is expected"),
        ([], "body: a JSON object is expected"),
        ("x", "body: a JSON object is expected"),
        ({"id": "x", "role": "a\nb"}, "body.role: write it in one line"),
        ({"id": "x", "reason": "\x00"}, "body.reason: leave out control characters"),
        ({"id": "x", "reason": "x" * 2_001}, "body.reason: write at most 2000 letters"),
        ({"id": "x", "reason": "x" * 900_000}, "body.reason: write at most 2000 letters"),
        ({"id": "x", "whatever": 1}, "body.whatever: there is no such field"),
    ],
)
def test_a_body_that_makes_no_sense(asked: Face, known: dict[str, str], body: Any, words: str) -> None:
    said = post(asked, known, "/approvals", body)
    assert said["status"] == 422
    assert words in said["detail"] + said["next_step"]
    assert said["next_step"]
    assert said["errors"]


def test_names_and_ids_that_are_none(asked: Face, known: dict[str, str]) -> None:
    said = post(asked, known, "/apps/shop/environments/a%20b/promote", {})
    assert "use letters, digits" in said["detail"]
    said = post(asked, known, "/deployments/xyz/abort", {"reason": "x"})
    assert (said["status"], said["detail"]) == (404, "xyz is no deployment's id")
    for sha in ("xyz", "1f4f", "a" * 65):
        said = post(asked, known, f"/commits/{sha}/accept", {})
        assert (said["status"], said["detail"]) == (
            422,
            "path.sha: a commit is named by 7 to 64 digits of 0-9 and a-f",
        )


def test_advice_names_the_field_beside_the_option(asked: Face, known: dict[str, str]) -> None:
    said = post(asked, known, "/apps/shop/resume", {})
    assert said["status"] == 409
    assert "where no environment is named (`reconciler resume shop`)" in said["next_step"]
    assert "by a commit (`reconciler resume shop --git` writes it)" in said["next_step"]


@pytest.mark.parametrize(
    ("until", "words"),
    [
        ("soon", "with an offset, 2026-12-01T09:00:00+01:00, or Z for UTC, or as a length of time such as 2h"),
        ("2026-02-30T00:00:00Z", "as a length of time such as 2h"),
        ("9999999999d", "is more than a century; write 36525d or less"),
        ("9" * 10_000 + "d", "is more than a century"),
        ("2h2d", "is not a duration"),
    ],
)
def test_a_moment_that_is_none(asked: Face, known: dict[str, str], until: str, words: str) -> None:
    said = post(asked, known, "/apps/shop/pause", {"reason": "x", "until": until})
    assert said["status"] == 422
    assert words in said["detail"]
    assert "timezone" not in said["detail"]
    if len(until) < 200:
        assert words in asked.refused(f"/deployments?until={until}")["detail"]


def test_a_moment_in_a_body_needs_an_offset(asked: Face, known: dict[str, str]) -> None:
    said = post(asked, known, "/apps/shop/environments/live/promote", {"at": "soon"})
    assert "write it with an offset, 2026-12-01T09:00:00+01:00, or Z for UTC" in said["detail"]
    assert "beside `timezone`" in said["detail"], "which this body has"
    said = post(asked, known, "/apps/shop/pause", {"until": "soon", "reason": "x"})
    assert "timezone" not in said["detail"], "and this one has not"


def test_a_mistake_of_ours_says_as_much_as_any_answer(asked: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(asked.made.state.context, "now", broken)
    for address in ("/calendar", "/ui/calendar"):
        with capture_logs():  # laid out for a terminal, with all that stands around it, it takes seconds
            answer = asked.get(address)
        assert answer.status_code == 500
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
    # What needs no clock does not fail by one: not by what only looks whether it has an answer already.
    for address in ("/healthz", "/docs", "/openapi.json", "/ui/static/ui.css"):
        assert asked.get(address).status_code == 200
