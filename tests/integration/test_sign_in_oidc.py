"""Does a person come in through an OpenID provider, with what their groups allow, and nobody else?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from httpx2 import Response

from reconciler.config import SETTINGS
from reconciler.facing import application
from tests.http_asking import Face
from tests.oidc_provider import CLIENT, SECRET, provider
from tests.world import World

BEGIN = "/ui/sign-in/oidc"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider() as found:
        yield found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("oidc")).begun()


def face(world: World, issuer: str, address: str = "", **more: Any) -> Face:
    place = world.directory / "client-secret"
    place.write_text(SECRET)
    oidc = {
        "issuer": issuer,
        "client_id": CLIENT,
        "client_secret": f"file:{place}",
        "scopes": {"deployers": ["approve", "operate"]},
        "roles": {"deployers": ["qa"]},
        **more,
    }
    settings = {**world.settings, "api": {"listen": "127.0.0.1:0", "address": address, "oidc": oidc}}
    return Face(application(SETTINGS.validate_python(settings)))


class Browser:
    """A person's browser: it knows the face and the provider."""

    def __init__(self, asked: Face, issuer: str) -> None:
        self.asked, self.issuer = asked, issuer
        self.outside = httpx2.Client(trust_env=False)

    def say(self, **next_said: Any) -> None:
        """What the provider says from now on."""
        self.outside.post(f"{self.issuer}/control", json=next_said).raise_for_status()

    def begin(self, then: str = "/ui/") -> str:
        """Where the provider is to be asked."""
        answer = self.asked.get(f"{BEGIN}?then={then}")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def come_back(self, there: str) -> Response:
        """What our page says once the provider has led back to it."""
        back = self.outside.get(there).headers["location"]
        assert back.startswith("http://127.0.0.1/ui/sign-in/oidc/callback?")
        return self.asked.get(back.removeprefix("http://127.0.0.1"))

    def sign_in(self) -> Response:
        return self.come_back(self.begin())

    @property
    def signed_in(self) -> bool:
        return "reconciler_session" in self.asked.client.cookies


@pytest.fixture
def browser(world: World, issuer: str) -> Iterator[Browser]:
    found = face(world, issuer)
    with found.client:
        made = Browser(found, issuer)
        made.say()
        yield made


def test_a_person_comes_in(browser: Browser, world: World) -> None:
    there = browser.begin("/ui/apps/shop")
    for part in (
        "code_challenge=",
        "code_challenge_method=S256",
        "state=",
        "nonce=",
        "scope=openid",
        "response_type=code",
    ):
        assert part in there
    answer = browser.come_back(there)
    assert answer.status_code == 200
    assert 'content="0;url=/ui/apps/shop"' in answer.text
    cookies = answer.headers.get_list("set-cookie")
    (session,) = [one for one in cookies if one.startswith("reconciler_session=")]
    for part in ("HttpOnly", "SameSite=strict", "Path=/"):
        assert part.lower() in session.lower()
    assert browser.signed_in
    page = browser.asked.get("/ui/apps/shop")
    assert (page.status_code, "ann@example.com" in page.text) == (200, True)
    facts = browser.asked.json("/ledger?kind=session.begun&limit=1")
    assert facts[0]["actor"] == "ann@example.com"
    assert facts[0]["body"] == {"scopes": ["approve", "operate"], "roles": ["qa"], "token": None}


def test_what_the_browser_keeps_meanwhile(browser: Browser) -> None:
    kept = browser.asked.get(BEGIN).headers["set-cookie"].lower()
    for part in ("httponly", "samesite=lax", "path=/ui/sign-in/oidc", "max-age=600"):
        assert part in kept


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"claims": {"iss": "https://evil.example.com"}}, "iss"),
        ({"claims": {"aud": "somebody-else"}}, "aud"),
        ({"claims": {"aud": None}}, "aud"),
        ({"claims": {"aud": [CLIENT, "another"]}}, "another client"),
        ({"claims": {"azp": "another"}}, "another client"),
        ({"claims": {"nonce": "of-another-sign-in"}}, "nonce"),
        ({"claims": {"nonce": None}}, "nonce"),
        ({"claims": {"exp": int(time.time()) - 3_600}}, "expired"),
        ({"claims": {"exp": None}}, "exp"),
        ({"claims": {"iat": int(time.time()) + 7_200}}, "future"),
        ({"claims": {"sub": None}}, "sub"),
        ({"alg": "none"}, "not believed"),
        ({"alg": "HS256"}, "not believed"),
        ({"alg": "PS256"}, "not believed"),
        ({"key": "other"}, "not believed"),
        ({"claims": {"email": None}}, "does not say email"),
        ({"claims": {"email": ["a"]}}, "does not say email"),
        ({"claims": {"email": "a\nb"}}, "is no name"),
        ({"claims": {"email_verified": False}}, "has not verified"),
        ({"claims": {"groups": ["everybody"]}}, "in no group"),
        ({"claims": {"groups": None}}, "in no group"),
        ({"claims": {"groups": [["deployers"], 7]}}, "in no group"),
        ({"answer": {"error": "access_denied", "code": ""}}, "access_denied"),
        ({"answer": {"iss": "https://evil.example.com"}}, "Another provider has answered"),
        ({"answer": {"code": "made-up"}}, "did not take the code"),
        ({"answer": {"state": "of-another-sign-in"}}, "not begun here"),
    ],
)
def test_what_is_not_believed(browser: Browser, said: dict[str, Any], words: str) -> None:
    browser.say(**said)
    answer = browser.sign_in()
    assert (answer.status_code, words in answer.text) == (403, True), answer.text
    assert not browser.signed_in
    # Nothing of it is left to be tried again.
    assert "reconciler_sign_in" not in browser.asked.client.cookies


@pytest.mark.parametrize(
    "description",
    [
        {"issuer": "https://evil.example.com"},
        {"issuer": None},
        {"token_endpoint": "http://evil.example.com/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": None},
    ],
)
def test_a_provider_that_says_something_else_of_itself(browser: Browser, description: dict[str, Any]) -> None:
    browser.say(description=description)
    answer = browser.asked.get(BEGIN)
    assert (answer.status_code, "The provider cannot be used" in answer.text) == (502, True)


def test_a_provider_without_an_id_token(browser: Browser) -> None:
    browser.say(without=["id_token"])
    assert (browser.sign_in().status_code, browser.signed_in) == (502, False)


def test_a_secret_that_is_sent_in_the_form(world: World, browser: Browser) -> None:
    browser.say(description={"token_endpoint_auth_methods_supported": ["client_secret_post"]})
    assert browser.sign_in().status_code == 200


def test_nobody_finishes_what_another_browser_began(browser: Browser) -> None:
    there = browser.begin()
    browser.asked.client.cookies.clear()
    assert (browser.come_back(there).status_code, browser.signed_in) == (403, False)
    browser.begin()
    kept = browser.asked.client.cookies["reconciler_sign_in"]
    browser.asked.client.cookies.clear()
    for changed in (kept[:-1], f"x{kept}", "", ".", kept.replace(".", "..")):
        answer = browser.asked.get(f"{BEGIN}/callback?code=a&state=b", Cookie=f"reconciler_sign_in={changed}")
        assert (answer.status_code, browser.signed_in) == (403, False)


def test_a_code_is_good_once(browser: Browser) -> None:
    there = browser.begin()
    back = browser.outside.get(there).headers["location"].removeprefix("http://127.0.0.1")
    kept = f"reconciler_sign_in={browser.asked.client.cookies['reconciler_sign_in']}"
    assert browser.asked.get(back).status_code == 200
    browser.asked.client.cookies.clear()
    assert browser.asked.get(back, Cookie=kept).status_code == 403


def test_who_takes_too_long_begins_again(browser: Browser) -> None:
    there = browser.begin()
    browser.asked.made.state.context.now = lambda: datetime.now(UTC) + timedelta(minutes=11)
    assert (browser.come_back(there).status_code, browser.signed_in) == (403, False)


@pytest.mark.parametrize("then", ["https://evil.example.com/", "//evil.example.com", "/ui/%0d%0aX:1", "javascript:1"])
def test_it_leads_to_no_other_place(browser: Browser, then: str) -> None:
    answer = browser.come_back(browser.begin(then))
    assert answer.status_code == 200
    assert "evil" not in answer.text
    assert 'url=/ui/"' in answer.text


def test_a_provider_that_does_not_answer(world: World) -> None:
    found = face(world, "http://127.0.0.1:9")
    with found.client:
        answer = found.get(BEGIN)
        assert (answer.status_code, "does not answer" in answer.text) == (502, True)
        # A token is still good for signing in.
        assert "Sign in there" in found.get("/ui/sign-in").text


def test_a_client_whose_secret_is_nowhere(world: World, issuer: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = face(world, issuer, client_secret="env:NOT_SET_ANYWHERE")
    with found.client:
        answer = found.get(BEGIN)
    assert answer.status_code == 502
    # Where a secret should lie is for whoever runs this, and not for whoever comes along.
    assert "ask who runs it, whose log says what is missing" in answer.text
    assert "NOT_SET_ANYWHERE" not in answer.text
    logged = capsys.readouterr().out
    assert "OIDC_CLIENT_SECRET (from env:NOT_SET_ANYWHERE): the variable is not set" in logged
    assert "correct in the settings where it is found" in logged


def test_without_a_provider(world: World) -> None:
    found = Face(application(SETTINGS.validate_python(world.settings | {"api": {"listen": "127.0.0.1:0"}})))
    with found.client:
        assert found.get(BEGIN).status_code == 404
        assert found.get(f"{BEGIN}/callback?code=1&state=2").status_code == 404
        assert "Sign in there" not in found.get("/ui/sign-in").text


def test_pages_behind_a_proxy_have_an_address_and_secure_cookies(world: World, issuer: str) -> None:
    found = face(world, issuer, address="https://deploy.example.com/")
    with found.client:
        answer = found.get(BEGIN)
        assert (
            "redirect_uri=https%3A%2F%2Fdeploy.example.com%2Fui%2Fsign-in%2Foidc%2Fcallback"
            in answer.headers["location"]
        )
        assert "secure" in answer.headers["set-cookie"].lower()


def test_nothing_secret_is_kept_or_told(browser: Browser, world: World, capfd: pytest.CaptureFixture[str]) -> None:
    from tests.stores import content

    browser.sign_in()
    session = browser.asked.client.cookies["reconciler_session"]
    browser.say(alg="none")
    browser.sign_in()
    held = content(world.settings["state"]["url"])
    out, err = capfd.readouterr()
    for secret in (SECRET, session):
        assert secret.encode() not in held
        assert secret not in out + err
