"""How much may one connection take, and for how long, before it has asked anything?

A head is bounded in size and in headers, head and body have to come in time, and nobody holds more connections than
their share. What a request that is complete may do is bounded in `shielding`.
"""

from __future__ import annotations

import asyncio
import resource
import weakref
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import ClassVar, Literal, cast

from fastapi import FastAPI
from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from reconciler.api import problems
from reconciler.api.in_turn import GONE
from reconciler.api.shielding import UNCOUNTED, said

LARGEST_HEAD, LARGEST_ADDRESS, MOST_HEADERS = 32 << 10, 16 << 10, 100
"""Bytes of a request line with its headers, of the address in it, and how many headers there may be."""
HEAD_WITHIN, BODY_WITHIN = 10.0, 30.0
"""Seconds in which a head and a body are to come."""
MOST_OF_ONE = 512
"""Connections that one address may hold open, where the settings do not say it. A proxy in front is one address."""
KEPT_BACK, KEPT_BACK_WITHIN = 4, 2.0
"""Connections beyond that share, on which is answered only how this process fares, and seconds in which to ask: whoever
watches over it, such as a health check beside a proxy, is never told that it is dead because others are many."""
KEPT_FREE = 256
"""Open files that are left to everything else in this process."""
_LINGERS, _THROWN_AWAY = 1.0, 2 << 20
"""Seconds in which what still comes is thrown away, and bytes of it, so that whoever sends it reads why."""


def most_of_all() -> int:
    """How many connections may be open together: fewer than this process may have files."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(64, files - KEPT_FREE) if files != resource.RLIM_INFINITY else 1 << 16


class Open:
    """The connections that are open, by the address that holds them."""

    def __init__(self, most: int, most_of_one: int = MOST_OF_ONE) -> None:
        self._most, self.most_of_one = most, most_of_one
        self._held: Counter[str] = Counter()
        self._all = 0

    def enter(self, address: str) -> bool:
        """Count one more; whether it may stay."""
        self._held[address] += 1
        self._all += 1
        return self.has_room(address)

    def has_room(self, address: str, beyond: int = 0) -> bool:
        """Whether an address, and all of them together, hold at most so many beyond what they may."""
        return self._held[address] <= self.most_of_one + beyond and self._all <= self._most + beyond

    def leave(self, address: str) -> None:
        """One has ended."""
        self._held[address] -= 1
        self._all -= 1
        if not self._held[address]:
            del self._held[address]


def bounded(most_of_one: int, application: FastAPI | None = None) -> type[Bounded]:
    """HTTP within these bounds, with so many connections for each address; `application` has the pages."""
    those = {"opened": Open(most_of_all(), most_of_one), "application": application}
    found: type[Bounded] = type("Bounded", (Bounded,), those)
    return found


class _TooMuchError(Exception):
    """Stops the parser; what is wrong has been noted."""


class Bounded(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, within bounds. Before a request is handed on there is nobody who could refuse it, so
    refusals are written here, as the problem documents that they are, or as pages."""

    opened = Open(most_of_all())
    application: ClassVar[FastAPI | None] = None
    within: ClassVar[dict[str, float]] = {"head": HEAD_WITHIN, "body": BODY_WITHIN}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._fed = self._head = self._messages = 0
        self._waits: Literal["head", "body", ""] = "head"
        self._timed = (0, "")
        self._refused = False
        self._wrong: Response | None = None
        self._ends: asyncio.TimerHandle | None = None
        self._address = self.client[0] if self.client else ""
        self._kept_back = not self.opened.enter(self._address)
        if not self._kept_back or self.opened.has_room(self._address, KEPT_BACK):
            self._look_after()
        else:
            self._refuse(_busy(self.opened.most_of_one), lingers=0)

    def connection_lost(self, exc: Exception | None) -> None:
        self.opened.leave(self._address)
        self._end_after(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        # What the parser keeps to itself: bytes of which nothing has come out yet.
        self._fed += len(data)
        if self._refused:
            if self._fed > _THROWN_AWAY:
                self.transport.close()
            return
        super().data_received(data)
        self._look_after()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head, self._waits = 0, "head"
        self._messages += 1

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > LARGEST_ADDRESS:
            self._stop(_LONG)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        if self._waits == "head":  # what comes after a body is no header of it
            super().on_header(name, value)
            if len(self.headers) > MOST_HEADERS:
                self._stop(_LARGE)

    def on_headers_complete(self) -> None:
        self._fed, self._waits = 0, "body"
        if self._kept_back and self.url.partition(b"?")[0].decode("latin-1") not in UNCOUNTED:
            self._stop(_busy(self.opened.most_of_one))
        super().on_headers_complete()
        if (cycle := self.cycle) is not None:
            if self._kept_back:
                cycle.keep_alive = False
            asked = weakref.ref(cycle)  # its scope must not hold it
            cast("dict[str, object]", cycle.scope)[GONE] = lambda: (one := asked()) is None or one.disconnected

    def on_body(self, body: bytes) -> None:
        self._fed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._fed, self._waits = 0, ""
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words say less
        self._refuse(self._wrong or _NONSENSE)

    def _count(self, more: int) -> None:
        self._head += more
        if self._head > LARGEST_HEAD:
            self._stop(_LARGE)

    def _stop(self, wrong: Response) -> None:
        self._wrong = wrong
        raise _TooMuchError

    def _look_after(self) -> None:
        """Refuse what has grown too large; start the clock anew where something else is waited for than before."""
        if self._refused:
            return
        if self._fed > LARGEST_HEAD:
            self._refuse(_LARGE)
            return
        waits = self._waits
        if not waits and self._fed and self._under_way() is None:
            waits = "head"  # empty lines, with which no head begins yet
        if (self._messages, waits) == self._timed:
            return
        self._timed = (self._messages, waits)
        if waits and self._kept_back:
            self._end_after(KEPT_BACK_WITHIN)
        else:
            self._end_after(self.within[waits] if waits else None)

    def _end_after(self, seconds: float | None, end: Callable[[], None] | None = None) -> None:
        if self._ends is not None:
            self._ends.cancel()
        self._ends = self.loop.call_later(seconds, end or self._late) if seconds is not None else None

    def _late(self) -> None:
        never_asked = not self._messages and not self._fed  # as browsers do, in case they want to
        if self._kept_back:
            self._refuse(_busy(self.opened.most_of_one))
        elif never_asked:
            self.transport.close()
        else:
            self._refuse(_SLOW)

    def _under_way(self) -> RequestResponseCycle | None:
        """The request that is being answered."""
        found = cast("RequestResponseCycle | None", self.cycle)
        return found if found is not None and not found.response_complete else None

    def _refuse(self, wrong: Response, lingers: float = _LINGERS) -> None:
        """Say why, and hear no more of it. Into an answer that has begun nothing can be said."""
        self._refused = True
        under_way = self._under_way()
        if self._kept_back:
            lingers = 0  # there are few: they are free again at once
        if self.transport.is_closing() or (under_way is not None and under_way.response_started):
            lingers = 0
        else:
            self.transport.write(_written(self._as_asked(wrong)))
            self.transport.write_eof()
        if under_way is not None:
            under_way.disconnected = True
            under_way.message_event.set()
        self._end_after(lingers, self.transport.close)

    def _as_asked(self, wrong: Response) -> Response:
        """As a page, where what has come of the request says that a browser asks for one."""
        if self.application is None or not self.headers:
            return wrong
        path = self.url.partition(b"?")[0].decode("latin-1")
        method = self.parser.get_method().decode("latin-1")
        asked = {"type": "http", "app": self.application, "method": method, "path": path, "headers": self.headers}
        return problems.at_once(asked, wrong)


def _written(wrong: Response) -> bytes:
    status = HTTPStatus(wrong.status_code)
    headers = [*wrong.raw_headers, *said(""), (b"connection", b"close")]
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode(), *(name + b": " + value for name, value in headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + bytes(wrong.body)


_NONSENSE = problems.response(
    HTTPStatus.BAD_REQUEST, "this is no request of HTTP/1.1", "send one; with https:// ask the proxy in front"
)
_LARGE = problems.response(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    f"there are more than {MOST_HEADERS} headers, or they take more than {LARGEST_HEAD} bytes",
    "send fewer headers; in a browser, remove the cookies of this host",
    details={"limit": LARGEST_HEAD, "headers": MOST_HEADERS},
)
_LONG = problems.response(
    HTTPStatus.REQUEST_URI_TOO_LONG,
    f"the address is longer than {LARGEST_ADDRESS} bytes",
    "ask for less at once",
    details={"limit": LARGEST_ADDRESS},
)
_SLOW = problems.response(
    HTTPStatus.REQUEST_TIMEOUT,
    f"the request did not come within {HEAD_WITHIN:.0f} s, or its body within {BODY_WITHIN:.0f} s",
    "send it again, all at once",
)


def _busy(most: int) -> Response:
    return problems.response(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "too many connections are open",
        f"close some, or raise api.connections: one address may hold {most}",
        details={"limit": most},
        retry_after=5.0,
    )
