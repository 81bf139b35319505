"""Has this very question been answered a moment ago, and is nothing new since?

Then the bytes that were sent are sent again, without a look at what they were made of; and while one reader waits for
an answer, others who ask the same wait for it too: the same is never made twice at the same time. It holds within one
second, and in SQLite only as long as nobody has committed anything; on another database nothing is kept here. What was
given before that is asked about by its tag, as a reader would who has it, and given again where it is still the same.
Answers to nobody in particular alone, and of those the ones that have a tag: what a tag does not cover is asked for
anew.

Such answers leave packed for whoever takes them so. What is told to somebody who signed in is not packed: how well it
packs would tell others what stands in it.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.api.access import COOKIE
from reconciler.api.context import Context
from reconciler.api.lately import Lately
from reconciler.api.shielding import OF_BODIES

LEAST, LEVEL, MUCH = 1_000, 5, 100_000
"""Bytes below which nothing is packed, how hard it is tried, and bytes above which a thread does it."""
MOST_BYTES, EACH = 24 << 20, 3_000
"""What the answers that are kept may take together, and what each takes about besides its body."""
_PACKABLE = (b"text/", b"application/json", b"application/problem+json", b"image/svg+xml")
SINCE = "reconciler.since"
"""Under which a request's scope says since when somebody waits for its answer, in seconds of the monotonic clock."""
_COOKIE = COOKIE.encode()
Key = tuple[object, ...]
State = tuple[int, datetime]
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Given:
    """An answer, as it is sent. `state` is what it was made of; None where it may not be given again."""

    state: State | None
    tag: bytes
    headers: Headers
    body: bytes

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return len(self.body) + EACH

    async def send(self, known: bytes, send: Send) -> None:
        """Send it; less where the reader has it."""
        tag = self.tag.removeprefix(b"W/")
        has = tag in {one.strip().removeprefix(b"W/") for one in known.split(b",")}
        headers = [one for one in self.headers if one[0] not in OF_BODIES] if has else self.headers
        await send({"type": "http.response.start", "status": 304 if has else 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if has else self.body})


class Again:
    """Around the application itself; names of hosts and rates have been looked at."""

    def __init__(self, application: ASGIApp, context: Context) -> None:
        self._application, self._context = application, context
        self._held: Lately[Key, Given] = Lately(lambda one: one.size, MOST_BYTES, part=1)
        self._making: dict[Key, tuple[State, asyncio.Future[Given | None]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = _asked(scope)
        if asked is None:
            await self._application(scope, receive, send)
            return
        packed = _takes_gzip(asked.get(b"accept-encoding", b""))
        words = (asked.get(name, b"") for name in (b"host", b"accept", b"cookie"))
        key = (scope["path"], scope["query_string"], packed, *words)
        state, known = self._state(), asked.get(b"if-none-match", b"")
        if state is None:
            await self._make(scope, receive, send, state, packed)
            return
        held = self._held.get(key)
        if held is not None and held.state == state:
            await held.send(known, send)
            return
        scope = {**scope, SINCE: time.monotonic()}
        since = False  # whether what is being made was begun since this was asked
        while (making := self._making.get(key)) is not None:
            of, answer = making
            await asyncio.wait((answer,))
            if not answer.cancelled() and (since or of == state):
                if (found := answer.result()) is None:
                    break
                await found.send(known, send)
                return
            since = True
        await self._lead(scope, receive, send, key, packed)

    async def _lead(self, scope: Scope, receive: Receive, send: Send, key: Key, packed: bool) -> None:
        """Make it, for all who ask meanwhile."""
        state = self._state()
        if state is None:
            await self._make(scope, receive, send, state, packed)
            return
        answer: asyncio.Future[Given | None] = asyncio.get_running_loop().create_future()
        ours = self._making[key] = (state, answer)

        def over() -> None:
            if self._making.get(key) is ours:
                del self._making[key]

        def done(made: Given | None) -> None:
            # None: others cannot be told the same, and ask for themselves from now on; a stream may last for long.
            over()
            if not answer.done():
                answer.set_result(made)
            if made is not None:
                self._held.put(key, made)

        try:
            await self._make(scope, receive, send, state, packed, done, self._held.get(key))
        finally:
            over()
            answer.cancel()  # where nobody knows, since whoever asked has hung up: the next one makes it

    async def _make(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        state: State | None,
        packed: bool,
        done: Callable[[Given | None], None] = lambda _made: None,
        held: Given | None = None,
    ) -> None:
        """Ask the application, and send what it answers. `done` is told what can be given again, before it is
        sent, or None as soon as nothing can. `held` was given before: perhaps it is still the same."""
        begun: Message | None = None
        same: Given | None = None
        known = dict(scope["headers"]).get(b"if-none-match", b"")
        if held is not None:
            others = [one for one in scope["headers"] if one[0] != b"if-none-match"]
            scope = {**scope, "headers": [*others, (b"if-none-match", held.tag.removeprefix(b"W/"))]}

        async def catch(message: Message) -> None:
            nonlocal begun, same
            if same is not None:
                return  # it has been sent: what is left has no body
            if held is not None and message["type"] == "http.response.start" and message["status"] == 304:
                same = replace(held, state=state)
                done(same)
                await same.send(known, send)
                return
            if message["type"] == "http.response.start":
                headers = _weakened(message["headers"]) if packed else message["headers"]
                message = {**message, "headers": headers}
            if message["type"] == "http.response.start" and _is_for_all(message):
                begun = message
            elif message["type"] == "http.response.start":
                done(None)
                await send(message)
            elif begun is not None and message.get("more_body", False):  # a stream, or a file
                first, begun = begun, None
                done(None)
                await send(first)
                await send(message)
            elif begun is not None:
                made = await _given(begun["headers"], message.get("body", b""), state, packed)
                begun = None
                done(made)
                await made.send(known, send)
            else:
                await send(message)

        await self._application(scope, receive, catch)

    def _state(self) -> State | None:
        try:
            version = self._context.version()
            return None if version is None else (version, self._context.now().replace(microsecond=0))
        except Exception:  # noqa: BLE001 - nothing fails by this: whoever is asked in earnest says what is wrong
            return None


def _asked(scope: Scope) -> dict[bytes, bytes] | None:
    """The headers of a request whose answer depends on nobody; None for any other."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    headers = dict(scope["headers"])
    names = len(headers) == len(scope["headers"])  # what is said twice is for others to read
    known = b"authorization" in headers or _COOKIE in headers.get(b"cookie", b"")
    return headers if names and not known else None


def _tag(headers: Headers) -> bytes:
    return next((value for name, value in headers if name == b"etag"), b"")


def _is_for_all(begun: Message) -> bool:
    """Whether others may be told the same: it was found, it follows from what has a tag, and gives nobody a cookie."""
    names = {name for name, _ in begun["headers"]}
    return begun["status"] == 200 and b"etag" in names and b"set-cookie" not in names


def _weakened(headers: Headers) -> Headers:
    """With a tag that says no more than that two answers mean the same: packed, they are other bytes."""
    return [(name, b"W/" + value if name == b"etag" and value[:2] != b"W/" else value) for name, value in headers]


def _takes_gzip(accepted: bytes) -> bool:
    """Whether gzip is among the codings, and not as one that is refused."""
    for one in accepted.lower().split(b","):
        name, _, quality = one.partition(b";")
        if name.strip() in (b"gzip", b"*"):
            return quality.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return False


async def _given(headers: Headers, body: bytes, state: State | None, packed: bool) -> Given:
    tag, found = _tag(headers), dict(headers)
    if len(body) >= LEAST and found.get(b"content-type", b"").startswith(_PACKABLE):
        headers = [*(one for one in headers if one[0] != b"vary"), (b"vary", _varies(found.get(b"vary", b"")))]
        if packed:
            body = await run_in_threadpool(_pack, body) if len(body) > MUCH else _pack(body)
            headers = [one for one in headers if one[0] != b"content-length"]
            headers += [(b"content-length", str(len(body)).encode()), (b"content-encoding", b"gzip")]
    return Given(state, tag, headers, body)


def _varies(written: bytes) -> bytes:
    return b", ".join(filter(None, (written, b"Accept-Encoding")))


def _pack(body: bytes) -> bytes:
    return gzip.compress(body, LEVEL, mtime=0)
