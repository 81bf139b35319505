"""The HTTP API as a test asks it: the application itself over a real store, without a socket.

Tests of the process that serves it are in `e2e`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from reconciler.config import SETTINGS
from reconciler.facing import application
from tests.world import World

PROBLEM = "application/problem+json"
_NEXT = re.compile(r'<(?P<address>[^>]+)>; rel="next"')


class Face:
    """An application over a world's store, asked by somebody."""

    def __init__(self, made: FastAPI) -> None:
        routed = _routed(made.state.context.terms.reading_needs_token)
        made.router.routes[:] = routed.router.routes
        made.openapi_schema = routed.openapi_schema
        self.made = made
        self.client = TestClient(made, base_url="http://127.0.0.1", raise_server_exceptions=False)

    def get(self, address: str, **headers: str) -> Response:
        """Any answer. `_` in a header's name stands for `-`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(address, headers=given, follow_redirects=False)

    def json(self, address: str) -> Any:
        """What is found there; it must be found."""
        answer = self.get(address)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, address: str) -> dict[str, Any]:
        """The problem document that is answered; nothing else will do."""
        answer = self.get(address)
        assert 400 <= answer.status_code < 500, (address, answer.status_code, answer.text[:300])
        assert answer.headers["content-type"] == PROBLEM
        said: dict[str, Any] = answer.json()
        assert said["status"] == answer.status_code
        assert said["detail"]
        return said

    def pages(self, address: str) -> Iterator[list[Any]]:
        """A list page by page, as the `Link` headers lead through it."""
        following: str | None = address
        for _ in range(1_000):
            answer = self.get(str(following))
            assert answer.status_code == 200, answer.text
            yield answer.json()
            found = _NEXT.fullmatch(answer.headers.get("link", ""))
            if found is None:
                return
            following = found["address"]
        raise AssertionError(f"{address} has no end")

    def all(self, address: str) -> list[Any]:
        """A list, all of it."""
        return [one for page in self.pages(address) for one in page]


@cache
def _routed(reading_needs_token: bool) -> FastAPI:
    """An application that nobody asks: every other has the same routes and is described alike.

    To build these takes longer than most tests do, so each process of the tests does it once.
    """
    api = {"listen": "127.0.0.1:0", "read": "token" if reading_needs_token else "anyone"}
    made = application(SETTINGS.validate_python({"repository": {"url": "nowhere.git"}, "api": api}))
    made.openapi()
    return made


def described() -> dict[str, Any]:
    """What the API says of itself where anybody may read; nobody changes it."""
    return _routed(False).openapi()


def served(world: World, settings: Mapping[str, Any] | None = None, **api: Any) -> Face:
    """A face over a world, not open yet; its clock is the world's. `settings` go beside those of the API."""
    given = {**world.settings, "api": {"listen": "127.0.0.1:0", **api}, **(settings or {})}
    made = application(SETTINGS.validate_python(given))
    made.state.context.now = lambda: world.now
    return Face(made)


@contextmanager
def face(world: World, **api: Any) -> Iterator[Face]:
    """The same, open."""
    found = served(world, **api)
    with found.client:
        yield found
