"""Does what is to be done wait since a commit changes too much at once, and when is nothing left of that?

How much is too much is weighed where the commit is noted.
"""

from collections.abc import Mapping

from reconciler.desired import Desired
from reconciler.model.plan import Plan, Refused
from reconciler.model.traffic import versions_in
from reconciler.planner.answer import Aim
from reconciler.planner.recorded import Brake, EnvironmentRecord, RecordedApp

_COMMITTED = frozenset({"release", "restore", "retry"})
"""Causes that a commit's change of the manifests has: only they are weighed by the brake. A promotion that follows is
not weighed again, but brings nothing along that waits in its own environment."""


def holding(goal: Aim, recorded: RecordedApp, record: EnvironmentRecord) -> Brake | None:
    """The newest commit whose change of this, too much at once, waits for an acknowledgement; None where none does."""
    if not recorded.brakes:
        return None
    cause, settled = goal.why.cause, record.settled
    # A season that was declared after it had begun comes with its commit; at its moment, it is an edge of time.
    late = cause == "season-start" and goal.why.due_at is None
    here = {record.environment} if late or cause in _COMMITTED or cause in ("promotion", "schedule") else set()
    if cause in _COMMITTED and (settled is None or versions_in(settled.traffic) != versions_in(goal.subject.traffic)):
        here.add("")
    return next((brake for brake in reversed(recorded.brakes) if brake.environment in here), None)


def refused(brake: Brake, recorded: RecordedApp, record: EnvironmentRecord) -> Refused:
    """What it says, with its numbers and the way out."""
    share = 100 * brake.changed / max(brake.recorded, 1)
    return Refused(
        app=recorded.app,
        environment=record.environment,
        rule="mass-change",
        detail=f"{brake.commit[:10]} changes or removes {brake.changed} of {brake.recorded} ({share:.0f} %): revert "
        f"it, or commit with the trailer `Allow-Mass-Change: {brake.changed}`",
    )


def nothing_left(
    plans: Mapping[str, Plan], desired: Mapping[str, Desired], recorded: RecordedApp
) -> tuple[tuple[str, str], ...]:
    """Where what a commit changed too much at once asks for nothing any more: it was put back by another one, in
    whatever steps, or a season of it is over. What it scheduled is still to come."""
    at_rest = {
        name
        for name, plan in plans.items()
        if not (plan.actions or plan.waiting or plan.refused)
        and ((record := recorded.environments.get(name)) is None or (record.active is None and record.hold is None))
        and not ((wanted := desired.get(name)) and (wanted.scheduled_next or wanted.pause))
    }
    everywhere = {""} if at_rest == set(plans) else set()
    braked = dict.fromkeys(brake.environment for brake in recorded.brakes)
    return tuple((recorded.app, name) for name in braked if name in at_rest | everywhere or name not in {"", *plans})
