"""Who may do what over HTTP: every path that is described, asked by everybody that there is?"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response

from reconciler.model import access
from reconciler.store import tokens
from reconciler.store.database import Database
from tests.bearers import BY, bearer, header
from tests.http_asking import PROBLEM, Face, described, served
from tests.world import World

OPEN = {"/healthz", "/readyz", "/webhooks/{forge}"}
"""Asked by machines that have no token; webhooks have secrets of their own."""
SCOPES: dict[str, access.Scope] = {"/deployment-events/": "report", "/approvals": "approve"}
"""What is needed to change something, where that is not operate."""
VALUES = {"app": "shop", "environment": "live", "name": "live", "ref": "v1", "a": "v1", "b": "v1", "sha": "abcdef12"}
REFUSED_TOKENS = ("revoked", "expired", "malformed", "unknown", "another secret")


def operations() -> list[tuple[str, str]]:
    """Method and path of everything that is described."""
    paths = described()["paths"]
    return [(method.upper(), path) for path, those in paths.items() for method in those]


def needed(method: str, path: str) -> access.Scope | None:
    if path in OPEN:
        return None
    return "read" if method == "GET" else SCOPES.get(path, "operate")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("access")).begun()


@pytest.fixture(scope="module")
def given(world: World) -> dict[str, str]:
    """Tokens of every kind, by what they are called here."""
    url, now = world.settings["state"]["url"], world.now
    made = {scope: bearer(url, scope, now=now, name=f"{scope}@example.com") for scope in access.SCOPES}
    made["revoked"] = bearer(url, *access.SCOPES, now=now, revoked=True)
    made["expired"] = bearer(url, *access.SCOPES, now=now, expires=now)
    made["malformed"] = "rec_0123"
    made["unknown"] = f"rec_{'f' * 12}_{'x' * 43}"
    made["another secret"] = f"{made['operate'][:17]}{'x' * 43}"
    return made


@pytest.fixture(scope="module")
def strict(world: World) -> Iterator[Face]:
    """A face that wants a token for reading, too."""
    found = served(world, read="token")
    with found.client:
        yield found


@pytest.fixture(scope="module")
def usual(world: World) -> Iterator[Face]:
    """A face on this machine's own address, as it is without settings."""
    found = served(world)
    with found.client:
        yield found


def ask(asked: Face, method: str, path: str, token: str | None, identifier: str = "abcd") -> Response:
    address = path.format(**VALUES, id=identifier, forge="github")
    queries = {"/versions": "?app=shop", "/versions/compare": "?app=shop&a=v1&b=v1"}
    more: dict[str, Any] = {"json": {}} if method == "POST" else {}
    headers = header(token) if token is not None else {}
    return asked.client.request(method, address + queries.get(path, ""), headers=headers, **more)


@pytest.mark.parametrize("who", ["nobody", *access.SCOPES, *REFUSED_TOKENS])
@pytest.mark.parametrize(("method", "path"), operations())
def test_every_path_for_everybody(
    strict: Face, usual: Face, given: dict[str, str], method: str, path: str, who: str
) -> None:
    wanted, token = needed(method, path), given.get(who)
    for asked, reading_is_free in ((strict, False), (usual, True)):
        answer = ask(asked, method, path, token)
        if wanted is None:
            # A webhook is closed without a secret, whoever sends it.
            assert answer.status_code == (403 if path.startswith("/webhooks") else 200)
            continue
        if who in REFUSED_TOKENS:
            right = {401}  # also where nobody would need one: whoever sends a token believes that it holds
        elif wanted == "read":
            right = {200, 404} if who != "nobody" or reading_is_free else {401}
        elif who == "nobody":
            right = {401}
        else:
            # An empty wish is refused for what it lacks, or for what is not so; never for who asks.
            right = {202, 404, 409, 422} if who == wanted else {403}
        assert answer.status_code in right, (who, answer.text[:300])
        if answer.status_code in (401, 403):
            assert answer.headers["content-type"] == PROBLEM
            assert answer.json()["next_step"]
            assert answer.status_code == 403 or answer.headers["www-authenticate"].startswith("Bearer")


def test_every_page_wants_a_token_where_reading_does(strict: Face, given: dict[str, str]) -> None:
    free = {"/ui/sign-in", "/ui/sign-in/oidc", "/ui/sign-in/oidc/callback"}
    pages = ["/ui/", "/ui/apps/shop", "/ui/calendar", "/ui/ledger", "/ui/metrics", "/ui/alerts", "/ui/complaints"]
    pages += ["/ui/events"]
    for page in pages:
        answer = strict.get(page)
        assert answer.status_code in (303, 307, 401, 404), (page, answer.status_code)
        assert "shop" not in answer.text.replace(page, ""), page
    assert {strict.get(page).status_code for page in free} <= {200, 404}
    # What somebody with a token was told is not told to the next one without.
    assert strict.get("/status", Authorization=f"Bearer {given['read']}").status_code == 200
    assert strict.get("/status").status_code == 401


@pytest.mark.parametrize(
    ("api", "free"),
    [
        ({}, True),
        ({"listen": "127.0.0.1:1"}, True),
        ({"listen": "[::1]:1"}, True),
        ({"listen": "localhost:1"}, True),
        ({"listen": "0.0.0.0:1"}, False),
        ({"listen": "[::]:1"}, False),
        ({"listen": "192.0.2.7:1"}, False),
        ({"listen": "127.example.com:1"}, False),
        ({"listen": "0.0.0.0:1", "read": "anyone"}, True),
        ({"listen": "127.0.0.1:1", "read": "token"}, False),
    ],
)
def test_where_reading_needs_a_token(world: World, api: dict[str, Any], free: bool) -> None:
    found = served(world, **api)
    assert found.made.state.context.terms.reading_needs_token != free


@pytest.mark.parametrize("host", ["evil.example.com", "127.0.0.1.evil.example.com", "localhost.evil", "[::2]", ""])
def test_a_name_that_somebody_leads_here(usual: Face, host: str) -> None:
    answer = usual.get("/status", Host=host)
    assert (answer.status_code, answer.headers["content-type"]) == (421, PROBLEM)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost:99", "[::1]:8080", "LOCALHOST"])
def test_names_of_this_machine(usual: Face, host: str) -> None:
    assert usual.get("/status", Host=host).status_code == 200


def test_further_names(world: World) -> None:
    found = served(world, listen="0.0.0.0:1", hosts=["Deploy.example.com"], read="anyone")
    with found.client:
        assert found.get("/status", Host="deploy.example.com").status_code == 200
        assert found.get("/status", Host="evil.example.com").status_code == 421


def test_a_role_must_be_one_of_the_token_s(usual: Face, world: World) -> None:
    token = bearer(world.settings["state"]["url"], "approve", now=world.now, name="q@example.com", roles=("qa",))

    def approve(role: str) -> Response:
        return usual.client.post("/approvals", json={"id": "shop/live", "role": role}, headers=header(token))

    refused = approve("security")
    assert (refused.status_code, "the token has qa" in refused.json()["detail"]) == (403, True)
    assert approve("qa").status_code == 404  # nothing waits there


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("2h", "until 2026-06-01T14:00:00Z"),
        ("1h30m", "until 2026-06-01T13:30:00Z"),
        ("2026-06-02T00:00:00+02:00", "until 2026-06-01T22:00:00Z"),
    ],
)
def test_a_pause_lasts_for_a_time_or_until_a_moment(usual: Face, given: dict[str, str], until: str, said: str) -> None:
    answer = usual.client.post(
        "/apps/shop/pause", json={"reason": "r", "until": until}, headers=header(given["operate"])
    )
    assert (answer.status_code, answer.json()["detail"].endswith(said)) == (202, True), answer.text


@pytest.mark.parametrize(
    "until", [7200, 1_780_000_000, "2", "", None, [], "-2h", "2026-06-02T00:00", "2201-01-01T00:00Z", "99999d"]
)
def test_a_pause_until_no_moment(usual: Face, given: dict[str, str], until: Any) -> None:
    answer = usual.client.post(
        "/apps/shop/pause", json={"reason": "r", "until": until}, headers=header(given["operate"])
    )
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM), answer.text
    assert "%2B" not in answer.text


class Signed:
    """Somebody who signed in at the pages."""

    def __init__(self, asked: Face, token: str) -> None:
        self.asked = asked
        asked.client.cookies.clear()
        self.answer = asked.client.post("/ui/sign-in", data={"token": token}, follow_redirects=False)
        self.cookie = asked.client.cookies.get("reconciler_session") or ""

    def pause(self, **headers: str) -> int:
        body = {"reason": "tests", "until": "2027-01-01T00:00:00Z"}
        return self.asked.client.post("/apps/shop/pause", json=body, headers=headers).status_code


@pytest.fixture
def signed(usual: Face, given: dict[str, str]) -> Iterator[Signed]:
    yield Signed(usual, given["operate"])
    usual.client.cookies.clear()


def test_flags_of_the_cookie(signed: Signed) -> None:
    said = signed.answer.headers["set-cookie"].lower()
    assert signed.answer.status_code == 303
    for part in ("httponly", "samesite=strict", "path=/", "max-age=43200"):
        assert part in said
    assert "domain" not in said


def test_over_https_the_cookie_stays_there(world: World, given: dict[str, str]) -> None:
    found = served(world)
    found.client.base_url = "https://127.0.0.1"
    with found.client:
        answer = found.client.post("/ui/sign-in", data={"token": given["read"]}, follow_redirects=False)
        assert "secure" in answer.headers["set-cookie"].lower()


def test_a_page_elsewhere_cannot_act_by_a_cookie(signed: Signed) -> None:
    from reconciler.api.access import word_of

    word = word_of(signed.cookie)
    assert signed.cookie not in word
    assert signed.pause() == 403
    for wrong in ("", "x", word[:-1], word_of("another")):
        assert signed.pause(**{"X-CSRF": wrong}) == 403
    assert signed.pause(**{"X-CSRF": word}) == 202
    # A form of a page elsewhere cannot leave, either; nor can one that has the session's name and no word.
    assert signed.asked.client.post("/ui/sign-out", data={}).status_code == 403


def test_a_session_ends_with_its_token_and_with_time(usual: Face, world: World) -> None:
    url = world.settings["state"]["url"]
    for end in ("revoked", "expired", "time", "left"):
        expires = world.now + timedelta(minutes=5) if end == "expired" else None
        token = bearer(url, "operate", now=world.now, name="s@example.com", expires=expires)
        signed = Signed(usual, token)
        from reconciler.api.access import word_of

        word = {"X-CSRF": word_of(signed.cookie)}
        assert signed.pause(**word) == 202
        match end:
            case "revoked":
                store = Database(url)
                with store.write() as transaction:
                    tokens.revoke(transaction, token[4:16], BY, world.now)
                store.close()
            case "expired":
                world.later(minutes=5)
            case "time":
                world.later(hours=12)
            case "left":
                done = usual.client.post("/ui/sign-out", data={"csrf": word["X-CSRF"]}, follow_redirects=False)
                assert done.status_code == 303
                usual.client.cookies.set("reconciler_session", signed.cookie)
        assert signed.pause(**word) == 401, end
        usual.client.cookies.clear()


@pytest.mark.parametrize("cookie", ["x", "é", "a" * 5_000, "';--", "%00"])
def test_a_cookie_that_nobody_was_given(usual: Face, cookie: str) -> None:
    answer = usual.client.get("/status", headers={"Cookie": f"reconciler_session={cookie}".encode("latin-1")})
    assert answer.status_code == 200  # anybody may read here
    refused = usual.client.post(
        "/apps/shop/pause", json={}, headers={"Cookie": f"reconciler_session={cookie}".encode("latin-1")}
    )
    assert refused.status_code == 401


@pytest.mark.parametrize("word", ["Basic YTpi", "Bearer", "Bearer ", "bearer x y", "rec_x", "Bearer " + "é" * 60, ","])
def test_an_authorization_that_is_none(usual: Face, word: str) -> None:
    answer = usual.client.get("/status", headers={"Authorization": word.encode("latin-1")})
    assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)


def test_secrets_are_compared_in_constant_time(
    usual: Face, given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[Any] = []
    real = hmac.compare_digest

    def watched(one: Any, other: Any) -> bool:
        compared.append(one)
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    for who in ("operate", "another secret", "unknown", "revoked"):
        compared.clear()
        usual.get("/status", Authorization=f"Bearer {given[who]}")
        assert len(compared) == 1, who
    compared.clear()
    usual.client.post("/ui/sign-in", data={"token": given["another secret"]})
    assert len(compared) == 1
