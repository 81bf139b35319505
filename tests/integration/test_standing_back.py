"""Do answers wait for reconciling, and for a moment only; and does nobody wait for those who stand in line?"""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from reconciler.api.connections import bounded
from reconciler.api.in_turn import InTurn
from reconciler.api.standing_back import LONGEST, GivingWay, StandingBack
from reconciler.store.database import Database
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

    made = Starlette(routes=[Route("/", left), Route("/stay", stay), Route("/healthz", left)])
    made.add_middleware(InTurn)
    made.add_middleware(StandingBack, busy=busy)
    with TestClient(made) as found:
        yield found


def test_an_answer_waits_until_reconciling_has_ended(busy: Busy, client: TestClient) -> None:
    busy.say()
    assert client.get("/").json() == 0


def test_who_watches_over_the_process_waits_for_nothing(busy: Busy, client: TestClient) -> None:
    told.clear()
    staying.clear()
    with ThreadPoolExecutor(4) as threads:
        others = [threads.submit(client.get, "/stay") for _ in range(2)]
        until(lambda: len(staying) == 2)

        def told_at_once() -> bool:
            busy.say()
            return bool(client.get("/healthz").json() > 0)

        assert seen(told_at_once)
        told.set()
        assert [one.result(60).json() for one in others] == ["at last"] * 2


def seen(attempt: Callable[[], bool]) -> bool:
    """Does it hold in one of some attempts? A machine that stands still for a while lets a moment pass unused."""
    return any(attempt() for _ in range(20))


@contextmanager
def going_on(busy: Busy) -> Iterator[None]:
    """Reconciling is at work without a rest."""
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            busy.say()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        until(busy.left)
        yield
    finally:
        over.set()
        thread.join()


def test_an_answer_is_given_though_reconciling_goes_on(busy: Busy, client: TestClient) -> None:
    with going_on(busy):
        assert seen(lambda: client.get("/").json() > 0)


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


def test_an_answer_that_is_being_made_waits_between_two_questions(busy: Busy, tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path}/store.db")
    try:
        with store.read(GivingWay(busy)) as connection:
            busy.say()
            connection.execute(text("SELECT 1"))
            assert busy.left() == 0
        with store.write() as transaction:  # others wait for it: it waits for nobody

            def goes_on() -> bool:
                busy.say()
                transaction.connection.execute(text("SELECT 1"))
                return busy.left() > 0

            assert seen(goes_on)
    finally:
        store.close()


def test_answers_that_are_being_made_stand_still_only_when_reconciling_begins(busy: Busy) -> None:
    gives_way = GivingWay(busy)

    def stood_still_at_first() -> bool:
        until(lambda: not busy.left())
        with going_on(busy):
            for _ in range(1_000):
                gives_way()
            return busy.left() > 0 and busy.lasted() >= LONGEST

    assert seen(stood_still_at_first)


def test_nobody_is_answered_who_has_hung_up_meanwhile(busy: Busy) -> None:
    asked, answered = list[str](), list[str]()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        answered.append(scope["path"])
        await PlainTextResponse("here")(scope, receive, send)

    standing = StandingBack(InTurn(answer), busy)

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await standing(scope, receive, send)

    config = uvicorn.Config(noting, http=bounded(8), ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        serving.start()
        try:
            until(lambda: server.started)
            for _ in range(20):  # a machine that stands still may let the moment pass
                asked.clear()
                answered.clear()
                port = listening.getsockname()[1]
                busy.say()
                with socket.create_connection(("127.0.0.1", port)) as hasty:
                    hasty.sendall(b"GET /hasty HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                    until(lambda: "/hasty" in asked)
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/patient") as found:
                    assert found.read() == b"here"
                if answered == ["/patient"]:
                    break
        finally:
            server.should_exit = True
            serving.join()
    assert answered == ["/patient"]
