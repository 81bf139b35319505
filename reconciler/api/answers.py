"""How does an answer leave: as ready bytes, with a tag by which the next request learns that nothing changed?

The tag is made of what everything shown follows from, and compared before anything is looked up. What was found for it
is kept for a while as the bytes that it is, so that many readers of one list cost about as much as one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import Request, Response
from pydantic_core import to_json
from sqlalchemy import Connection

from reconciler.api.context import Context
from reconciler.api.cursors import link
from reconciler.api.lately import Lately
from reconciler.store import stamps

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, and where its next page begins."""

    value: Any
    """JSON, or bytes as they are."""
    cursor: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Ready(Lately[str, tuple[bytes, Mapping[str, str]]]):
    """Answers that were given lately, bytes and headers, by their tag."""

    def __init__(self) -> None:
        super().__init__(lambda one: len(one[0]), 32 << 20, most=256)


def stamp(connection: Connection) -> str:
    """What changes whenever there is something new to show."""
    return _digest(repr(stamps.stamp(connection).seen))[:24]


def tagged(
    request: Request,
    context: Context,
    answer: Callable[[Connection], Any],
    *,
    at: datetime | None = None,
    besides: str = "",
    media_type: str = JSON,
) -> Response:
    """What `answer` finds, as JSON; 304 without asking it where the reader has it already.

    `at`: the answer depends on the present moment too (UTC), and is told anew every minute. `besides` is what it
    depends on besides the store and the moment, such as who asks.
    """
    ready: Ready = request.app.state.ready
    with context.read() as connection:
        seen = stamps.stamp(connection)
        tag = _tag(request, seen, at, besides)
        headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Cookie"}
        if has(request, tag):
            return Response(status_code=304, headers=headers)
        held = ready.get(tag)
        if held is None:
            held = _made(request, answer(connection))
            ready.put(tag, held)
    body, more = held
    return Response(body, 200, {**headers, **more}, media_type)


def untagged(request: Request, found: Any, media_type: str = JSON) -> Response:
    """What changes without leaving a trace by which a tag could be made."""
    body, more = _made(request, found)
    return Response(body, 200, {"Cache-Control": "no-store", **more}, media_type)


def _made(request: Request, found: Any) -> tuple[bytes, Mapping[str, str]]:
    answer = found if isinstance(found, Answer) else Answer(found)
    body = answer.value if isinstance(answer.value, bytes) else to_json(answer.value)
    return body, {**link(request, answer.cursor), **answer.headers}


def _tag(request: Request, seen: stamps.Stamp, at: datetime | None, besides: str) -> str:
    moment = ""
    if at is not None:
        due = seen.next_due is not None and seen.next_due <= at
        moment = f"{at:%Y-%m-%dT%H:%M} {due}"
    asked = f"{request.url.path}?{request.scope['query_string']!r}"
    made = _digest("\n".join((repr(seen.seen), asked, moment, besides)))
    return f'"{made[:32]}"'


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def has(request: Request, tag: str) -> bool:
    """Whether the reader has what is tagged so."""
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    return tag in known  # `*`, whatever is there, is for `shielding` to answer
