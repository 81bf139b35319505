"""Is a webhook taken from whoever knows the secret, once, and from nobody else?"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response
from structlog.testing import capture_logs

from reconciler.api import signatures
from reconciler.store import webhooks as recorded
from reconciler.store.database import Database
from tests import webhooks
from tests.http_asking import PROBLEM, Face
from tests.http_asking import served as over
from tests.webhooks import GITHUB_PING, GITHUB_PUSH, PUSH, SECRET
from tests.world import NOON, World

BODY = PUSH.encode()
WHSEC = f"whsec_{base64.b64encode(b'a key of thirty-two bytes, really').decode()}"
FORGES = ("github", "gitlab", "gitea", "forgejo", "bitbucket", "generic")


def face(world: World, **more: Any) -> Face:
    """A face that knows the secrets of every forge: the new one, and the one before."""
    secrets = {forge: ["env:HOOK_NEW", "env:HOOK_OLD"] for forge in FORGES}
    return over(world, {"webhooks": secrets, **more})


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("hooks")).begun()


@pytest.fixture(scope="module")
def served(settled: World) -> Iterator[Face]:
    found = face(settled)
    with found.client:
        yield found


@pytest.fixture
def world(settled: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("HOOK_NEW", SECRET)
    monkeypatch.setenv("HOOK_OLD", "rotated-on-sundays")
    settled.later(hours=1)
    return settled


@pytest.fixture
def asked(served: Face, world: World) -> Face:
    return served


def send(asked: Face, forge: str, body: bytes, headers: dict[str, str]) -> Response:
    return asked.client.post(f"/webhooks/{forge}", content=body, headers=headers)


def sent(forge: str, body: bytes, world: World, secret: str = SECRET) -> dict[str, str]:
    """What each forge sends along with a body."""
    match forge:
        case "github":
            return webhooks.github(body, secret)
        case "gitlab":
            return webhooks.gitlab(secret)
        case "gitea":
            return {"X-Gitea-Event": "push", "X-Gitea-Signature": webhooks.mac(body, secret)}
        case "forgejo":
            return {"X-Forgejo-Event": "push", "X-Forgejo-Signature": webhooks.mac(body, secret)}
        case "bitbucket":
            return webhooks.bitbucket(body, secret)
        case _:
            return webhooks.standard(body, world.now, secret)


def newest(world: World) -> Any:
    store = Database(world.settings["state"]["url"])
    try:
        with store.read() as connection:
            return recorded.newest(connection)
    finally:
        store.close()


@pytest.mark.parametrize("forge", FORGES)
@pytest.mark.parametrize("secret", [SECRET, "rotated-on-sundays"])
def test_each_forge_with_the_new_secret_and_the_one_before(asked: Face, world: World, forge: str, secret: str) -> None:
    body = f"{PUSH}{forge}{secret}".encode()
    answer = send(asked, forge, body, sent(forge, body, world, secret))
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    assert newest(world) == world.now


def test_published_payloads_of_github(asked: Face) -> None:
    assert send(asked, "github", GITHUB_PING, webhooks.github(GITHUB_PING, event="ping")).status_code == 202
    assert send(asked, "github", GITHUB_PUSH, webhooks.github(GITHUB_PUSH)).status_code == 202
    changed = GITHUB_PUSH.replace(b"refs/heads/", b"refs/tags/")
    assert send(asked, "github", changed, webhooks.github(GITHUB_PUSH)).status_code == 401


@pytest.mark.parametrize("forge", ["gitlab", "generic"])
def test_signing_tokens_of_standard_webhooks(
    asked: Face, world: World, forge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_NEW", WHSEC)
    right = webhooks.standard(BODY, world.now, WHSEC, f"msg_{forge}")
    several = {**right, "webhook-signature": f"v1,AAAA v2,BBBB {right['webhook-signature']}"}
    assert send(asked, forge, BODY, several).status_code == 202
    # Each part is signed: an earlier moment or another id does not go with the signature.
    for changed in (
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(int(world.now.timestamp()) + 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-signature": "v1,"},
    ):
        assert send(asked, forge, BODY, {**right, **changed}).status_code == 401, changed
    # With a signature the secret itself is not looked at.
    assert send(asked, "gitlab", BODY, {**right, "webhook-id": "x", "X-Gitlab-Token": WHSEC}).status_code == 401


@pytest.mark.parametrize(("minutes", "words"), [(-6, "signed 6m ago"), (6, "signed 6m ahead"), (-9_000, "6d6h ago")])
@pytest.mark.parametrize("forge", ["gitlab", "generic"])
def test_a_moment_that_is_far_away(asked: Face, world: World, forge: str, minutes: float, words: str) -> None:
    far = webhooks.standard(BODY, world.now + timedelta(minutes=minutes))
    answer = send(asked, forge, BODY, far)
    assert answer.status_code == 401
    # The secret is a good one: nobody is sent to change it.
    assert words in answer.json()["detail"]
    assert "clocks" in answer.json()["next_step"]
    assert f"webhooks.{forge}" not in answer.text
    # Without the right signature nobody learns what this clock says.
    for wrong in ({**far, "webhook-id": "another"}, webhooks.standard(BODY, world.now, "wrong")):
        said = send(asked, forge, BODY, wrong).json()
        assert said["detail"] == f"this is not signed with the secret that is set for {forge}"


def test_a_moment_that_no_calendar_has(asked: Face, world: World) -> None:
    far = webhooks.standard(BODY, world.now)
    moment = "9" * 12
    signed = hmac.new(SECRET.encode(), f"{far['webhook-id']}.{moment}.".encode() + BODY, "sha256").digest()
    more = {"webhook-timestamp": moment, "webhook-signature": f"v1,{base64.b64encode(signed).decode()}"}
    answer = send(asked, "generic", BODY, {**far, **more})
    assert answer.status_code == 401
    assert "ahead" in answer.json()["detail"]


def test_what_others_publish_of_standard_webhooks() -> None:
    """The example of the specification's own libraries."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    then = NOON.fromtimestamp(1614265330, NOON.tzinfo)
    assert signatures.standard(headers, body, secret)
    assert signatures.clock_off("generic", headers, then) is None
    assert not signatures.standard(headers, body + b" ", secret)


def test_a_bearer_token_of_the_generic_one(asked: Face, world: World) -> None:
    right = {"Authorization": f"Bearer {SECRET}"}
    assert send(asked, "generic", BODY, right).status_code == 202
    world.later(seconds=1)
    # Nothing tells one from the other: whoever has the secret may nudge as they like.
    assert send(asked, "generic", BODY, right).status_code == 202
    assert send(asked, "generic", BODY, {"Authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.parametrize("forge", ["github", "gitlab", "gitea", "bitbucket", "generic"])
def test_a_delivery_is_taken_once_whatever_its_headers_say(asked: Face, world: World, forge: str) -> None:
    body = f"once {forge}".encode()
    right = sent(forge, body, world)
    assert send(asked, forge, body, right).status_code == 202
    as_others_sign = {"webhook-signature": "v1,AAAA", "webhook-id": "another", "webhook-timestamp": "1"}
    others = (as_others_sign,) if forge in ("github", "gitea", "bitbucket") else ()
    for changed in (
        {},
        {"X-GitHub-Delivery": "another"},
        {"X-Request-Id": "another"},
        {"X-Gitlab-Event-UUID": "2"},
        *others,
    ):
        answer = send(asked, forge, body, {**right, **changed})
        assert (answer.status_code, answer.headers["content-type"]) == (409, PROBLEM)
        assert "has come before" in answer.json()["detail"]


@pytest.mark.parametrize("forge", FORGES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": "sha256=", "X-Hub-Signature": "", "X-Gitea-Signature": "", "X-Gitlab-Token": ""},
        {"X-Hub-Signature-256": "sha1=0000", "X-Forgejo-Signature": "0" * 64, "X-Gitlab-Token": SECRET[:-1]},
        {"Authorization": f"Basic {SECRET}"},
        {"webhook-signature": "v1,AAAA", "webhook-id": "a", "webhook-timestamp": "9" * 400},
        {"webhook-signature": " ".join(["v1,AAAA"] * 500), "webhook-id": "a", "webhook-timestamp": "1"},
    ],
)
def test_nobody_else_is_heard(asked: Face, world: World, forge: str, headers: dict[str, str]) -> None:
    before = newest(world)
    answer = send(asked, forge, b"{not even JSON", headers)
    assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)
    assert SECRET not in answer.text
    assert newest(world) == before


def test_a_signature_with_another_forge_s_header_counts_for_nothing(asked: Face) -> None:
    assert send(asked, "gitlab", BODY, webhooks.github(BODY)).status_code == 401
    assert send(asked, "github", BODY, webhooks.gitlab()).status_code == 401
    assert send(asked, "bitbucket", BODY, {"X-Hub-Signature-256": f"sha256={webhooks.mac(BODY)}"}).status_code == 401


def test_letters_beyond_latin(asked: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_NEW", "gehëim-密")
    right: Any = {"X-Gitlab-Token": "gehëim-密".encode()}
    assert send(asked, "gitlab", b"letters", right).status_code == 202


@pytest.mark.parametrize("forge", FORGES)
def test_closed_without_a_secret(world: World, forge: str) -> None:
    closed = face(world, webhooks={})
    with closed.client:
        for body, headers in ((BODY, sent(forge, BODY, world)), (b"", {}), (BODY, sent(forge, BODY, world, ""))):
            answer = send(closed, forge, body, headers)
            assert answer.status_code == 403
            assert f"set webhooks.{forge}" in answer.json()["next_step"]


@pytest.mark.parametrize("value", [None, ""])
def test_closed_while_the_secret_cannot_be_found(
    asked: Face, world: World, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    for name in ("HOOK_NEW", "HOOK_OLD"):
        monkeypatch.delenv(name)
        if value is not None:
            monkeypatch.setenv(name, value)
    answer = send(asked, "github", b"nothing", webhooks.github(b"nothing", ""))
    assert answer.status_code in (401, 403, 503), answer.text
    assert answer.status_code != 202


def test_where_a_secret_lies_stands_in_the_log_alone(world: World) -> None:
    place = world.directory / "moved away"
    closed = face(world, webhooks={"bitbucket": "env:NOT_SET", "generic": f"file:{place}"})
    with closed.client, capture_logs() as logs:
        for forge in ("bitbucket", "bitbucket", "generic"):
            said = send(closed, forge, BODY, {})
            assert (said.status_code, said.headers["content-type"]) == (503, PROBLEM)
            assert said.json()["detail"] == f"the webhook of {forge} has no readable secret here"
            assert "finds in its log why" in said.json()["next_step"]
            for ours in ("NOT_SET", "env:", "file:", str(place), "No such file", "WEBHOOKS_"):
                assert ours not in said.text
        lines = [one for one in logs if one["event"] == "webhook.unreadable"]
        # Whoever sends many does not fill the log.
        assert [(one["forge"], one["log_level"]) for one in lines] == [("bitbucket", "warning"), ("generic", "warning")]
        assert "env:NOT_SET" in lines[0]["error"]
        assert f"file:{place}): No such file" in lines[1]["error"]
        assert "in the settings" in lines[1]["next"]
        world.later(minutes=1)
        send(closed, "bitbucket", BODY, {})
        assert len([one for one in logs if one["event"] == "webhook.unreadable"]) == 3
        # Another reason is said at once.
        place.write_text("")
        send(closed, "generic", BODY, {})
        assert "it is empty" in logs[-1]["error"]


def test_a_secret_in_a_file_may_be_exchanged(world: World) -> None:
    place = world.directory / "hook"
    place.write_text("first\n")
    found = face(world, webhooks={"github": f"file:{place}"})
    with found.client:
        assert send(found, "github", b"a1", webhooks.github(b"a1", "first")).status_code == 202
        place.write_text("second\n")
        assert send(found, "github", b"a2", webhooks.github(b"a2", "first")).status_code == 401
        assert send(found, "github", b"a3", webhooks.github(b"a3", "second")).status_code == 202


def test_a_body_of_more_than_a_mebibyte(asked: Face) -> None:
    large = b"x" * ((1 << 20) + 1)
    answer = send(asked, "github", large, webhooks.github(large))
    assert (answer.status_code, answer.json()["details"]) == (413, {"limit": 1 << 20})
    most = large[:-1]
    assert send(asked, "github", most, webhooks.github(most)).status_code == 202


def test_an_unknown_forge(asked: Face) -> None:
    answer = send(asked, "githup", BODY, webhooks.github(BODY))
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
    assert answer.json()["next_step"] == "did you mean github?"
    assert "there are bitbucket, forgejo" in send(asked, "nope", BODY, {}).json()["next_step"]
    assert asked.get("/webhooks/github").status_code == 405


def test_it_is_compared_in_constant_time_before_anything_is_read(asked: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every comparison of a secret goes through the one function that takes as long for a wrong value."""
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def watched(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    for forge in FORGES:
        compared.clear()
        assert send(asked, forge, b"\xff{", {"webhook-timestamp": "1"}).status_code == 401
        # Both secrets are tried, so that it does not tell which one is in use.
        assert len(compared) >= 2, forge


def test_another_clock_does_not_hide_a_delivery(asked: Face, world: World) -> None:
    """Each one that comes is newer than the last, whatever the clock of the process says that took it."""
    assert send(asked, "github", b"fast", webhooks.github(b"fast")).status_code == 202
    before = newest(world)
    world.later(seconds=-30)
    assert send(asked, "github", b"slow", webhooks.github(b"slow")).status_code == 202
    assert newest(world) > before
