"""`/ui/calendar`: what changes without a new commit, and what will run at a moment?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Connection

from reconciler import schedule
from reconciler.api.access import Actor, Reader
from reconciler.api.context import Context, context
from reconciler.api.dashboard import agenda, following, month, rendering
from reconciler.api.dashboard.clocks import Clocks
from reconciler.api.dashboard.rendering import Page
from reconciler.api.dashboard.wording import not_understood
from reconciler.errors import ScheduleError
from reconciler.model.output import Edge
from reconciler.model.shape import Labels
from reconciler.store import declared
from reconciler.views import ahead, calendar, matrix, resolving
from reconciler.views.scene import scene_of

router = APIRouter(include_in_schema=False)
Given = Annotated[Context, Depends(context)]
Word = Annotated[str, Query(max_length=200)]
LISTED = 200
"""Entries of the agenda."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which weeks, of what, and which moment."""

    start: str
    app: str
    environment: str
    date: str
    time: str
    zone: str
    place: str


def asked(
    start: Annotated[str, Query(alias="from", max_length=20)] = "",
    app: Word = "",
    environment: Word = "",
    date: Word = "",
    time: Word = "",
    zone: Word = "",
    place: Word = "",
) -> Asked:
    """What stands in the address."""
    return Asked(start, app.strip(), environment, date, time, zone, place)


@router.get("/ui/calendar")
def page(request: Request, given: Given, actor: Reader, asked: Annotated[Asked, Depends(asked)]) -> Response:
    """Six weeks, the agenda, and a moment."""
    return rendering.kept(request, given, actor, lambda connection: _page(given, actor, asked, connection))


def _page(given: Context, actor: Actor, asked: Asked, connection: Connection) -> Page:
    clocks, scene = rendering.clocks(given), scene_of(connection)
    chain = matrix.in_order(scene)
    app = resolving.declared_app(connection, asked.app) if asked.app else ""
    environment = resolving.known_environment(connection, asked.environment) if asked.environment else ""
    first = month.beginning(asked.start, clocks)
    entries, left_out = _entries(given, connection, app, environment, month.edges(first, clocks))
    bands = month.bands(scene, app, _labels(connection, [app]).get(app, {}), environment, first, clocks)
    points = [one.point for one in entries if one.cause not in agenda.LASTING]
    moment = _Moment(asked, clocks, chain)
    return Page(
        template="calendar.html",
        actor=actor,
        daemon=following.look(given, connection),
        path="/ui/calendar",
        values={
            "asked": replace(asked, app=app, environment=environment),
            "weeks": month.weeks(first, bands, points, clocks),
            "today": clocks.local(clocks.now).date(),
            "first": first,
            "earlier": first - timedelta(weeks=month.WEEKS),
            "later": first + timedelta(weeks=month.WEEKS),
            "entries": entries[:LISTED],
            "more": max(0, len(entries) - LISTED),
            "left_out": left_out,
            "chain": chain,
            "moment": moment.values(connection),
            "misread": _misread(asked, first, moment),
        },
    )


def _entries(
    given: Context, connection: Connection, app: str, environment: str, weeks: tuple[datetime, datetime]
) -> tuple[list[agenda.Entry], list[str]]:
    now = given.now()
    start, end = max(weeks[0], now), weeks[1]
    if end <= now:
        return [], []
    found = given.memory.ahead(
        connection,
        (app, str(end)),
        now,
        lambda: calendar.calendar(connection, app or None, now, end, given.mirror),
    )
    wanted = [edge for edge in found.edges if edge.at > start and _here(edge, environment)]
    scene = scene_of(connection)
    ask = any(freeze.spec.apps is not None and not isinstance(freeze.spec.apps, tuple) for freeze in scene.freezes)
    labels = _labels(connection, {edge.app for edge in wanted if edge.app}) if ask else {}
    return agenda.entries(wanted, scene, labels), found.left_out


def _labels(connection: Connection, names: Iterable[str]) -> dict[str, Labels]:
    rows = declared.apps(connection, [name for name in names if name])
    return {name: row.document["metadata"].get("labels") or {} for name, row in rows.items()}


def _here(edge: Edge, environment: str) -> bool:
    return not environment or edge.environment == environment


def _misread(asked: Asked, first: date, moment: _Moment) -> tuple[str, ...]:
    week = {str(first + timedelta(days=number)) for number in range(7)}
    unknown = {
        "from": "" if asked.start in week else asked.start,
        "zone": "" if asked.zone in moment.zones else asked.zone,
        "environment": "" if asked.place in moment.chain else asked.place,
    }
    return not_understood(**unknown)


@dataclass(frozen=True, slots=True)
class _Moment:
    """What will run on …"""

    asked: Asked
    clocks: Clocks
    chain: tuple[str, ...]

    def values(self, connection: Connection) -> dict[str, Any]:
        """For the form, and what was found."""
        tomorrow = self.clocks.local(self.clocks.now + timedelta(days=1)).date()
        place = self.asked.place if self.asked.place in self.chain else (self.chain[-1] if self.chain else "")
        zones = self.zones
        found: dict[str, Any] = {
            "date": self._date() or tomorrow,
            "asked": self._date(),
            "time": self.asked.time or "12:00",
            "zones": zones,
            "zone": self.asked.zone if self.asked.zone in zones else zones[0],
            "place": place,
            "at": None,
            "wrong": "",
            "found": None,
        }
        if not self.asked.date or not place:
            return found
        try:
            at = schedule.instant(f"{self.asked.date}T{found['time']}", found["zone"])
        except ScheduleError as error:
            return found | {"wrong": f"{error.message}; {error.next_step}"}
        if at <= self.clocks.now:
            wrong = f"that has been; `reconciler status --at {schedule.rfc3339(at)}` tells what ran then"
            return found | {"wrong": wrong}
        return found | {"at": at, "found": ahead.at_moment(connection, place, at, self.clocks.now)}

    @property
    def zones(self) -> list[str]:
        """Those that can be asked in, the page's first."""
        return list(dict.fromkeys([self.clocks.zone.key, "UTC"]))

    def _date(self) -> date | None:
        try:
            return date.fromisoformat(self.asked.date) if self.asked.date else None
        except ValueError:
            return None
