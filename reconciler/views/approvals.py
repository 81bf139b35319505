"""What waits for people's approval, here and for deployments that are made elsewhere?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from reconciler.model.output import Approvable, Standing
from reconciler.store import apps
from reconciler.views import undeclared
from reconciler.views.pictures import pictures
from reconciler.views.standings import standings


def approvals(
    connection: Connection, which: apps.Filter, after: str, now: datetime
) -> tuple[list[Approvable], str | None]:
    """What of the apps that pass a filter waits for approval at `now` (UTC), and the name behind which to look for
    more; None: no more. Apps that git does not know come last.

    The limit is of apps that are looked through: where most of them wait for nothing, there may be less, or nothing.
    """
    rows = apps.listed(connection, replace(which, state="approval", environment=None, limit=which.limit + 1), after)
    last = rows[which.limit - 1].name if len(rows) > which.limit else None
    names = [row.name for row in rows[: which.limit]]
    found = [one for picture in pictures(connection, names, now) for one in standings(picture, now)]
    if last is None:
        others = undeclared.those_waiting(connection, now)
        found += [one for one in others if which.names is None or one.app in which.names]
    return list(_waiting(one for one in found if which.environment in (None, one.environment))), last


def _waiting(found: Iterable[Standing]) -> Iterator[Approvable]:
    """Each once, whichever roles are missing."""
    for one in found:
        waits = [wait for wait in one.waiting if wait.waits_for == "approval" and wait.id]
        for wait in {wait.id: wait for wait in waits}.values():
            yield Approvable(
                app=one.app,
                environment=one.environment,
                id=wait.id or "",
                what=wait.what,
                detail="; ".join(other.detail for other in waits if other.id == wait.id),
                authors=wait.authors,
                approved_by=wait.approved_by,
                elsewhere=wait.elsewhere,
            )
