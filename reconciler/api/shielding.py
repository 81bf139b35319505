"""What is done with every request before anything else, and with every answer after it?

Bodies are bounded, requests are counted, names of hosts are checked, and answers say what a browser may do with them.
Plain ASGI around the application, so that streams pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import URL
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.api import problems

LARGEST_BODY = 1 << 20
SAFE = {"GET", "HEAD", "OPTIONS"}
_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
# Swagger UI puts styles into its elements, and has pictures in its style sheet.
_POLICY_OF_DOCS = f"{_POLICY}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
OF_BODIES = (b"content-length", b"content-type", b"content-encoding")
"""Headers that an answer without a body does not have."""
UNCOUNTED = ("/healthz", "/readyz")
"""Whoever watches over this process is never told to wait: it would be taken for dead."""
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_REFERRER = b"referrer-policy"
FEED = "/calendar.ics"
"""Its address may hold a token, which leads nowhere else."""
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (_REFERRER, b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


def said(path: str) -> list[tuple[bytes, bytes]]:
    """What a browser may do with what stands at a path."""
    policy = _POLICY_OF_DOCS if path == "/docs" else _POLICY
    headers = [one if path != FEED or one[0] != _REFERRER else (_REFERRER, b"no-referrer") for one in _HEADERS]
    return [*headers, (b"content-security-policy", policy.encode())]


class Headers:
    """Says with every answer what a browser may do with it. No answer leads to this place by a name that was only
    said by whoever asks: where a proxy stands in front, it would be a wrong one."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        gone = False

        async def leave(message: Message) -> None:
            nonlocal gone
            if message["type"] == "http.response.start":
                message["headers"] = [*_here(scope, message["headers"]), *said(scope["path"])]
            try:
                if not gone:
                    await send(message)
            except (OSError, RuntimeError) as error:
                # Whoever asked has hung up: that is no fault of ours, and there is nobody to tell.
                gone = isinstance(error, OSError) or "closed" in str(error)
                if not gone:
                    raise

        await self._application(scope, receive, leave)


def _here(scope: Scope, headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """The headers, with a location in this place as a path, and without a token that the address held."""
    for name, value in headers:
        if name == b"location" and value.startswith(b"http"):
            here = str(URL(scope=scope).replace(path="", query="", fragment="")).rstrip("/").encode()
            if value.startswith(here + b"/"):
                value = b"/" + _silent(value.removeprefix(here).lstrip(b"/\\"))
        yield name, value


def _silent(address: bytes) -> bytes:
    """An address as it is repeated: others may read it there, so no `token` stays in it."""
    path, mark, query = address.partition(b"?")
    kept = b"&".join(one for one in query.split(b"&") if unquote_to_bytes(one).partition(b"=")[0].lower() != b"token")
    return path + mark + kept if kept else path


class Bodiless:
    """Asks for a body where none is to be sent: HEAD is GET without it, and so is `If-None-Match: *`, which whatever
    is there answers with 304."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reads = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        any_known = reads and _header(scope, b"if-none-match").strip() == "*"
        if not reads or (scope["method"] == "GET" and not any_known):
            await self._application(scope, receive, send)
            return
        ended = False

        async def shortened(message: Message) -> None:
            nonlocal ended
            if ended:
                return
            if message["type"] == "http.response.start" and any_known and message["status"] == HTTPStatus.OK:
                kept = [one for one in message["headers"] if one[0] not in OF_BODIES]
                message = {**message, "status": HTTPStatus.NOT_MODIFIED, "headers": kept}
                ended = True
            ended = ended or scope["method"] == "HEAD"
            await send(message)
            if ended:
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        asked = [one for one in scope["headers"] if not any_known or one[0] != b"if-none-match"]
        await self._application({**scope, "method": "GET", "headers": asked}, receive, shortened)


class Hosts:
    """Refuses names of hosts that are none of ours: a page elsewhere may have its own name lead to this address."""

    def __init__(self, application: ASGIApp, hosts: Sequence[str]) -> None:
        self._application = application
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wrong = self._wrong(scope) if scope["type"] == "http" else None
        await (problems.at_once(scope, wrong) if wrong else self._application)(scope, receive, send)

    def _wrong(self, scope: Scope) -> Response | None:
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if not given and scope["http_version"] == "1.0":
            given = [""]
        if len(given) != 1 or (given[0] and _HOST.fullmatch(given[0]) is None):
            shown = given[0][:100] if len(given) == 1 else f"{len(given)} of them"
            return problems.response(
                HTTPStatus.BAD_REQUEST, f"Host: HOST or HOST:PORT is to stand there once, not {shown!r}", "send it so"
            )
        name = _host(given[0])
        if not self._hosts or name in self._hosts:
            return None
        return problems.response(
            HTTPStatus.MISDIRECTED_REQUEST,
            f"nothing is served by the name {name[:100]!r}",
            "use the address itself, or add the name to api.hosts",
        )


def _host(text: str) -> str:
    if text.startswith("["):
        return text.partition("]")[0].lstrip("[").lower()
    return text.partition(":")[0].lower()


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _has_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


class Bodies:
    """Reads no body further than it may go."""

    def __init__(self, application: ASGIApp, largest: int = LARGEST_BODY) -> None:
        self._application = application
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (scope["method"] in SAFE and not _has_body(scope)):
            await self._application(scope, receive, send)
            return
        announced = _header(scope, b"content-length")
        parts: list[bytes] = []
        size = int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 19 else 0
        while size <= self._largest:
            message = await receive()
            if message["type"] != "http.request":
                return  # whoever asked is gone
            parts.append(message.get("body", b""))
            size = sum(map(len, parts))
            if not message.get("more_body", False):
                break
        if size > self._largest:
            await self._refuse(scope, receive, send)
            return
        await self._application(scope, _replayed(b"".join(parts), receive), send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = problems.response(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body is larger than {self._largest} bytes",
            "send less",
            details={"limit": self._largest},
            headers={"Connection": "close"},
        )
        await problems.at_once(scope, refused)(scope, receive, send)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A body that has been read, once more; then whatever comes."""
    told: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return told.pop() if told else await receive()

    return again


class Rates:
    """Counts the requests of each address, those that change something apart, and refuses what is too many a minute."""

    def __init__(self, application: ASGIApp, reads: int, writes: int) -> None:
        self._application = application
        self._counting = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._limits = {False: RateLimitItemPerMinute(reads), True: RateLimitItemPerMinute(writes)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNCOUNTED:
            await self._application(scope, receive, send)
            return
        client: Any = scope.get("client") or ("", 0)
        changes = scope["method"] not in SAFE
        limit = self._limits[changes]
        if self._counting.hit(limit, str(client[0]), str(changes)):
            await self._application(scope, receive, send)
            return
        refused = problems.response(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"more than {limit.amount} requests came from this address within a minute",
            "ask less often, or raise api.reads or api.writes",
            details={"limit": limit.amount, "per_seconds": 60},
            retry_after=5.0,
        )
        await problems.at_once(scope, refused)(scope, receive, send)
