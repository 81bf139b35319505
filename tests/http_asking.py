"""The HTTP API as a test asks it: the application itself over a real store, without a socket.

Tests of the process that serves it are in `e2e`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def face(world: World) -> Iterator[Face]:
    """The face over a world; its clock is the world's."""
    made = application(SETTINGS.validate_python({**world.settings, "api": {"listen": "127.0.0.1:0"}}))
    made.state.context.now = lambda: world.now
    found = Face(made)
    with found.client:
        yield found
