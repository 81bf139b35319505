"""Is the same answer made once for all who ask at the same time, never of an older state than they may expect, and do
those who wait for it keep nobody else from being answered?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from reconciler.api.again import Again
from reconciler.api.context import Context
from reconciler.api.in_turn import AT_ONCE, InTurn
from tests import looping


@dataclass
class Store:
    """Which state there is, and the clock: what `Again` asks of its context."""

    state: int = 1

    def version(self) -> int:
        return self.state

    def now(self) -> datetime:
        return datetime(2026, 6, 1, tzinfo=UTC)


@dataclass
class Pages:
    """An application whose answers tell of which state they were made, each as soon as it is let go."""

    store: Store
    made: list[str] = field(default_factory=list)
    let_go: dict[str, asyncio.Event] = field(default_factory=dict)
    status: int = 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        said = f"{scope['path']} of {self.store.state}"
        self.made.append(said)
        await self.gate(said).wait()
        await Response(said, self.status, headers={"ETag": f'"{said}"'})(scope, receive, send)

    def gate(self, said: str) -> asyncio.Event:
        return self.let_go.setdefault(said, asyncio.Event())


async def asked(again: Again, path: str, method: str = "GET") -> str:
    """The body of an answer."""
    found = b""

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal found
        found += message.get("body", b"")

    scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
    await again(scope, receive, send)
    return found.decode()


def of(what: Callable[[Store, Pages, Again], Awaitable[None]], *, in_turn: bool = False) -> None:
    store = Store()
    pages = Pages(store)
    looping.run(what(store, pages, Again(InTurn(pages) if in_turn else pages, cast(Context, store))))  # type: ignore[arg-type]


async def settled() -> None:
    """Everybody has come as far as they come by themselves."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_what_many_ask_is_made_once() -> None:
    async def what(store: Store, pages: Pages, again: Again) -> None:
        several = [asyncio.create_task(asked(again, "/one")) for _ in range(9)]
        await settled()
        pages.gate("/one of 1").set()
        assert set(await asyncio.gather(*several)) == {"/one of 1"}
        assert pages.made == ["/one of 1"]

    of(what)


def test_who_comes_after_something_was_written_is_told_of_it_and_it_is_made_once() -> None:
    async def what(store: Store, pages: Pages, again: Again) -> None:
        first = asyncio.create_task(asked(again, "/one"))
        await settled()
        store.state = 2
        later = [asyncio.create_task(asked(again, "/one")) for _ in range(9)]
        await settled()
        assert pages.made == ["/one of 1"], "the same is not made twice at the same time"
        pages.gate("/one of 1").set()
        await settled()
        assert pages.made == ["/one of 1", "/one of 2"]
        store.state = 3  # whoever waits may be told of 2: it was begun after they came
        last = asyncio.create_task(asked(again, "/one"))
        await settled()
        pages.gate("/one of 2").set()
        pages.gate("/one of 3").set()
        assert await first == "/one of 1"
        assert set(await asyncio.gather(*later)) == {"/one of 2"}
        assert await last == "/one of 3"
        assert pages.made == ["/one of 1", "/one of 2", "/one of 3"]

    of(what)


def test_where_whoever_was_first_has_hung_up_the_next_one_makes_it() -> None:
    async def what(store: Store, pages: Pages, again: Again) -> None:
        first = asyncio.create_task(asked(again, "/one"))
        await settled()
        several = [asyncio.create_task(asked(again, "/one")) for _ in range(9)]
        await settled()
        first.cancel()
        await settled()
        pages.gate("/one of 1").set()
        assert set(await asyncio.gather(*several)) == {"/one of 1"}
        assert pages.made == ["/one of 1"] * 2

    of(what)


def test_what_may_not_be_told_to_others_is_made_for_each_at_once() -> None:
    async def what(store: Store, pages: Pages, again: Again) -> None:
        pages.status = 404
        several = [asyncio.create_task(asked(again, "/one")) for _ in range(3)]
        await settled()
        pages.gate("/one of 1").set()
        assert await asyncio.gather(*several) == ["/one of 1"] * 3
        assert pages.made == ["/one of 1"] * 3

    of(what)


def test_those_who_wait_for_another_one_s_answer_take_nobody_s_turn() -> None:
    async def what(store: Store, pages: Pages, again: Again) -> None:
        several = [asyncio.create_task(asked(again, "/one")) for _ in range(9 * AT_ONCE)]
        await settled()
        other = asyncio.create_task(asked(again, "/other"))
        await settled()
        pages.gate("/other of 1").set()
        await settled()
        assert other.done()
        pages.gate("/one of 1").set()
        await asyncio.gather(*several)
        assert pages.made == ["/one of 1", "/other of 1"]

    of(what, in_turn=True)


def test_no_more_than_a_few_answers_are_made_at_the_same_time() -> None:
    async def what(store: Store, pages: Pages, again: Again) -> None:
        several = [asyncio.create_task(asked(again, f"/{number}")) for number in range(AT_ONCE + 2)]
        await settled()
        assert len(pages.made) == AT_ONCE
        for number in range(AT_ONCE + 2):
            pages.gate(f"/{number} of 1").set()
        await asyncio.gather(*several)
        assert len(pages.made) == AT_ONCE + 2

    of(what, in_turn=True)
