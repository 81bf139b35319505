"""Do all who look at a page at the same time hear what changes, however many come and go?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI

from reconciler.api.dashboard import live
from tests import looping
from tests.http_asking import Face, face
from tests.world import World

PATIENCE = 60.0


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("streams")).begun()


@pytest.fixture
def asked(world: World) -> Iterator[Face]:
    with face(world) as found:
        assert found.get("/status").status_code == 200  # from now on it is known whether anything was written
        yield found


class Listener:
    """Somebody who looks at the matrix, as a server hands them on."""

    def __init__(self, made: FastAPI) -> None:
        self.heard = b""
        self._news, self._gone = asyncio.Condition(), asyncio.Event()
        self._task = asyncio.create_task(made(self._scope(), self._receive, self._send))

    def _scope(self) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/ui/live/matrix",
            "raw_path": b"/ui/live/matrix",
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1"), (b"accept", b"text/event-stream")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8080),
        }

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        async with self._news:
            self.heard += message.get("body", b"")
            self._news.notify_all()

    async def hears(self, words: bytes) -> None:
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: words in self.heard)

    async def ended(self) -> None:
        """The stream comes to an end by itself, as an answer that is complete."""
        await asyncio.wait_for(self._task, PATIENCE)

    async def leave(self) -> None:
        self._gone.set()
        await asyncio.wait_for(self._task, PATIENCE)


@asynccontextmanager
async def quiet_loop(asked: Face) -> AsyncIterator[FastAPI]:
    """The application in this loop, in which nothing may go wrong unseen; and nobody looks when nobody listens."""
    wrong: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: wrong.append(context))
    yield asked.made
    watch = asked.made.state.watch
    assert (watch._listening, watch._task) == (0, None)
    for _ in range(3):
        await asyncio.sleep(0)
    assert wrong == []


def test_all_who_listen_to_the_same_from_the_same_moment_on_hear_it(asked: Face) -> None:
    async def run() -> None:
        async with quiet_loop(asked) as made:
            listeners = [Listener(made) for _ in range(8)]
            for one in listeners:
                await one.hears(b'"facts"')
            for one in listeners:
                await one.leave()

    looping.run(run())


def test_who_comes_first_does_not_look_twice(asked: Face) -> None:
    """Two who are the first: the store is looked at once for both."""

    async def run() -> None:
        async with quiet_loop(asked) as made:
            begun = asyncio.all_tasks()
            listeners = [Listener(made) for _ in range(8)]
            for one in listeners:
                await one.hears(b'"facts"')
            looking = [one for one in asyncio.all_tasks() - begun if "_go_on" in repr(one.get_coro())]
            assert len(looking) == 1
            for one in listeners:
                await one.leave()

    looping.run(run())


def test_those_who_stay_hear_what_is_new_while_many_come_and_go(world: World, asked: Face) -> None:
    async def run() -> None:
        async with quiet_loop(asked) as made:
            stays = [Listener(made) for _ in range(3)]
            for number in range(2, 5):
                passing = [Listener(made) for _ in range(20)]
                for place, one in enumerate(passing):
                    if place % 2:
                        await one.hears(b"retry")
                    await one.leave()
                world.commit(f"Version {number}", {"shop/index.html": str(number)})
                world.settle()
                for one in stays:
                    await one.hears(f"#{number}".encode())
            for one in stays:
                await one.leave()

    looping.run(run())


def test_who_comes_after_all_have_gone_hears_what_is_new(world: World, asked: Face) -> None:
    async def run() -> None:
        async with quiet_loop(asked) as made:
            for number in range(2, 4):
                world.commit(f"Version {number}", {"shop/index.html": str(number)})
                world.settle()
                one = Listener(made)
                await one.hears(f"#{number}".encode())
                await one.leave()

    looping.run(run())


@pytest.mark.sqlite_only("a file can be taken away")
def test_a_stream_whose_store_is_gone_when_its_page_is_made_again_ends_and_whoever_asks_anew_hears_why(
    world: World, asked: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MINUTE", 0.3)
    file = world.directory / "state" / "reconciler.db"

    async def run() -> None:
        async with quiet_loop(asked) as made:
            listener = Listener(made)
            await listener.hears(b'"facts"')
            file.rename(file.with_suffix(".away"))
            await listener.ended()

    looping.run(run())
    answer = asked.get("/ui/")
    assert (answer.status_code, "The store does not answer" in answer.text) == (503, True)
    file.with_suffix(".away").rename(file)
    assert asked.get("/ui/").status_code == 200
