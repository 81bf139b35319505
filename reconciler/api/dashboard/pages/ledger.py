"""`/ui/ledger`: what happened, in order, and did anybody change it since?"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from reconciler import schedule
from reconciler.api.access import Actor, Reader
from reconciler.api.context import Context, context
from reconciler.api.dashboard import following, rendering
from reconciler.api.dashboard.rendering import Page
from reconciler.api.dashboard.wording import not_understood
from reconciler.errors import ScheduleError
from reconciler.schedule import utc
from reconciler.store import ledger

router = APIRouter(include_in_schema=False)
Given = Annotated[Context, Depends(context)]
Word = Annotated[str, Query(max_length=200)]
FACTS = 100
"""Of one page."""
FEW = 20_000
"""With so many facts at most, they are verified without being asked."""
FRESH = timedelta(minutes=10)
"""What was verified more recently is not verified again by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """How the chain of hashes was found."""

    at: datetime
    entries: int
    unsealed: int
    broken_after: int | None
    damage: tuple[str, ...]
    head: str

    @property
    def sound(self) -> bool:
        """Whether nobody changed anything."""
        return self.broken_after is None and not self.damage


@dataclass(slots=True)
class Verifying:
    """The last verification; one at a time, since it reads everything."""

    last: Verified | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, connection: Connection, now: datetime, *, asked: bool) -> Verified | None:
        """The last one; a new one where it is asked for, or where it is quick and the last one is old."""
        quick = ledger.newest(connection) <= FEW
        old = self.last is None or now - self.last.at > FRESH
        if (asked or (quick and old)) and self._lock.acquire(blocking=False):
            try:
                self.last = _verify(connection, now)
            finally:
                self._lock.release()
        return self.last


def _verify(connection: Connection, now: datetime) -> Verified:
    damage, chain = ledger.damage(connection), ledger.verify(connection)
    return Verified(
        at=now,
        entries=chain.entries,
        unsealed=chain.unsealed,
        broken_after=chain.broken_after,
        damage=tuple(damage),
        head=chain.head,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """Which facts."""

    kind: str
    app: str
    environment: str
    actor: str
    subject: str
    since: str
    before: str
    misread: tuple[str, ...] = ()


def asked(
    kind: Word = "",
    app: Word = "",
    environment: Word = "",
    actor: Word = "",
    subject: Word = "",
    since: Word = "",
    before: Word = "",
) -> Asked:
    """What stands in the address."""
    known = kind if kind.partition(".")[0] in ledger.KINDS else ""
    place = before if before.isascii() and before.isdigit() and len(before) < 18 else ""
    misread = not_understood(kind="" if known else kind, before="" if place else before)
    return Asked(known, _plain(app), _plain(environment), _plain(actor), _plain(subject), since, place, misread)


def _plain(text: str) -> str:
    return text.strip() if text.isprintable() else ""


@router.get("/ui/ledger")
def page(
    request: Request, given: Given, actor: Reader, asked: Annotated[Asked, Depends(asked)], verify: Word = ""
) -> Response:
    """Facts, newest first."""
    verifying: Verifying = request.app.state.verifying
    if verify:
        with given.read() as connection:
            verifying.look(connection, given.now(), asked=True)
        return RedirectResponse("/ui/ledger", HTTPStatus.SEE_OTHER)
    # Beside what the page follows from, since it is no fact: how the chain was found, and when.
    with given.read() as connection:
        verified = verifying.look(connection, given.now(), asked=False)
    return rendering.kept(
        request,
        given,
        actor,
        lambda connection: _page(given, actor, asked, verified, connection),
        besides=repr(verified),
    )


def _page(given: Context, actor: Actor, asked: Asked, verified: Verified | None, connection: Connection) -> Page:
    since, wrong = _since(given, asked.since)
    which = ledger.Filter(
        app=asked.app or None,
        environment=asked.environment or None,
        kind=asked.kind or None,
        actor=asked.actor or None,
        subject=asked.subject or None,
        since=since,
        limit=FACTS,
    )
    facts, below = ledger.listed(connection, which, int(asked.before) if asked.before else None)
    return Page(
        template="ledger.html",
        actor=actor,
        daemon=following.look(given, connection),
        path="/ui/ledger",
        values={
            "asked": asked,
            "wrong": wrong,
            "kinds": ledger.KINDS,
            "facts": [{**one, "at": utc(one["at"]), "said": _said(one["body"])} for one in facts],
            "below": below,
            "verified": verified,
            "newest": ledger.newest(connection),
        },
    )


def _since(given: Context, text: str) -> tuple[datetime | None, str]:
    if not text:
        return None, ""
    try:
        return schedule.instant(text, given.terms.timezone), ""
    except ScheduleError as error:
        return None, f"{error.message}; {error.next_step}"


_FIRST = ("message", "error", "reason", "detail", "subject", "name")
_LONGEST = 400
_HEX = re.compile(r"\b[0-9a-f]{17,}\b")
_ELSEWHERE = ("key", "number", "digest")
"""What says nothing to a person, or stands beside."""


def _short(found: re.Match[str]) -> str:
    return found[0][:10]


def _said(body: Mapping[str, Any]) -> str:
    """What a fact says, in a line: its own words, then whatever else is short."""
    words = [str(body[key]).strip() for key in _FIRST if isinstance(body.get(key), str) and body[key].strip()]
    rest = [
        f"{key} {_HEX.sub(_short, str(value))}"
        for key, value in sorted(body.items())
        if key not in (*_FIRST, *_ELSEWHERE)
        and isinstance(value, str | int | float)
        and not isinstance(value, bool)
        and value != ""
    ]
    told = "; ".join(dict.fromkeys([*words, *rest]))
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]} …"
