"""A token that somebody puts into an address: is it refused wherever it stands, and repeated nowhere?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from reconciler.model import access
from tests.bearers import bearer
from tests.commands import Told
from tests.http_asking import PROBLEM, Face, served
from tests.stores import content
from tests.world import World

BROWSER = "text/html,*/*;q=0.8"
PLACES = (
    "/ui/?q={}",
    "/ui/?q=about+{}+and+more",
    "/ui/?{}",
    "/ui/?{}=1",
    "/ui/?token={}",
    "/ui/?Token={}&env=sandbox",
    "/ui?token={}",
    "/ui/apps/{}",
    "/ui/apps/shop/compare?a={}",
    "/ui/ledger?app={}",
    "/ui/live/matrix?q={}",
    "/ui/sign-in?then=/ui/?q={}",
    "/ui/sign-in?then=%2Fui%2F%3Fq%3D{}",
    "/ui/static/{}.css",
    "/ui/nothing/{}/here",
    "/apps/{}",
    "/status?token={}",
    "/status?app={}",
    "/deployments/{}",
    "/healthz?{}",
    "/openapi.json?token={}",
    "/nothing/{}",
    "//calendar.ics?token={}",
    "/calendar.ics?app={}",
    "/calendar.ics?Token={}",
    "/calendar?token={}",
)


def encoded(text: str) -> str:
    """Each letter of it percent-encoded."""
    return "".join(f"%{ord(letter):02x}" for letter in text)


WAYS = (str, encoded, lambda token: quote(encoded(token), safe=""), lambda token: token.replace("_", "%255F"))


@pytest.fixture
def asked(world: World) -> Iterator[Face]:
    found = served(world.begun())
    with found.client:
        yield found


@pytest.mark.parametrize("place", PLACES)
def test_an_address_with_a_token_is_refused_with_the_advice_to_revoke_it(world: World, asked: Face, place: str) -> None:
    token = bearer(world.settings["state"]["url"], "operate", now=world.now, name="ann")
    for way in WAYS:
        address = place.format(way(token))
        answer = asked.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM), address
        assert "must not stand in an address: revoke it" in answer.json()["detail"]
        written = access.read(token)
        assert written is not None
        assert f"reconciler tokens revoke {written.id}" in answer.json()["next_step"]
        page = asked.get(address, Accept=BROWSER)
        assert page.status_code == 422
        if place.startswith("/ui/") and not place.startswith("/ui?"):
            assert page.headers["content-type"].startswith("text/html")
            assert f"<code>reconciler tokens revoke {written.id}</code>" in page.text
            assert '<a class="brand" href="/ui/">Reconciler</a>' in page.text
        sent = asked.client.post(address, json={}, follow_redirects=False)
        assert sent.status_code == 422


def test_no_answer_repeats_it(world: World, asked: Face, capfd: pytest.CaptureFixture[str]) -> None:
    token = bearer(world.settings["state"]["url"], "operate", now=world.now, name="ann")
    for place in (*PLACES, "/calendar.ics?token={}", "/calendar.ics/?token={}"):
        for way in WAYS:
            for accept in (BROWSER, "*/*"):
                answer = asked.get(place.format(way(token)), Accept=accept)
                for secret in (token[17:], way(token)[-30:]):
                    assert secret not in answer.text, place
                    assert secret not in str(answer.headers), place
    out, err = capfd.readouterr()
    assert token[17:] not in out + err
    assert token[17:].encode() not in content(world.settings["state"]["url"])


def test_what_only_looks_a_little_like_one_is_asked_for(asked: Face) -> None:
    for text in ("rec_", "rec_0123456789ab_short", "record_of_0123456789ab", "100%25"):
        assert asked.get(f"/ui/?q={text}").status_code == 200
        assert asked.get(f"/apps?q={text}").status_code == 200


def test_the_advice_can_be_followed(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.start_repository()
    told.settle()
    token = told.type("tokens", "create", "--name", "ann@example.com", "--scope", "operate").out.strip()
    found = served(told)
    with found.client:
        next_step = found.get(f"/status?token={token}").json()["next_step"]
    command = next_step.split("`")[1].removeprefix("reconciler ").split()
    assert told.type(*command).status == 0
    (row,) = told.type("tokens", "list", "-o", "json").json
    assert row["revoked_at"] is not None
