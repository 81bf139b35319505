"""What changes next without a new commit, among all apps? Only those are looked at of which something is due first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from reconciler.store import concerns
from reconciler.views.calendar import AHEAD
from reconciler.views.forecast import forecast

LOOKED_AT = 5
"""Apps whose calendars are looked at: those that are due first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """The next change, in a line."""

    at: datetime
    said: str


def next_change(connection: Connection, now: datetime) -> Upcoming | None:
    """What comes next after `now` (UTC); None where nothing is known to come."""
    soonest = concerns.soonest(connection, now, LOOKED_AT)
    if not soonest:
        return None
    edges = forecast(connection, [name for name, _ in soonest], now, now + AHEAD).edges
    app, at = soonest[0]
    if not edges or at < edges[0].at:
        # A soak that ends, a rollout's next step, another attempt: no entry of a calendar.
        return Upcoming(at=at, said=f"{app} goes on")
    edge = edges[0]
    what = " ".join(part for part in (edge.cause, edge.name if edge.cause != "train" else "") if part)
    where = " in ".join(part for part in (edge.app, edge.environment) if part)
    return Upcoming(at=edge.at, said=f"{what}, {where}")
