"""Is a body of somebody who may not send it left unread, wherever a token is needed?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message

from reconciler.api import access
from reconciler.api.dashboard.pages import acting
from reconciler.config import SETTINGS
from reconciler.facing import application
from tests import looping
from tests.bearers import bearer
from tests.http_asking import described, face
from tests.world import World

VALUES = {"app": "shop", "environment": "live", "sha": "abcdef12", "id": "abcd"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("unread")).begun()


@pytest.fixture(scope="module")
def shop(world: World) -> Iterator[ASGIApp]:
    with face(world) as found:
        yield found.made


def paths() -> list[str]:
    """What changes something by a token."""
    return [path for path, ways in described()["paths"].items() if "post" in ways and not path.startswith("/webhooks/")]


class Asked:
    """A request by its head, and how often its body was asked for."""

    def __init__(self, face: ASGIApp, path: str, *headers: tuple[bytes, bytes], body: bytes = b"{}") -> None:
        self.times, self.sent, self._body = 0, [], body
        given = [*headers, (b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": given,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8080),
        }
        looping.run(face(scope, self._receive, self._send))

    sent: list[Message]

    async def _receive(self) -> Message:
        self.times += 1
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def problem(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(b"".join(one.get("body", b"") for one in self.sent))
        return read


@pytest.mark.parametrize("path", paths())
@pytest.mark.parametrize("who", ["nobody", "reader", "nonsense"])
def test_a_body_of_somebody_who_may_not_is_not_read(world: World, shop: ASGIApp, path: str, who: str) -> None:
    token = bearer(world.settings["state"]["url"], "read", now=world.now) if who == "reader" else "rec_nonsense"
    headers = () if who == "nobody" else ((b"authorization", f"Bearer {token}".encode()),)
    found = Asked(shop, path.format(**VALUES), *headers)
    assert (found.status, found.times) == (403 if who == "reader" else 401, 0)
    assert found.problem["next_step"]


def test_a_body_of_somebody_who_may_is_read_once(world: World, shop: ASGIApp) -> None:
    token = bearer(world.settings["state"]["url"], "operate", now=world.now)
    body = json.dumps({"environment": "live", "reason": "the fair", "until": "2199-01-01T00:00:00Z"}).encode()
    headers = (b"authorization", f"Bearer {token}".encode())
    found = Asked(shop, "/apps/shop/pause", headers, body=body)
    assert (found.status, found.times) == (202, 1)


def test_where_nothing_is_recorded_yet_a_token_is_asked_for_all_the_same(tmp_path: Path) -> None:
    nowhere = {"repository": {"url": "nowhere.git"}, "state": {"url": f"sqlite:///{tmp_path}/none.db"}}
    face = application(SETTINGS.validate_python(nowhere))
    assert (found := Asked(face, "/apps/shop/pause")).status == 401
    assert found.times == 0
    token = f"rec_{'f' * 12}_{'x' * 43}".encode()
    found = Asked(face, "/apps/shop/pause", (b"authorization", b"Bearer " + token))
    assert (found.status, found.times) == (503, 0)


FORMS = [route.path for route in acting.router.routes if isinstance(route, APIRoute)]


def test_a_form_of_nobody_is_not_read_and_leads_to_sign_in(world: World, shop: ASGIApp) -> None:
    assert {f"/ui/apps/{{app}}/{verb}" for verb in ("approve", "rollback", "pause", "promote")} < set(FORMS)
    gone = f"{access.COOKIE}={'x' * 43}".encode()
    for path in FORMS:
        for headers in ((), ((b"cookie", gone),)):
            found = Asked(
                shop, path.format(app="shop"), (b"sec-fetch-site", b"same-origin"), *headers, body=b"a=" * 500
            )
            assert (found.status, found.times) == (303, 0), path
            assert dict(found.sent[0]["headers"])[b"location"] == b"/ui/sign-in?then=%2Fui%2Fapps%2Fshop"


def test_a_form_of_somebody_who_may_only_read_is_not_read(world: World, shop: ASGIApp) -> None:
    token = bearer(world.settings["state"]["url"], "read", now=world.now)
    form = (b"content-type", b"application/x-www-form-urlencoded")
    same = (b"sec-fetch-site", b"same-origin")
    signed = Asked(shop, "/ui/sign-in", form, same, body=b"token=" + token.encode())
    cookie = dict(signed.sent[0]["headers"])[b"set-cookie"].partition(b";")[0]
    for path in FORMS:
        found = Asked(shop, path.format(app="shop"), same, (b"cookie", cookie))
        assert (found.status, found.times) == (403, 0), path
        said = b"".join(one.get("body", b"") for one in found.sent)
        assert b"may not: it needs the scope" in said
        assert b"<h1" in said, "it is a page"
