"""May a page that was made for somebody be sent once more, though something was written to the store since?

Most of what is written concerns other pages. A page is kept with the questions that it was made of, and as long as the
store answers them the same, it is the same. Only the line at the top, about the branch, is another one with each
commit: it stands apart. What passing time changes is told anew every minute, and as soon as something becomes due.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from http import HTTPStatus

from fastapi import Request, Response
from sqlalchemy import Connection

from reconciler.api import answers
from reconciler.api.access import Actor
from reconciler.api.context import Context
from reconciler.api.dashboard import following, rendering
from reconciler.api.dashboard.rendering import LINE, Page, Rendered
from reconciler.api.lately import Lately
from reconciler.store import stamps
from reconciler.store.traces import Trace, traced

MOST_BYTES = 16 << 20
"""What kept pages may take together."""
_EACH = 1_000
"""Bytes that a page takes besides its text and its questions, about."""
Key = tuple[object, ...]
Moment = tuple[datetime, bool]
"""A minute, and whether something is due."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A page, whole or as its parts, and until when it holds."""

    body: bytes
    parts: dict[str, str]
    """With the line at the top; of a whole page that line alone."""
    moment: Moment
    trace: Trace

    def lined(self, line: str) -> Rendered:
        """The page with another line at its top."""
        body = self.body.replace(self.parts[LINE].encode(), line.encode(), 1)
        return Rendered(body, {**self.parts, LINE: line})

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return len(self.body) + sum(map(len, self.parts.values())) + self.trace.size + _EACH


class Pages(Lately[Key, Kept]):
    """The pages that were made lately, by what was asked and who asked."""

    def __init__(self) -> None:
        super().__init__(lambda one: one.size, MOST_BYTES)


def kept(request: Request, context: Context, actor: Actor, make: Callable[[Connection], Page]) -> Response:
    """A page, made anew only where the store answers otherwise than when it was made.

    `make` remembers nothing between two calls that it has read, and reads the line at the top by `following.look`;
    nothing else on the page follows from that line.
    """
    if context.store.is_shared:
        return rendering.kept(request, context, actor, make)
    found, status = _found(request, context, actor, make, _whole)
    if status != HTTPStatus.OK:
        return Response(found.body, status, rendering.HEADERS, rendering.HTML)
    tag = f'"{blake2b(found.body, digest_size=16).hexdigest()}"'
    headers = {**rendering.HEADERS, "ETag": tag}
    if answers.has(request, tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(found.body, status, headers, rendering.HTML)


def parts(request: Request, context: Context, actor: Actor, make: Callable[[Connection], Page]) -> dict[str, str]:
    """The parts of such a page, for the stream of changes."""
    return _found(request, context, actor, make, _apart)[0].parts


def _whole(made: Rendered) -> Rendered:
    return Rendered(made.body, {LINE: made.parts[LINE]})


def _apart(made: Rendered) -> Rendered:
    return Rendered(b"", made.parts)


def _found(
    request: Request,
    context: Context,
    actor: Actor,
    make: Callable[[Connection], Page],
    wanted: Callable[[Rendered], Rendered],
) -> tuple[Rendered, int]:
    """What is wanted of a page, and its status."""
    pages: Pages = request.app.state.pages
    key = (request.url.path, request.url.query, *rendering.who(request, actor))
    with context.read() as connection:
        moment = _moment(context, connection)
        held = pages.get(key)
        if held is not None and held.moment == moment and held.trace.holds(connection):
            return held.lined(rendering.line(context, following.look(context, connection))), HTTPStatus.OK
        page, trace = traced(connection, lambda: make(connection))
    made = wanted(rendering.rendered(request, context, page))
    if trace is not None and page.status == HTTPStatus.OK:
        pages.put(key, Kept(made.body, made.parts, moment, trace))
    return made, page.status


def _moment(context: Context, connection: Connection) -> Moment:
    now, due = context.now(), stamps.next_due(connection)
    return now.replace(second=0, microsecond=0), due is not None and due <= now
