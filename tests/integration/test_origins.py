"""Can a page elsewhere make somebody's browser act here, or sign in as somebody else?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from httpx2 import Response

from reconciler.api.access import word_of
from tests.bearers import bearer, header
from tests.http_asking import PROBLEM, Face, served
from tests.world import World

PUBLIC = "https://deploy.example.org"
FORMS = ("/ui/sign-in", "/ui/sign-out", "/ui/theme", "/ui/apps/shop/pause")
FROM_ELSEWHERE = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
    {"Origin": "https://evil.example.com"},
    {"Origin": "http://127.0.0.1:81"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1@evil.example.com"},
    {"Origin": "http://127.0.0.1:x"},
)
FROM_US = ({"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "http://127.0.0.1"}, {})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("origins")).begun()


@pytest.fixture(scope="module")
def token(world: World) -> str:
    return bearer(world.settings["state"]["url"], "operate", now=world.now, name="ann@example.com")


@pytest.fixture
def usual(world: World) -> Iterator[Face]:
    found = served(world)
    with found.client:
        yield found


@pytest.fixture
def proxied(world: World) -> Iterator[Face]:
    """Behind a proxy that ends TLS, and hands on by which name it was asked."""
    found = served(world, listen="0.0.0.0:8080", address=f"{PUBLIC}/", read="anyone")
    found.client.base_url = "http://deploy.example.org"
    with found.client:
        yield found


def sign_in(asked: Face, token: str, **headers: str) -> Response:
    return asked.client.post("/ui/sign-in", data={"token": token}, headers=headers, follow_redirects=False)


@pytest.mark.parametrize("said", FROM_ELSEWHERE, ids=str)
def test_a_page_elsewhere_sends_no_form(usual: Face, token: str, said: dict[str, str]) -> None:
    for form in FORMS:
        answer = usual.client.post(form, data={"token": token}, headers=said, follow_redirects=False)
        assert (answer.status_code, answer.headers["content-type"]) == (403, PROBLEM), form
        assert "set-cookie" not in answer.headers
        assert answer.json()["next_step"]


@pytest.mark.parametrize("said", FROM_US, ids=str)
def test_our_own_pages_do(usual: Face, token: str, said: dict[str, str]) -> None:
    assert sign_in(usual, token, **said).status_code == 303
    usual.client.cookies.clear()
    for form in FORMS[2:]:
        assert usual.client.post(form, data={}, headers=said, follow_redirects=False).status_code != 403, form


@pytest.mark.parametrize("said", FROM_ELSEWHERE, ids=str)
def test_a_cookie_counts_for_our_own_pages_alone(usual: Face, token: str, said: dict[str, str]) -> None:
    sign_in(usual, token)
    word = word_of(usual.client.cookies["reconciler_session"])
    wish = {"reason": "tests", "until": "2027-01-01T00:00:00Z"}
    sent = {"X-CSRF": word, **said}
    assert usual.client.post("/apps/shop/pause", json=wish, headers=sent).status_code == 403
    assert usual.client.post("/apps/shop/pause", json=wish, headers={"X-CSRF": word}).status_code == 202
    # Whoever follows a link from elsewhere still finds the page; and a token is no cookie.
    assert usual.client.get("/ui/", headers=said).status_code == 200
    usual.client.cookies.clear()
    assert usual.client.post("/apps/shop/pause", json=wish, headers={**header(token), **said}).status_code == 202


def test_behind_a_proxy_the_pages_know_their_address(proxied: Face, token: str) -> None:
    for said in ({"Origin": PUBLIC}, {"Origin": f"{PUBLIC}:443"}, {"Sec-Fetch-Site": "same-origin"}):
        answer = sign_in(proxied, token, **said)
        assert answer.status_code == 303
        assert "; secure" in answer.headers["set-cookie"].lower()
    theme = proxied.client.post("/ui/theme", data={"theme": "dark"}, headers={"Origin": PUBLIC}, follow_redirects=False)
    assert "; secure" in theme.headers["set-cookie"].lower()
    assert sign_in(proxied, token, Origin="https://example.org").status_code == 403
    # By another name than its own nobody is answered.
    assert proxied.get("/ui/", Host="evil.example.com").status_code == 421
    # A proxy that asks by a name of its own hands on what the browser said.
    assert sign_in(proxied, token, Origin=PUBLIC, Host="127.0.0.1").status_code == 303


def test_without_an_address_cookies_go_over_plain_http(usual: Face, token: str) -> None:
    assert "secure" not in sign_in(usual, token).headers["set-cookie"].lower()
