"""`/ui/`: what runs where, and what needs somebody?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from reconciler.api.access import Actor, Reader
from reconciler.api.context import Context, context
from reconciler.api.dashboard import following, live, rendering
from reconciler.api.dashboard.rendering import Page
from reconciler.api.dashboard.wording import not_understood
from reconciler.store import concerns, declared
from reconciler.store.concerns import Wanted
from reconciler.views import headings, upcoming
from reconciler.views import matrix as found_in
from reconciler.views.candidates import LOOKED_AT
from reconciler.views.remarks import FACTS, Fact
from reconciler.views.scene import scene_of
from reconciler.words import nearest

Given = Annotated[Context, Depends(context)]
router = APIRouter(include_in_schema=False)
MOST_COLUMNS = 6
"""More environments are chosen by `env`."""
MOST_ROWS = LOOKED_AT
Word = Annotated[str, Query(max_length=200)]


@router.get("/")
async def root() -> Response:
    """Leads to the dashboard."""
    return RedirectResponse("/ui/", 307)


@router.get("/ui")
async def bare() -> Response:
    """Leads to the dashboard, too, whose address ends with a stroke."""
    return RedirectResponse("/ui/", 308)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody looks for."""

    q: str
    state: Fact | None
    team: str
    base: str
    only: bool
    environments: tuple[str, ...]
    after: str
    rows: int
    misread: tuple[str, ...] = ()

    @property
    def of_view(self) -> found_in.Asked:
        """What is asked for, as the view takes it."""
        return found_in.Asked(
            wanted=Wanted(text=self.q or None, team=self.team or None),
            base=self.base or None,
            fact=self.state,
            only_differing=self.only,
            after=self.after,
            most=self.rows,
        )


def asked(
    q: Word = "",
    state: Word = "",
    team: Word = "",
    base: Word = "",
    only: Word = "",
    env: Annotated[list[str], Query(max_length=20)] = [],  # noqa: B006 - FastAPI copies it
    after: Word = "",
    rows: Word = "",
) -> Asked:
    """What stands in the address. What makes no sense asks for nothing, and the page says so."""
    fact = next((one for one in FACTS if one == state), None)
    counted = rows.isascii() and rows.isdigit() and len(rows) < 5
    many = int(rows) if counted else found_in.MOST
    misread = not_understood(state="" if fact else state, rows="" if counted else rows)
    words = (_plain(q.strip()), fact, _plain(team), _plain(base), bool(only), tuple(env), _plain(after))
    return Asked(*words, rows=min(max(many, found_in.MOST), MOST_ROWS), misread=misread)


def _plain(text: str) -> str:
    """A text that a database can be asked for."""
    return text if text.isprintable() else ""


Filter = Annotated[Asked, Depends(asked)]


@router.get("/ui/")
def matrix(request: Request, given: Given, actor: Reader, asked: Filter) -> Response:
    """Apps by environments: what needs a person, what moves or waits, the rest by pages."""
    if asked.q:
        with given.read() as connection:
            if concerns.exact(connection, asked.q):
                return RedirectResponse(f"/ui/apps/{quote(asked.q, safe='')}", HTTPStatus.SEE_OTHER)
    return rendering.kept(request, given, actor, lambda connection: _page(given, actor, asked, connection))


@router.get("/ui/live/matrix")
def changes(request: Request, given: Given, actor: Reader, asked: Filter) -> Response:
    """What becomes of it."""
    return live.stream(request, given, actor, lambda connection: _page(given, actor, asked, connection))


def _page(given: Context, actor: Actor, asked: Asked, connection: Connection) -> Page:
    now = given.now()
    teams = sorted(set(given.memory.teams(connection).values()))
    if asked.team not in teams:
        asked = replace(asked, team="", misread=asked.misread + not_understood(team=asked.team))
    found = found_in.matrix(connection, asked.of_view, now, given.memory)
    shown = tuple(name for name in found.environments if name in asked.environments)[:MOST_COLUMNS]
    # What comes last is what people ask about most.
    columns = headings.headings(scene_of(connection), shown or found.environments[-MOST_COLUMNS:], now)
    return Page(
        template="matrix.html",
        actor=actor,
        daemon=following.look(given, connection),
        path="/ui/",
        values={
            "found": found,
            "columns": columns,
            "most_columns": MOST_COLUMNS,
            "most_rows": MOST_ROWS,
            "misunderstood": asked.misread + _unknown(asked, found.environments),
            "asked": asked,
            "teams": teams,
            "upcoming": upcoming.next_change(connection, now),
            "nearest": nearest(asked.q, declared.known_names(connection)) if asked.q and found.empty else None,
        },
    )


def _unknown(asked: Asked, environments: tuple[str, ...]) -> tuple[str, ...]:
    """Environments that are asked for and that git does not declare."""
    base = "" if asked.base in environments else asked.base
    others = ", ".join(name for name in map(_plain, asked.environments) if name not in environments)
    return not_understood(differs_from=base, environments=others)
