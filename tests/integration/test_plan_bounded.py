"""Does a plan far into the future hold nobody up: is it bounded, given up in time, and are others told when to ask?"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from reconciler import facing, schedule
from reconciler.api import waiting
from reconciler.api.connections import bounded
from reconciler.api.problems import Refused
from reconciler.api.routes import plan
from reconciler.api.waiting import OneAtATime
from reconciler.config import SETTINGS
from reconciler.engine.foreseeing import foresee
from reconciler.git.mirror import Mirror
from reconciler.model.shown import PlanShown
from reconciler.store.database import Database
from tests.http_asking import Face, described, face, served
from tests.world import World

PATIENCE = 30.0
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "http.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("bounded")).begun()


@pytest.fixture
def asked(world: World) -> Iterator[Face]:
    with face(world) as found:
        yield found


class Endless:
    """A plan that takes until it is ended, by what is called meanwhile or by `over`."""

    def __init__(self) -> None:
        self.begun, self.over, self.ended = threading.Event(), threading.Event(), threading.Event()

    def __call__(
        self,
        _store: Database,
        _mirror: Mirror,
        _root: str,
        at: datetime,
        _until: datetime | None,
        meanwhile: Callable[[], None],
    ) -> tuple[PlanShown, None]:
        self.begun.set()
        try:
            while not self.over.wait(0.01):
                meanwhile()
        finally:
            self.ended.set()
        return PlanShown(commit=None, at=at, actions=(), waiting=(), refused=(), wake_at=None), None


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endless]:
    found = Endless()
    monkeypatch.setattr(facing, "foresee", found)
    yield found
    found.over.set()


@pytest.mark.parametrize("address", ["/plan?until=36525d", "/plan?until=367d", "/plan?at=2d&until=369d"])
def test_it_goes_no_further_than_a_year(asked: Face, address: str) -> None:
    said = asked.refused(address)
    assert said["status"] == 422
    assert (said["details"]["limit"], said["details"]["days"] > 366) == (366, True)
    assert said["details"]["latest"] in said["detail"]
    assert "reconciler plan --until" in said["next_step"]
    assert asked.get(address.replace("=369d", "=368d").replace("=367d", "=366d").replace("36525", "366")).is_success


def test_one_that_takes_long_is_given_up(asked: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "LONGEST", 0.0)
    answer = asked.get("/plan?until=30d")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) == plan.AGAIN_AFTER == answer.json()["retry_after"]
    assert "is not made any further" in answer.json()["detail"]
    monkeypatch.undo()
    assert asked.get("/plan?until=30d").is_success, "and nobody stands in its way"


def test_a_rehearsal_ends_with_what_is_raised_meanwhile(world: World) -> None:
    store = Database(world.settings["state"]["url"])
    steps = 0

    def third() -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            raise Refused(503, "enough")

    try:
        with pytest.raises(Refused, match="enough"):
            foresee(store, facing._mirror(SETTINGS.validate_python(world.settings)), ".", world.now, None, third)
    finally:
        store.close()
    assert steps == 3


def test_whoever_asks_meanwhile_is_told_when_to_ask_again(asked: Face, endless: Endless) -> None:
    first = threading.Thread(target=asked.get, args=("/plan?until=30d",))
    first.start()
    assert endless.begun.wait(PATIENCE)
    begun = time.monotonic()
    answer = asked.get("/plan?until=29d")
    took = time.monotonic() - begun
    assert (answer.status_code, 2 < took < 6) == (503, True)
    assert int(answer.headers["retry-after"]) == waiting.AGAIN_AFTER
    assert "somebody else" in answer.json()["detail"]
    assert asked.get("/healthz").is_success
    endless.over.set()
    first.join(PATIENCE)
    assert asked.get("/plan?until=29d").is_success


def test_those_who_ask_the_same_wait_no_longer_than_the_first(
    asked: Face, endless: Endless, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "LONGEST", 1.0)
    took: list[tuple[int, float]] = []
    assert asked.get("/apps").is_success  # once the store is open, the same is made only once

    def asks() -> None:
        begun = time.monotonic()
        status = asked.get("/plan?until=30d").status_code
        took.append((status, time.monotonic() - begun))

    several = [threading.Thread(target=asks) for _ in range(3)]
    for one in several:
        one.start()
    for one in several:
        one.join(PATIENCE)
    assert [status for status, _ in took] == [503] * 3
    assert max(seconds for _, seconds in took) < 1.9, took


def test_those_who_wait_are_few() -> None:
    alone, held = OneAtATime("a plan", within=PATIENCE), threading.Event()
    done: list[str] = []

    def asks() -> None:
        with alone.turn():
            done.append("made")
            held.wait(PATIENCE)

    several = [threading.Thread(target=asks) for _ in range(waiting.MOST + 1)]
    for one in several:
        one.start()
    deadline = time.monotonic() + PATIENCE
    refused = False
    while not refused and time.monotonic() < deadline:
        # Until all of them stand in line nobody is sent away; then at once.
        begun = time.monotonic()
        if alone._waiting._value == 0:
            with pytest.raises(Refused, match="one is made at a time"), alone.turn():
                pass
            refused = time.monotonic() - begun < 1
    held.set()
    for one in several:
        one.join(PATIENCE)
    assert (refused, done) == (True, ["made"] * (waiting.MOST + 1))


def test_one_that_nobody_waits_for_any_more_is_ended(world: World, endless: Endless) -> None:
    made = served(world).made
    config = uvicorn.Config(made, http=bounded(16), ws="none", lifespan="on", log_config=None)
    server = uvicorn.Server(config)
    made.state.watch.stopping = lambda: server.should_exit
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with socket.create_connection(listening.getsockname(), timeout=PATIENCE) as asking:
                asking.sendall(b"GET /plan?until=30d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                assert endless.begun.wait(PATIENCE)
                assert not endless.ended.wait(0.3), "as long as somebody waits it goes on"
            assert endless.ended.wait(5), "it was ended as soon as they had hung up"
        finally:
            endless.over.set()
            server.should_exit = True
            thread.join(PATIENCE)


def test_the_bounds_are_told() -> None:
    section: Any = PAGE.partition("### GET /plan\n")[2].partition("\n#")[0]
    told: str = described()["paths"]["/plan"]["get"]["description"]
    for text in (section, told):
        assert f"{plan.FARTHEST.days} days" in text
        assert f"{plan.LONGEST:.0f} s" in text
    assert f"{facing.PLAN_WITHIN:.0f} s" in section


def test_where_so_much_happens_that_it_ends_earlier_it_says_when(
    asked: Face, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(_store: Database, _mirror: Mirror, _root: str, at: datetime, *_more: object) -> tuple[PlanShown, datetime]:
        whole = PlanShown(commit=None, at=at, actions=(), waiting=(), refused=(), wake_at=None)
        return whole, at + timedelta(days=3)

    assert "reconciler-left-out" not in asked.get("/plan?until=20d").headers
    monkeypatch.setattr(facing, "foresee", cut)
    said = asked.get("/plan?until=21d").headers["reconciler-left-out"]
    assert schedule.rfc3339(world.now + timedelta(days=3)) in said
