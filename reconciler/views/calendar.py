"""What will change without a new commit, as a person asks for it: for one app or all, with the lines in git?"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from reconciler.git.objects import Objects
from reconciler.store import commits, declared, repository
from reconciler.views.forecast import Forecast, forecast
from reconciler.views.resolving import declared_app, known_app

AHEAD = timedelta(days=90)
"""So far it is looked where nobody says how far."""


def calendar(connection: Connection, app: str | None, now: datetime, until: datetime, mirror: Path) -> Forecast:
    """What will change for an app (None: for all) after `now`, up to and at `until` (UTC). Raises UnknownReference.

    `mirror` knows the lines of what is declared; it may not be there.
    """
    wanted = declared.app_names(connection) if app is None else [_declared(connection, app)]
    with ExitStack() as stack:
        there = (mirror / "objects").is_dir()
        objects = stack.enter_context(Objects(mirror)) if there else None
        return forecast(connection, wanted, now, until, objects)


def _declared(connection: Connection, app: str) -> str:
    """The app, if git declares it now. All names are read only where one has to be suggested."""
    row = declared.apps(connection, [app]).get(app)
    if row is None:
        return declared_app(connection, app)
    return known_app(declared.app_names(connection), app) if row.removed else app


def stamp(connection: Connection) -> datetime | None:
    """When the commit in force was made: the same feed has the same stamps, whenever it is asked for."""
    place = repository.followed(connection)
    row = commits.at_position(connection, place.position) if place else None
    return row.committed_at if row is not None else None
