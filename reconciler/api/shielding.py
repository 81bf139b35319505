"""What is done with every request before anything else, and with every answer after it?

Bodies are bounded, requests are counted, names of hosts are checked, and answers say what a browser may do with them.
Plain ASGI around the application, so that streams pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.api import problems

LARGEST_BODY = 1 << 20
SAFE = {"GET", "HEAD", "OPTIONS"}
_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
# Swagger UI puts styles into its elements, and has pictures in its style sheet.
_POLICY_OF_DOCS = f"{_POLICY}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


class Headers:
    """Says with every answer what a browser may do with it."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        policy = _POLICY_OF_DOCS if scope["path"] == "/docs" else _POLICY

        gone = False

        async def said(message: Message) -> None:
            nonlocal gone
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    *_HEADERS,
                    (b"content-security-policy", policy.encode()),
                ]
            try:
                if not gone:
                    await send(message)
            except (OSError, RuntimeError) as error:
                # Whoever asked has hung up: that is no fault of ours, and there is nobody to tell.
                gone = isinstance(error, OSError) or "closed" in str(error)
                if not gone:
                    raise

        await self._application(scope, receive, said)


class Hosts:
    """Refuses names of hosts that are none of ours: a page elsewhere may have its own name lead to this address."""

    def __init__(self, application: ASGIApp, hosts: Sequence[str]) -> None:
        self._application = application
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._hosts and _host(scope) not in self._hosts:
            refused = problems.response(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"nothing is served by the name {_host(scope)[:100]!r}",
                "use the address itself, or add the name to api.hosts",
            )
            await refused(scope, receive, send)
            return
        await self._application(scope, receive, send)


def _host(scope: Scope) -> str:
    text = _header(scope, b"host")
    if text.startswith("["):
        return text.partition("]")[0].lstrip("[").lower()
    return text.partition(":")[0].lower()


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


class Bodies:
    """Reads no body further than it may go."""

    def __init__(self, application: ASGIApp, largest: int = LARGEST_BODY) -> None:
        self._application = application
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE:
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
        await refused(scope, receive, send)


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
        if scope["type"] != "http":
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
        await refused(scope, receive, send)
