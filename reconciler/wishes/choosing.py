"""Which of the things at a gate does somebody mean?

An id names one. A place, APP/ENVIRONMENT, names what waits there only while nothing else does, whether it is ours or is
deployed elsewhere: of several none is taken for the one that somebody looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from reconciler.errors import NotSo
from reconciler.model.plan import Waiting, short
from reconciler.store import gates
from reconciler.views import reported, resolving
from reconciler.views.pictures import pictures

_NAMED = 5
"""Of so many things that wait in a place the ids are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """Something at a gate, and which approvals it waits for: for none, where that is over."""

    app: str
    environment: str
    key: str
    waits: Sequence[Waiting]
    elsewhere: str = ""
    """Its version, where its start was reported from elsewhere and refused; '' for what is ours."""
    over: str = ""
    """Why nobody waits for that start any more, where that is so."""

    @property
    def whose(self) -> str:
        """What is to be said of it besides, where it is not ours."""
        return ", reported from elsewhere" if self.elsewhere else ""


def to_approve(connection: Connection, identifier: str, now: datetime) -> Meant:
    """What is to be approved; now (UTC). Raises WrongUse, UnknownReference; NotSo where several wait in a place."""
    rows = resolving.at_gate(connection, identifier)
    starts = {row.key: reported.refused(connection, row.key, now) for row in rows}
    apps = sorted({row.app for row in rows if starts[row.key] is None})
    ours = [one for picture in pictures(connection, apps, now) for one in picture.plan.waiting] if apps else []
    found = [_look(row, starts[row.key], ours) for row in rows]
    waiting = [one for one in found if one.waits]
    if len(waiting) > 1:
        _refuse(identifier, [(one.key, f"{one.waits[0].what} of {one.app}{one.whose}") for one in waiting], "approve")
    return waiting[0] if waiting else found[0]


def to_check_again(connection: Connection, identifier: str) -> tuple[str, str, str]:
    """App, environment and key of the gate whose checks are to be run again. Raises as `to_approve` does."""
    rows = resolving.at_gate(connection, identifier)
    failed = {
        one.key
        for one in gates.checks(connection, sorted({row.app for row in rows}))
        if one.verdict == "failed" or one.next_attempt_at is not None
    }
    found = [row for row in rows if row.key in failed]
    if len(found) > 1:
        _refuse(identifier, [(row.key, f"checks of {row.app} for {row.environment}") for row in found], "retry")
    row = found[0] if found else rows[0]
    return row.app, row.environment, row.key


def _look(row: Any, start: reported.Refused | None, ours: Sequence[Waiting]) -> Meant:
    """What a row of the gates stands for, as it is now: a start elsewhere, or something that our plans hold back."""
    if start is not None:
        return Meant(
            app=row.app,
            environment=row.environment,
            key=row.key,
            waits=start.missing,
            elsewhere=start.start.version,
            over=start.over,
        )
    waits = [one for one in ours if one.key == row.key and one.waits_for == "approval"]
    return Meant(app=row.app, environment=row.environment, key=row.key, waits=waits)


def _refuse(identifier: str, several: Sequence[tuple[str, str]], verb: str) -> None:
    named = [f"{short(key)} ({what})" for key, what in several[:_NAMED]]
    more = [f"and {len(several) - _NAMED} more"] if len(several) > _NAMED else []
    raise NotSo(
        f"several things wait at the gate of {identifier[:200]}: {', '.join([*named, *more])}",
        f"say which one by its id: `reconciler {verb} {short(several[0][0])}`, or another of them",
    )
