"""How does a page that is open learn what has changed?

By a stream of server-sent events. The store is looked at a few times a second, once for all who are listening; when
something is new, the page is made again as if it were asked for, and what became of its parts is sent: `{id, html}`.
Nothing depends on having been told: whoever reconnects is brought up to date.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic_core import to_json
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from reconciler import telemetry
from reconciler.api.access import Actor
from reconciler.api.context import Context
from reconciler.api.dashboard import keeping
from reconciler.api.dashboard.rendering import Page, rendered
from reconciler.errors import ReconcilerError
from reconciler.store import stamps

log = telemetry.logger("api")
LOOK = 0.2
"""Seconds between two looks at the store."""
MINUTE = 60.0
"""Seconds after which ages are told anew."""
LASTS = 900.0
"""Seconds after which a stream ends, so that whoever listens shows again who they are."""
_AGES = re.compile(r"<time[^>]*>[^<]*</time>")
Parts = dict[str, str]
Make = Callable[[Connection], Page]


@dataclass(slots=True)
class Watch:
    """Looks at the store for all streams."""

    context: Context
    stopping: Callable[[], bool] = lambda: False
    """Whether this process is to end."""
    seen: str = ""
    """What the store was at with the last look; '' before the first."""
    _listening: int = 0
    _turn: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once, when there is something new; then another one stands here."""
    _task: asyncio.Task[None] | None = None
    _made: OrderedDict[tuple[str, str], Parts] = field(default_factory=OrderedDict)

    async def __aenter__(self) -> Watch:
        self._listening += 1
        if self._task is None or self._task.done():
            self.seen = ""  # while nobody listened, nobody looked
            self._task = asyncio.create_task(self._go_on())
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._listening -= 1
        if self._listening == 0 and self._task is not None:
            self._task.cancel()
            self._task = None

    async def next(self, seen: str, seconds: float) -> str:
        """What the store is at, as soon as that is something else than `seen`, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.seen == seen and not self.stopping():
                    await self._turn.wait()
        return self.seen

    async def parts(self, page: str, seen: str, make: Callable[[], Parts]) -> Parts:
        """The parts of a page: made once for all who look at the same one."""
        found = self._made.get((page, seen))
        if found is None:
            found = self._made[page, seen] = await run_in_threadpool(make)
            while len(self._made) > 100:
                self._made.popitem(last=False)
        return found

    def _look(self) -> str:
        with self.context.read() as connection:
            return repr(stamps.stamp(connection).seen)

    async def _go_on(self) -> None:
        while True:
            seen = self.seen
            # Where the store does not answer, the page itself tells it, once somebody asks for it; and whatever went
            # wrong with this look, all who listen depend on the next one.
            with suppress(Exception):
                seen = await run_in_threadpool(self._look)
            if seen != self.seen or self.stopping():
                self.seen = seen
                turn, self._turn = self._turn, asyncio.Event()
                turn.set()
            await asyncio.sleep(LOOK)


def stream(request: Request, context: Context, actor: Actor, make: Make, *, keeps: bool = False) -> Response:
    """Tells a page what became of its parts. Pages of one address look different to different people: their forms
    hold the word of a session. `keeps`: whether `make` is as `keeping` wants it."""
    watch: Watch = request.app.state.watch
    address = f"{actor.name}\n{actor.word}\n{request.url.path}?{request.url.query}"

    def parts() -> Parts:
        if keeps:
            return keeping.parts(request, context, actor, make)
        with context.read() as connection:
            return rendered(request, context, make(connection)).parts

    async def events() -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        ends = loop.time() + LASTS
        sent: Parts = {}
        yield b"retry: 1000\n\n"
        async with watch:
            seen, first = await watch.next("", MINUTE), True
            while loop.time() < ends and not watch.stopping():
                if not seen:
                    yield b": the store does not answer\n\n"
                    seen = await watch.next("", MINUTE)
                    continue
                minute = int(loop.time() // MINUTE)
                try:
                    found = await watch.parts(f"{address}\n{minute}", seen, parts)
                except ReconcilerError:
                    return  # whoever listens asks again, and is told there why: into what has begun nothing can be said
                for name, html in found.items():
                    if sent.get(name) != html:
                        quiet = first or _AGES.sub("", sent.get(name, "")) == _AGES.sub("", html)
                        yield b"data: " + to_json({"id": name, "html": html, "quiet": quiet}) + b"\n\n"
                sent, first = found, False
                now = await watch.next(seen, MINUTE - loop.time() % MINUTE + 0.01)
                if now == seen:
                    yield b": still here\n\n"
                seen = now

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events(), media_type="text/event-stream", headers=headers)
