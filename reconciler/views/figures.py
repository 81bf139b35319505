"""What are the figures of a period, for an app, for an environment, for everything?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import Connection

from reconciler.errors import WrongUse
from reconciler.model.figures import Measured
from reconciler.model.measuring import Period, measure
from reconciler.store import figures

BY_DEFAULT = timedelta(days=30)
"""How far back figures go where nobody says since when."""


def measured(
    connection: Connection,
    now: datetime,
    since: datetime | None = None,
    app: str | None = None,
    environment: str | None = None,
    zone: tzinfo = UTC,
) -> Measured:
    """The figures from `since` (30 days ago) up to `now` (UTC), by the days of `zone`. Raises WrongUse where that is no
    period."""
    begin = now - BY_DEFAULT if since is None else since
    if begin >= now:
        raise WrongUse("figures are of what has been", "name a moment that is past, or a length of time such as 30d")
    period = Period(since=begin, until=now, zone=zone)
    rows = figures.made(connection, period.earlier, period.until, app, environment)
    return measure(rows, period, app, environment)
