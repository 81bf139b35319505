"""Where does the next page of a list begin?

A cursor is opaque to whoever holds it: what was shown last, never a count of rows, so that a page neither repeats nor
leaves out what was there all the time. It goes into the `Link` header, since the lists themselves are what the command
line prints.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from reconciler.api.problems import Refused
from reconciler.model.shape import Name
from reconciler.views.history import After

Id = str | None
NAMES: TypeAdapter[tuple[Literal["n"], Name]] = TypeAdapter(tuple[Literal["n"], Name])
"""After a name."""
NUMBERS: TypeAdapter[tuple[Literal["s"], int]] = TypeAdapter(tuple[Literal["s"], int])
"""After a number."""
HISTORIES: TypeAdapter[tuple[Literal["h"], Id, Id]] = TypeAdapter(tuple[Literal["h"], Id, Id])
"""After a deployment of each history."""


def written(*position: str | int | None) -> str:
    """A cursor that holds a position."""
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode().rstrip("=")


def after_name(cursor: str | None) -> str:
    """The name behind which a page begins, '' for the first one. Raises Refused."""
    return "" if cursor is None else str(_read(cursor, NAMES)[1])


def after_number(cursor: str | None) -> int | None:
    """The number before which a page begins. Raises Refused."""
    if cursor is None:
        return None
    number: int = _read(cursor, NUMBERS)[1]
    if not 0 < number < 1 << 62:
        raise _no_cursor()
    return number


def histories(cursor: str | None) -> After:
    """How far both histories have been read. Raises Refused."""
    if cursor is None:
        return After()
    _, own, reported = _read(cursor, HISTORIES)
    if any(one is not None and not (one.isascii() and one.isalnum() and len(one) <= 40) for one in (own, reported)):
        raise _no_cursor()
    return After(own=own, reported=reported)


def of_histories(after: After | None) -> str | None:
    """The cursor of a place in both histories."""
    return None if after is None else written("h", after.own, after.reported)


def _read(cursor: str, kind: TypeAdapter[Any]) -> Any:
    try:
        decoded = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        return kind.validate_python(json.loads(decoded))
    except (binascii.Error, UnicodeError, ValueError, RecursionError, ValidationError):
        raise _no_cursor() from None


def _no_cursor() -> Refused:
    return Refused(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "query.cursor: it does not come from this list",
        "take the address of the next page from the Link header as it is, or leave the cursor out",
    )


def link(request: Request, cursor: str | None) -> dict[str, str]:
    """The header that leads to the next page; none after the last one."""
    if cursor is None:
        return {}
    query: Sequence[tuple[str, str]] = parse_qsl(request.url.query, keep_blank_values=True)
    pairs = [*((name, value) for name, value in query if name != "cursor"), ("cursor", cursor)]
    # The path alone: whatever host somebody calls us by is not repeated.
    return {"Link": f'<{quote(request.url.path)}?{urlencode(pairs)}>; rel="next"'}
