"""What may whoever asks over HTTP do, and how is a token written?

A token is `rec_`, twelve digits by which it is found, and a secret of 256 bits. Nothing here draws one or keeps one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Scope = Literal["read", "report", "approve", "operate"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
TokenScope = Literal[Scope, "feed"]
FEED: Literal["feed"] = "feed"
"""Of a token that stands in an address, for programs that can send no header. It stands alone."""
TOKEN_SCOPES: tuple[TokenScope, ...] = (*SCOPES, FEED)
ALLOWS: dict[TokenScope, str] = {
    "read": "see everything that is shown",
    "report": "report deployments made elsewhere",
    "approve": "approve what waits at a gate",
    "operate": "stop, retry, pause, resume, release, promote and roll back",
    "feed": "subscribe to /calendar.ics?token=… with a calendar program, and nothing else",
}
"""What each scope allows. Every one but `feed` includes reading, and nothing else of the others."""
_TOKEN = re.compile(r"rec_(?P<id>[0-9a-f]{12})_(?P<secret>[A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Written:
    """A token as it is handed over once, in its two parts."""

    id: str
    secret: str

    @property
    def text(self) -> str:
        """What is put behind `Bearer`."""
        return f"rec_{self.id}_{self.secret}"


def read(text: str) -> Written | None:
    """The parts of a token; None for what is none."""
    return _written(_TOKEN.fullmatch(text))


def found_in(text: str) -> Written | None:
    """The first token that stands anywhere in a text."""
    return _written(_TOKEN.search(text))


def _written(found: re.Match[str] | None) -> Written | None:
    return Written(found["id"], found["secret"]) if found else None


def digest(secret: str) -> str:
    """What is kept of a secret. It is random and long, so a fast digest is as good as a slow one."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def allowed(scopes: Iterable[str], wanted: Scope) -> bool:
    """Whether these scopes allow what `wanted` does."""
    having = set(scopes)
    return wanted in having or (wanted == "read" and bool(having & set(SCOPES)))
