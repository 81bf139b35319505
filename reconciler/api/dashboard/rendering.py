"""How does a page leave: which templates, with what in reach of each?

A template hands each part that may change while somebody looks at it to `part(id, html)`, which lays it out where it
stands and remembers it: so the stream of changes is made of the very parts that the page has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy import Connection

from reconciler import schedule
from reconciler.api import problems
from reconciler.api.access import NOBODY, Actor
from reconciler.api.answers import Ready, has
from reconciler.api.context import Context
from reconciler.api.dashboard import wording
from reconciler.api.dashboard.clocks import Clocks
from reconciler.api.dashboard.following import Daemon
from reconciler.errors import ReconcilerError
from reconciler.planner import rollouts
from reconciler.store import stamps
from reconciler.views import matrix
from reconciler.views.remarks import brief
from reconciler.views.running import runs_in
from reconciler.views.scene import scene_of
from reconciler.words import plain, still

HTML = "text/html; charset=utf-8"
LINE = "daemon"
"""The id of the part that stands at the top of every page."""
THEMES = ("light", "dark")
PAGES = (("/ui/", "Matrix"), ("/ui/calendar", "Calendar"), ("/ui/ledger", "Ledger"), ("/ui/metrics", "Metrics"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that is to be laid out. `daemon` is None where the store could not be asked."""

    template: str
    actor: Actor
    daemon: Daemon | None
    path: str
    """The page's own address, without what is asked for."""
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = HTTPStatus.OK


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page that has been laid out, and its parts that may change, by id."""

    body: bytes
    parts: dict[str, str]


@cache
def templates() -> Environment:
    """Every template: whatever is put in is escaped and moves nothing, and what is missing is a mistake."""
    made = Environment(
        loader=PackageLoader("reconciler.api.dashboard"),
        autoescape=True,
        finalize=_still,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["pages"] = PAGES
    made.globals["themes"] = ("", *THEMES)
    made.globals["split_now"] = rollouts.split
    made.filters |= {"plain": plain, "said": wording.said, "spent": wording.spent, "share": wording.share}
    made.filters |= {"value": wording.value, "brief": brief, "sentence": wording.sentence, "opened": wording.opened}
    made.filters["in_cell"] = wording.in_cell
    made.filters["segment"] = partial(quote, safe="")
    return made


def _still(value: object) -> object:
    return still(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def clocks(context: Context) -> Clocks:
    """The clocks of a page that is made now."""
    return clocks_at(context.terms.timezone, context.now())


def clocks_at(zone: str, now: datetime) -> Clocks:
    """The clocks of a page that is made at a moment (UTC)."""
    return Clocks(schedule.zone(zone), now)


def rendered(request: Request, context: Context, page: Page) -> Rendered:
    """A page laid out."""
    parts: dict[str, str] = {}
    path = page.path
    here = address_of(request, path) if request.method == "GET" else path

    def part(name: str, html: str) -> str:
        parts[name] = str(html).strip()
        return html

    values = {
        "clocks": clocks(context),
        "daemon": page.daemon,
        "actor": page.actor,
        "theme": theme(request),
        "path": path,
        "here": here,
        "link": partial(_link, request, path),
        "part": part,
        "strange": _strange(request) if page.status == HTTPStatus.OK else (),
        **page.values,
    }
    return Rendered(templates().get_template(page.template).render(values).encode(), parts)


def frame(template: str, clocks: Clocks, theme: str, **values: object) -> bytes:
    """A page that is the same for everybody, at whatever address."""
    # An empty address is the one where it stands; whoever signs in there comes to the matrix.
    fixed = {"actor": NOBODY, "path": "", "here": "", "part": lambda _name, html: html, "strange": ()}
    return templates().get_template(template).render(fixed | {"clocks": clocks, "theme": theme} | values).encode()


def line(context: Context, daemon: Daemon | None) -> str:
    """The line at the top, as it stands among the parts of a page."""
    return templates().get_template("daemon.html").render({"clocks": clocks(context), "daemon": daemon}).strip()


def who(request: Request, actor: Actor) -> tuple[object, ...]:
    """Who looks at a page, with which colours."""
    return actor.name, actor.word, tuple(sorted(actor.scopes)), tuple(sorted(actor.roles)), theme(request)


def theme(request: Request) -> str:
    """The colours that somebody has chosen; '' for the system's."""
    found = request.cookies.get("theme", "")
    return found if found in THEMES else ""


def address_of(request: Request, path: str) -> str:
    """The address of a path with what this request asks for. A token that stands there by mistake is not repeated."""
    query = urlencode(_asked(request))
    return f"{path}?{query}" if query else path


def _asked(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.query_params.multi_items() if name.lower() != "token"]


def _strange(request: Request) -> tuple[str, ...]:
    """What the address asks for and the page does not have, by name: of what value it is nobody knows either."""
    route = request.scope.get("route")
    if request.method != "GET" or not request.query_params or not isinstance(route, APIRoute):
        return ()
    known = set(_asks_for(route.dependant))
    return tuple(f"“{name[:100]}”" for name in request.query_params if name not in known)


def _asks_for(dependant: Dependant) -> Iterator[str]:
    yield from (one.alias for one in dependant.query_params)
    for one in dependant.dependencies:
        yield from _asks_for(one)


def _link(request: Request, path: str, **changed: object) -> str:
    """The address of this page with some of what is asked for changed; '' leaves it out."""
    kept = [(name, value) for name, value in _asked(request) if name not in changed and value]
    pairs = [*kept, *((name, str(value)) for name, value in changed.items() if value not in ("", None))]
    return f"{path}?{urlencode(pairs)}" if pairs else path


HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Cookie"}


def path_of(app: str, *behind: str) -> str:
    """The address of an app's page, or of one below it."""
    return "/".join(["/ui/apps", *(quote(part, safe="") for part in (app, *behind))])


def runs_along(connection: Connection, app: str) -> dict[str, list[str]]:
    """The environments where each version of an app runs, by its id, along the chain."""
    chain = matrix.in_order(scene_of(connection))
    place = {name: number for number, name in enumerate(chain)}
    found = runs_in(connection, app)
    return {version: sorted(there, key=lambda name: place.get(name, -1)) for version, there in found.items()}


def status_of(wrong: ReconcilerError) -> int:
    """Which status a page has that says why something was not done."""
    return problems.status_of(wrong)


def answer(request: Request, context: Context, page: Page) -> Response:
    """A page as it is sent."""
    return Response(rendered(request, context, page).body, page.status, HEADERS, HTML)


def kept(
    request: Request, context: Context, actor: Actor, make: Callable[[Connection], Page], besides: str = ""
) -> Response:
    """A page as it is sent, made anew only when there may be something else to show than a moment ago. `besides` is
    what it follows from besides the store, the minute, the address and the reader."""
    ready: Ready = request.app.state.ready
    with context.read() as connection:
        tag = _tag(request, context, actor, connection, besides)
        headers = HEADERS | {"ETag": tag}
        if has(request, tag):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        held = ready.get(tag)
        if held is not None:
            return Response(held[0], HTTPStatus.OK, headers, HTML)
        page = make(connection)
    body = rendered(request, context, page).body
    if page.status == HTTPStatus.OK:
        ready.put(tag, (body, {}))
    return Response(body, page.status, headers if page.status == HTTPStatus.OK else HEADERS, HTML)


def _tag(request: Request, context: Context, actor: Actor, connection: Connection, besides: str) -> str:
    """What a page follows from: the store, the minute, the address, and who looks at it with which colours."""
    daemon = (context.daemon_runs(connection), context.daemon_fails())
    asked = f"{request.url.path}?{request.url.query}"
    moment = f"{context.now():%Y-%m-%dT%H:%M}"
    seen = stamps.stamp(connection)
    due = seen.next_due is not None and seen.next_due <= context.now()
    whole = (seen.seen, due, daemon, asked, moment, who(request, actor), besides)
    made = hashlib.sha256(repr(whole).encode("utf-8", "surrogatepass")).hexdigest()
    return f'"{made[:32]}"'
