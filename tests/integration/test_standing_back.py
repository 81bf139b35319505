"""Do answers wait for reconciling, and for a moment only?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from reconciler.api.standing_back import StandingBack
from reconciler.telemetry.busy import Busy, shared
from tests.waiting import until


@pytest.fixture
def busy() -> Iterator[Busy]:
    with shared() as made:
        assert made is not None
        yield made


staying: list[None] = []
told = threading.Event()


@pytest.fixture
def client(busy: Busy) -> Iterator[TestClient]:
    """A face that tells for how long reconciling is still at work when it answers."""

    def left(request: Request) -> JSONResponse:
        return JSONResponse(busy.left())

    def stay(request: Request) -> JSONResponse:
        staying.append(None)
        told.wait(60)
        return JSONResponse("at last")

    made = Starlette(routes=[Route("/", left), Route("/stay", stay)])
    made.add_middleware(StandingBack, busy=busy)
    with TestClient(made) as found:
        yield found


def test_an_answer_waits_until_reconciling_has_ended(busy: Busy, client: TestClient) -> None:
    busy.say()
    assert client.get("/").json() == 0


def test_an_answer_is_given_though_reconciling_goes_on(busy: Busy, client: TestClient) -> None:
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            busy.say()

    going_on = threading.Thread(target=go_on)
    going_on.start()
    try:
        assert client.get("/").json() > 0
    finally:
        over.set()
        going_on.join()


def test_answers_that_take_long_let_others_by(client: TestClient) -> None:
    staying.clear()
    told.clear()
    with ThreadPoolExecutor(4) as pool:
        long = [pool.submit(client.get, "/stay") for _ in range(4)]
        try:
            until(lambda: len(staying) == 4)
            assert client.get("/").status_code == 200
        finally:
            told.set()
    assert [one.result().json() for one in long] == ["at last"] * 4
