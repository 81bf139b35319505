"""`/ui/metrics`: how often, how fast and how well is something deployed?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Connection

from reconciler.api.access import Actor, Reader
from reconciler.api.context import Context, context
from reconciler.api.dashboard import following, plots, rendering
from reconciler.api.dashboard.plots import SECONDS, TENTH, Kind
from reconciler.api.dashboard.rendering import Page
from reconciler.api.dashboard.wording import not_understood, share, spent
from reconciler.model.figures import Figures, FiguresOf
from reconciler.store import ledger
from reconciler.views import history, matrix
from reconciler.views.figures import measured
from reconciler.views.scene import scene_of

router = APIRouter(include_in_schema=False)
Given = Annotated[Context, Depends(context)]
Word = Annotated[str, Query(max_length=200)]
DAYS = (7, 30, 90, 365)
BY_DEFAULT = 30
LISTED = 20
"""Apps in the table."""


def _a_day(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _outcomes(of: Figures) -> str:
    active = f", {of.active} under way" if of.active else ""
    ended = f"{of.completed:,} completed, {of.failed:,} failed, {of.aborted:,} aborted"
    return f"{of.deployments:,} deployments: {ended}{active}"


def _failures(of: Figures) -> str:
    return f"{of.changes_failed:,} failed or were taken back; {of.rollbacks:,} rollbacks. Restores do not count"


def _restored(of: Figures) -> str:
    return f"{of.time_to_restore.count:,} restored, {of.not_restored:,} not yet"


KINDS = (
    Kind(
        id="frequency",
        title="Deployment frequency",
        unit="changes a day",
        of=lambda one: one.deployment_frequency,
        write=_a_day,
        note=_outcomes,
        bars=True,
        per_step=lambda one: float(one.changes),
    ),
    Kind(
        id="lead",
        title="Lead time",
        unit="median, from commit to completed",
        of=lambda one: one.lead_time.median,
        write=spent,
        units=SECONDS,
        least=TENTH,
        note=lambda one: f"nine of ten within {spent(one.lead_time.p90)}, of {one.lead_time.count:,} changes",
    ),
    Kind(
        id="failures",
        title="Change failure rate",
        unit="of changes that ended",
        of=lambda one: one.change_failure_rate,
        write=share,
        note=_failures,
    ),
    Kind(
        id="restore",
        title="Time to restore",
        unit="median",
        of=lambda one: one.time_to_restore.median,
        write=spent,
        units=SECONDS,
        least=TENTH,
        note=_restored,
    ),
    Kind(
        id="duration",
        title="Duration",
        unit="median, released at once",
        of=lambda one: one.duration.median,
        write=spent,
        units=SECONDS,
        least=TENTH,
        note=lambda one: f"nine of ten within {spent(one.duration.p90)}",
    ),
    Kind(
        id="between",
        title="Time between deployments",
        unit="median, of the same app in the same environment",
        of=lambda one: one.time_between.median,
        write=spent,
        units=SECONDS,
        least=TENTH,
        note=lambda one: f"nine of ten within {spent(one.time_between.p90)}, mean {spent(one.time_between.mean)}",
    ),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Of what, and how far back."""

    app: str
    environment: str
    days: int
    misread: tuple[str, ...] = ()


def asked(app: Word = "", environment: Word = "", days: Word = "") -> Asked:
    """What stands in the address."""
    known = days in map(str, DAYS)
    misread = not_understood(days="" if known else days)
    return Asked(app.strip(), environment, int(days) if known else BY_DEFAULT, misread)


@router.get("/ui/metrics")
def page(request: Request, given: Given, actor: Reader, asked: Annotated[Asked, Depends(asked)]) -> Response:
    """The four key figures, duration, and time between deployments."""
    return rendering.kept(request, given, actor, lambda connection: _page(given, actor, asked, connection))


def _most_first(one: FiguresOf) -> tuple[int, str]:
    return -one.figures.deployments, one.name


def _page(given: Context, actor: Actor, asked: Asked, connection: Connection) -> Page:
    now = given.now()
    app, environment = asked.app or None, asked.environment or None
    history.known(connection, app, environment)
    zone = rendering.clocks(given).zone
    found = measured(connection, now, now - timedelta(days=asked.days), app, environment, zone)
    begun = ledger.begun(connection)
    return Page(
        template="metrics.html",
        actor=actor,
        daemon=following.look(given, connection),
        path="/ui/metrics",
        values={
            "asked": asked,
            "days": DAYS,
            "chain": matrix.in_order(scene_of(connection)),
            "found": found,
            "plots": [plots.plot(kind, found) for kind in KINDS],
            "environments": sorted(found.environments, key=_most_first),
            "apps": sorted(found.apps, key=_most_first)[:LISTED],
            # Before that there was nothing to count, which shares of a day do not know.
            "begun": begun if begun is not None and begun > found.figures.since else None,
            "meter": plots.meter,
        },
    )
