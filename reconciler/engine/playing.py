"""What does a rehearsal do with apps that are due, and with deployments that are under way?

The steps of the daemon's turn, by the daemon's own code. Apart from `rehearsing`, since they bring the planner along:
where nothing is due, nothing is planned.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from reconciler.engine import rolling
from reconciler.engine.carry import carry
from reconciler.engine.outcomes import Kind, Outcome, note_outcomes
from reconciler.model.environment import Environment
from reconciler.model.plan import Plan, together
from reconciler.model.rollout import progress_of
from reconciler.store import deployments, due
from reconciler.store.database import Transaction
from reconciler.views.planning import plan_apps
from reconciler.views.scene import declared_environments, scene_of

BATCH = 500
NOBODY = "rehearsal"


def planned(transaction: Transaction, now: datetime) -> dict[str, Plan]:
    """The plans of every app that is due at `now` (UTC), by its name, written down."""
    connection = transaction.connection
    scene = scene_of(connection)
    plans: dict[str, Plan] = {}
    stopped: set[str] = set()
    while names := due.apps(connection, now, BATCH):
        for group in plan_apps(connection, names, scene, now):
            carry(transaction, together(group.values()), now)
            due.planned(transaction, {name: plan.wake_at for name, plan in group.items()})
            plans |= group
            stopped |= {name for name, plan in group.items() if plan.stops}
    # What stood behind something that was stopped can go on, as the daemon sees it in its next turn.
    due.mark_with_dependents(transaction, stopped, now)
    return plans


def completed(transaction: Transaction, now: datetime) -> bool:
    """Let all that is under way end well; whether anything was. A rollout rests at its next step."""
    connection = transaction.connection
    environments = declared_environments(connection)
    worked = [_complete(transaction, row, environments, now) for row in deployments.active(connection)]
    return any(worked)


def _complete(transaction: Transaction, row: Row[Any], environments: Mapping[str, Environment], now: datetime) -> bool:
    if row.status == "pending":
        deployments.claim(transaction, row, NOBODY, 0, now, again=False)
        rolling.begin(transaction, row, now)
    elif row.next_attempt_at is not None:
        if row.next_attempt_at > now:
            return False
        deployments.claim(transaction, row, NOBODY, 0, now, again=True)
    found = deployments.by_ids(transaction.connection, [row.id])[row.id]
    progress = progress_of(found.rollout)
    if progress is not None and progress.resting:
        return False
    kind: Kind = "aborted" if found.abort_reason is not None else "completed"
    stage = progress.stage if progress is not None else None
    note_outcomes(transaction, [Outcome(deployment=row.id, kind=kind, stage=stage)], environments, now)
    return True
