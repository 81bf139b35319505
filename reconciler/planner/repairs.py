"""Is what drifted to be deployed again now, and if not, why?

Only where the environment asks for it and nothing else is to be done there. Whoever fights over a file with somebody
else gives in: each repair in a row that did not last makes the next one wait longer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from reconciler.desired import Desired
from reconciler.model.deployment import Deployment
from reconciler.model.plan import Waiting
from reconciler.model.version import spoken
from reconciler.planner.answer import Aim, Answer
from reconciler.planner.causes import Why
from reconciler.planner.recorded import DriftRecord, EnvironmentRecord, RecordedApp
from reconciler.schedule import spell

PAUSES = (timedelta(), timedelta(minutes=1), timedelta(minutes=5))
"""How long after the one before it the first, second and third repair in a row may follow."""
LONG = timedelta(hours=1)
"""The pause after that, which doubles each time."""
LONGEST = timedelta(days=1)
IN_A_ROW = 2 * LONGEST
"""What lasted longer than this is no repair in vain."""


def again(
    answer: Answer, wanted: Desired | None, recorded: RecordedApp, record: EnvironmentRecord, now: datetime
) -> tuple[Aim | None, tuple[Waiting, ...]]:
    """What ran, to be deployed once more where it has drifted; or what that waits for."""
    drift, settled = record.drift, record.settled
    if drift is None or settled is None or wanted is None or not wanted.repairs_drift or recorded.complaints:
        return None, ()
    if _is_held(answer, record) or settled.grounds.target not in ("", wanted.target):
        return None, ()
    if waiting := _in_vain(drift, wanted, record, now):
        return None, (waiting,)
    words = Why(
        cause="repair",
        reason=f"{spoken(settled.traffic)} once more, since it has drifted: {drift.detail}",
        commit=settled.commit,
    )
    return Aim(subject=settled.subject, grounds=settled.grounds, why=words), ()


def _is_held(answer: Answer, record: EnvironmentRecord) -> bool:
    """Whether git and reality differ on purpose."""
    return record.hold is not None or any(refused.rule == "suspect" for refused in answer.refused)


def _in_vain(drift: DriftRecord, wanted: Desired, record: EnvironmentRecord, now: datetime) -> Waiting | None:
    """How long the next repair waits, since those before it did not last."""
    before = _in_a_row(record, now)
    if not before:
        return None
    count = len(before)
    pause = PAUSES[count] if count < len(PAUSES) else min(LONG * 2 ** (count - len(PAUSES)), LONGEST)
    until = _ended(before[0]) + pause
    if until <= now:
        return None
    repairs = "the last repair" if count == 1 else f"{count} repairs in a row"
    return Waiting(
        app=wanted.app,
        environment=wanted.environment,
        waits_for="repair",
        until=until,
        detail=f"{repairs} did not last, so the next one comes {spell(pause)} after it: {drift.detail}",
    )


def _in_a_row(record: EnvironmentRecord, now: datetime) -> list[Deployment]:
    """The repairs in vain, newest first: nothing else was deployed since, and none of them lasted long."""
    moments = [now]
    found = []
    for one in record.recent:
        if one.started_at is None:
            continue
        if one.cause != "repair" or moments[-1] - _ended(one) > IN_A_ROW:
            break
        moments.append(_ended(one))
        found.append(one)
    return found


def _ended(one: Deployment) -> datetime:
    return one.finished_at or one.created_at
