"""Who may read the calendar by a token in its address, and is that token nowhere else?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.model import access
from tests.bearers import bearer, header
from tests.commands import Told
from tests.http_asking import Face, served
from tests.stores import content
from tests.world import World


@pytest.fixture
def strict(world: World) -> Iterator[Face]:
    """A face that wants a token for reading, too."""
    found = served(world, read="token")
    with found.client:
        yield found


def feed(world: World, *scopes: access.TokenScope, **more: Any) -> str:
    return bearer(world.settings["state"]["url"], *(scopes or ("feed",)), now=world.now, name="phone", **more)


def test_a_calendar_program_subscribes(world: World, strict: Face) -> None:
    token = feed(world)
    bare = strict.get("/calendar.ics")
    assert (bare.status_code, "--scope feed" in bare.json()["next_step"]) == (401, True)
    answer = strict.get(f"/calendar.ics?app=shop&token={token}")
    assert (answer.status_code, answer.text[:15]) == (200, "BEGIN:VCALENDAR")
    assert answer.headers["content-type"].startswith("text/calendar")
    again = strict.get(f"/calendar.ics?app=shop&token={token}", If_None_Match=answer.headers["etag"])
    assert again.status_code == 304


def test_it_opens_nothing_else(world: World, strict: Face) -> None:
    token = feed(world)
    paths = [path for path, those in strict.made.openapi()["paths"].items() if "get" in those]
    read = [path for path in paths if path not in ("/healthz", "/readyz", "/calendar.ics")]
    assert len(read) > 20
    for path in (*read, "/ui/", "/ui/calendar", "/ui/apps/shop", "/ui/ledger"):
        address = path.replace("{", "").replace("}", "")
        for asked in (strict.get(f"{address}?token={token}"), strict.get(address, Authorization=f"Bearer {token}")):
            assert asked.status_code in (401, 422) or asked.headers["location"].startswith("/ui/sign-in"), path
            assert "shop/index.html" not in asked.text
    changed = strict.client.post("/apps/shop/resume", json={}, headers=header(token))
    assert changed.status_code == 401
    # Nor does a browser sign in with it; in a header it is refused for the calendar too, so that it stays one thing.
    signed = strict.client.post("/ui/sign-in", data={"token": token}, follow_redirects=False)
    assert (signed.status_code, "reconciler_session" in strict.client.cookies) == (422, False)
    assert "That token is for the calendar alone" in signed.text
    assert strict.get("/calendar.ics", Authorization=f"Bearer {token}").status_code == 401


@pytest.mark.parametrize("read", ["anyone", "token"])
def test_what_is_no_such_token_is_refused_there(world: World, read: str) -> None:
    ended, over = feed(world, revoked=True), feed(world, expires=world.now)
    lost = f"rec_{'f' * 12}_{'x' * 43}"
    found = served(world, read=read)
    with found.client:
        for token in (ended, over, lost, "rec_x", "", "x" * 201):
            asked = found.get(f"/calendar.ics?token={token}")
            assert asked.status_code in (401, 422), token
            assert not token or token not in asked.text
        for scope in access.SCOPES:
            refused = found.get(f"/calendar.ics?token={feed(world, scope)}")
            assert refused.status_code == 401
            assert "must not stand in an address: revoke it" in refused.json()["detail"]
        living = feed(world, expires=world.now + timedelta(days=1))
        assert found.get(f"/calendar.ics?token={living}").status_code == 200
        world.later(days=1)
        assert found.get(f"/calendar.ics?token={living}").status_code == 401


def test_it_stands_nowhere(world: World, strict: Face, capfd: pytest.CaptureFixture[str]) -> None:
    token, wrong = feed(world), feed(world, "operate")
    operator = header(feed(world, "operate"))
    answers = [
        strict.get(f"{path}?token={one}{more}")
        for path in (
            "/calendar.ics",
            "/calendar",
            "/status",
            "/ui/",
            "/ui/calendar",
            "/ui",
            "/calendar.ics/",
            "/status/",
            "/nothing",
            "//calendar.ics",
        )
        for one in (token, wrong, f"{token}x")
        for more in ("", "&until=1d", "&until=yesterday", "&limi=5")
    ]
    assert {answer.status_code for answer in answers} == {200, 307, 401, 422}
    ledger = strict.client.get("/ledger?limit=1000", headers=operator)
    assert ledger.status_code == 200
    held = content(world.settings["state"]["url"])
    out, err = capfd.readouterr()
    for secret in (token[17:], wrong[17:]):
        assert secret not in out + err
        assert secret.encode() not in held
        assert secret not in ledger.text
        for answer in answers:
            assert secret not in answer.text
            assert secret not in str(answer.headers)
    # A page that an answer may lead to is not told where it came from, and no store between keeps it.
    said = strict.get(f"/calendar.ics?token={token}").headers
    assert (said["referrer-policy"], said["cache-control"]) == ("no-referrer", "private, no-cache")


def test_a_page_does_not_repeat_it(world: World) -> None:
    token = feed(world)
    found = served(world)
    with found.client:
        for path in ("/ui/", "/ui/apps/shop", "/ui/calendar", "/ui/sign-in", "/ui/nothing"):
            for name in ("token", "Token"):
                page = found.get(f"{path}?{name}={token}&env=sandbox")
                assert (token in page.text, token in str(page.headers)) == (False, False), path
        # Nor what somebody took for one; the rest of what is asked for stays in its links.
        page = found.get("/ui/?token=something&env=sandbox")
        assert ("something" in page.text, "env%3Dsandbox" in page.text) == (False, True)
        led = found.get(f"/calendar.ics/?app=shop&%74oken={token}")
        assert (led.status_code, led.headers["location"]) == (307, "/calendar.ics?app=shop")


def test_made_by_the_command(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.start_repository()
    told.settle()
    refused = told.type("tokens", "create", "--name", "phone", "--scope", "feed", "--scope", "read")
    assert (refused.status, "--scope feed stands alone" in refused.err) == (2, True)
    made = told.type("tokens", "create", "--name", "phone", "--scope", "feed")
    assert (made.status, "Subscribe to /calendar.ics?token=…" in made.err) == (0, True)
    found = served(told, read="token")
    with found.client:
        found.made.state.context.now = lambda: told.now
        assert found.get(f"/calendar.ics?token={made.out.strip()}").status_code == 200
    (row,) = told.type("tokens", "list", "-o", "json").json
    assert (row["scopes"], row["used_at"] is not None) == (["feed"], True)
