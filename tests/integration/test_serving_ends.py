"""What is whoever asks told by a process that is to end before there is an answer?"""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.api import serving
from reconciler.store.database import Database
from tests.bearers import bearer, header
from tests.http_asking import PROBLEM, served
from tests.waiting import PATIENCE
from tests.world import World


class Notices:
    """Notices that somebody has asked."""

    def __init__(self, application: ASGIApp, asked: threading.Event) -> None:
        self._application, self._asked = application, asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._asked.set()
        await self._application(scope, receive, send)


@pytest.mark.sqlite_only("whoever writes waits for whoever holds the file, for as long as the test wants")
def test_who_still_waits_when_the_grace_is_over_is_told_to_ask_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_GRACE", 0.1)
    world = World(tmp_path).begun()
    url, asked = world.settings["state"]["url"], threading.Event()
    answers: list[httpx2.Response] = []
    token = header(bearer(url, "operate", now=world.now))
    made = served(world).made
    made.add_middleware(Notices, asked=asked)
    reading, writing = os.pipe()
    store = Database(url)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/apps/shop/resume"

        def ask() -> None:
            with httpx2.Client(headers=token, timeout=PATIENCE, trust_env=False) as client:
                answers.append(client.post(address, json={"environment": "live"}))

        serves = threading.Thread(target=serving.serve, args=(made, listening, reading))
        asks = threading.Thread(target=ask)
        with store.write():
            serves.start()
            asks.start()
            assert asked.wait(PATIENCE)
            os.close(writing)
            asks.join(PATIENCE)
        serves.join(PATIENCE)
    store.close()
    os.close(reading)
    (answer,) = answers
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "ends before there is an answer" in answer.json()["detail"]
