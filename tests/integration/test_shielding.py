"""What is done with every request and every answer, whatever it is about; and does a secret ever stay behind?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bearers import bearer, header
from tests.http_asking import PROBLEM, Face, served
from tests.stores import content
from tests.world import World

SAID = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
LARGEST = 1 << 20


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("shield")).begun()


@pytest.fixture(scope="module")
def asked(world: World) -> Iterator[Face]:
    found = served(world)
    with found.client:
        yield found


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/status", 200),
        ("GET", "/ui/", 200),
        ("GET", "/ui/static/ui.css", 200),
        ("GET", "/ui/static/none.css", 404),
        ("GET", "/ui/nothing-here", 404),
        ("GET", "/docs", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/metrics", 200),
        ("GET", "/nothing", 404),
        ("GET", "/deployments?limit=x", 422),
        ("DELETE", "/status", 405),
        ("POST", "/approvals", 401),
        ("POST", "/webhooks/github", 403),
        ("GET", "/", 307),
        ("TRACE", "/status", 405),
    ],
)
def test_every_answer_says_what_a_browser_may_do(asked: Face, method: str, address: str, status: int) -> None:
    answer = asked.client.request(method, address, follow_redirects=False)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in SAID} == SAID
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.partition("style-src")[0]
    assert "server" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


def test_so_does_a_refusal_before_anything_was_looked_at(asked: Face) -> None:
    for answer in (
        asked.get("/status", Host="evil.example.com"),
        asked.client.post("/approvals", content=b"x" * (LARGEST + 1)),
    ):
        assert answer.headers["content-type"] == PROBLEM
        assert {name: answer.headers.get(name) for name in SAID} == SAID


def pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // 65_536):
        yield b" " * 65_536
    yield b" " * (size % 65_536)


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("address", ["/approvals", "/deployment-events/", "/webhooks/github", "/ui/sign-in"])
def test_bodies_are_bounded_announced_or_not(asked: Face, world: World, address: str, announced: bool) -> None:
    size = LARGEST + 1
    body = b" " * size if announced else pieces(size)
    given = header(bearer(world.settings["state"]["url"], "approve", "report", now=world.now))
    answer = asked.client.post(address, content=body, headers=given)
    assert (answer.status_code, answer.json()["details"]) == (413, {"limit": LARGEST})
    assert answer.headers["connection"] == "close"
    most = asked.client.post(address, content=b" " * LARGEST, headers=given)
    assert most.status_code in (401, 403, 415, 422)


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_so_is_a_body_that_nobody_needs(asked: Face, method: str, announced: bool) -> None:
    size = LARGEST + 1
    answer = asked.client.request(method, "/healthz", content=b" " * size if announced else pieces(size))
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    assert asked.client.request("GET", "/healthz", content=b" " * LARGEST).status_code == 200


@pytest.mark.parametrize("length", ["-1", "1e9", "99999999999999999999", "٣", ""])
def test_a_length_that_is_none(asked: Face, length: str) -> None:
    answer = asked.client.post("/approvals", content=b"{}", headers={"Content-Length": length.encode()})
    assert answer.status_code in (400, 401, 413)


def test_too_many_requests(world: World) -> None:
    found = served(world, writes=3, reads=5)
    with found.client:
        assert [found.client.post("/approvals", json={}).status_code for _ in range(5)] == [401] * 3 + [429] * 2
        # What only reads is counted apart.
        assert [found.get("/apps").status_code for _ in range(7)] == [200] * 5 + [429] * 2
        refused = found.get("/apps")
        # Whoever watches over the process is not told to wait.
        assert [found.get(one).status_code for one in ("/healthz", "/readyz") * 5] == [200] * 10
    assert (refused.headers["content-type"], refused.headers["retry-after"]) == (PROBLEM, "5")
    assert refused.json()["details"] == {"limit": 5, "per_seconds": 60}


def test_no_secret_stays_behind(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    url = world.settings["state"]["url"]
    token = bearer(url, "report", "approve", "operate", now=world.now, name="who@example.com")
    lost = bearer(url, "operate", now=world.now, name="lost@example.com", revoked=True)
    found = served(world)
    texts = []
    with found.client:
        for address in ("/approvals", "/deployment-events/", "/apps/shop/pause", "/apps/shop/resume", "/nothing"):
            sent = {"id": "x", "reason": "y"}
            those = (token, lost, f"{token}x", token[:-1])
            texts += [found.client.post(address, json=sent, headers=header(one)).text for one in those]
        texts.append(found.client.get(f"/deployments/{token}").text.replace(token, ""))
        texts.append(found.client.post("/ui/sign-in", data={"token": f"{token}x"}).text)
        found.client.post("/ui/sign-in", data={"token": token})
        session = found.client.cookies["reconciler_session"]
        texts += [found.get("/ui/").text, str(found.all("/ledger"))]
    held = content(url)
    out, err = capfd.readouterr()
    for secret in (token[17:], lost[17:], session):
        assert secret.encode() not in held
        assert secret not in out + err
        assert not [text for text in texts if secret in text]
    # Who acted is known all the same.
    assert b"who@example.com" in held
