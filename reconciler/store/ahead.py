"""What lies ahead of a turn besides what it has planned, told by one question?

Most turns have no check to run, no trigger settings to hand over and no branch to write: one answer says so for all of
them, and only what is there is then read.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, select, text

from reconciler.store import tables
from reconciler.store.due import NEXT_ATTEMPT, NEXT_DUE
from reconciler.store.holds import WITHOUT_BRANCH
from reconciler.store.statements import Prepared

_AHEAD = Prepared(
    select(
        NEXT_DUE.scalar_subquery().label("due_at"),
        NEXT_ATTEMPT.scalar_subquery().label("next_attempt_at"),
        exists().where(tables.checks.c.verdict == "running").label("checks"),
        exists().select_from(tables.triggers).where(text("triggers.open")).label("triggers"),
        exists().where(WITHOUT_BRANCH).label("branches"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What is still to be done, now or later."""

    due_at: datetime | None
    """The earliest moment at which an app is due (UTC)."""
    attempt_at: datetime | None
    """The earliest moment at which a started deployment is tried again (UTC)."""
    checks: bool
    """Whether a check of a gate is to be run, now or later."""
    triggers: bool
    """Whether trigger settings are to be handed over, now or later."""
    branches: bool
    """Whether a hold has no branch yet."""


def ahead(connection: Connection) -> Ahead:
    """What is still to be done."""
    row = _AHEAD.run(connection)[0]
    return Ahead(
        due_at=row.due_at,
        attempt_at=row.next_attempt_at,
        checks=bool(row.checks),
        triggers=bool(row.triggers),
        branches=bool(row.branches),
    )
