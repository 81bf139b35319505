"""What would happen? The daemon's own steps, taken in a transaction that is rolled back.

Commits are noted, plans made and written down by the code that does it in earnest; targets are never reached. Where the
future is asked for, every deployment is taken to go well and at once; a rollout in steps takes the time of its steps.
What is left to people, approvals above all, is not guessed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from reconciler.engine import rolling
from reconciler.engine.carry import carry
from reconciler.engine.following import Following, Seen
from reconciler.engine.outcomes import Kind, Outcome, note_outcome
from reconciler.model.environment import Environment
from reconciler.model.plan import Abort, Action, Plan, together
from reconciler.model.rollout import progress_of
from reconciler.store import attention, declared, deployments, repository
from reconciler.store.database import Database, Transaction
from reconciler.store.migrate import create_fresh
from reconciler.views.planning import plan_apps
from reconciler.views.scene import declared_environments, scene_of

if TYPE_CHECKING:
    from reconciler.git.mirror import Mirror

BATCH = 500
NOBODY = "rehearsal"
MOST_ROUNDS = 5_000
"""Steps into the future that one rehearsal takes."""


def in_memory() -> Database:
    """An empty store that is gone with the process."""
    made = Database("sqlite://")
    create_fresh(made)
    return made


@dataclass(slots=True)
class Rehearsal:
    """A store in a transaction that is rolled back, and a branch that is noted into it."""

    transaction: Transaction
    following: Following
    cut_at: datetime | None = None
    """Where the walk into the future was ended, since it took too many steps (UTC)."""

    @property
    def noted(self) -> str | None:
        """The commit that is in force."""
        place = repository.followed(self.transaction.connection)
        return place.head if place else None

    def note(self, head: str | None, now: datetime) -> None:
        """Let the branch be at `head`."""
        if head is not None:
            self.following.note(self.transaction, Seen(head=head, new=True), now)

    def look_at_all_that_matters(self, now: datetime) -> None:
        """Plan also what nothing has become due of, but has something to say: what waits or is refused."""
        names = attention.with_something_to_say(self.transaction.connection)
        declared.mark_due(self.transaction, names, now)

    def plan(self, now: datetime) -> dict[str, Plan]:
        """The plans of every app that is due at `now` (UTC), by its name, written down."""
        connection = self.transaction.connection
        scene = scene_of(connection)
        plans: dict[str, Plan] = {}
        stopped: set[str] = set()
        while names := declared.due(connection, now, BATCH):
            for group in plan_apps(connection, names, scene, now):
                carry(self.transaction, together(group.values()), now)
                declared.planned(self.transaction, {name: plan.wake_at for name, plan in group.items()})
                plans |= group
                stopped |= {name for name, plan in group.items() if any(map(_stops, plan.actions))}
        # What stood behind something that was stopped can go on, as the daemon sees it in its next turn.
        declared.mark_due(self.transaction, stopped | declared.dependents(connection, stopped), now)
        return plans

    def complete(self, now: datetime) -> bool:
        """Let all that is under way end well; whether anything was. A rollout rests at its next step."""
        connection = self.transaction.connection
        environments = declared_environments(connection)
        rows = deployments.active(connection)
        worked = [self._complete(row, environments, now) for row in rows]
        return any(worked)

    def _complete(self, row: Row[Any], environments: Mapping[str, Environment], now: datetime) -> bool:
        if row.status == "pending":
            deployments.claim(self.transaction, row, NOBODY, 0, now, again=False)
            rolling.begin(self.transaction, row, now)
        elif row.next_attempt_at is not None:
            if row.next_attempt_at > now:
                return False
            deployments.claim(self.transaction, row, NOBODY, 0, now, again=True)
        found = deployments.by_ids(self.transaction.connection, [row.id])[row.id]
        progress = progress_of(found.rollout)
        if progress is not None and progress.resting:
            return False
        kind: Kind = "aborted" if found.abort_reason is not None else "completed"
        stage = progress.stage if progress is not None else None
        note_outcome(self.transaction, Outcome(deployment=row.id, kind=kind, stage=stage), environments, now)
        return True

    def settle(self, now: datetime) -> Iterator[dict[str, Plan]]:
        """Everything that follows at `now`, round by round until nothing is left to do."""
        waiting = {row.app for row in deployments.active(self.transaction.connection) if row.status == "pending"}
        declared.mark_due(self.transaction, waiting, now)  # a freeze may have begun since they were planned
        for _ in range(MOST_ROUNDS):
            plans = self.plan(now)
            yield plans
            worked = self.complete(now)
            if not worked and all(plan.empty for plan in plans.values()):
                return

    def next_moment(self) -> datetime | None:
        """When something can follow without a new commit (UTC); None: never."""
        return deployments.next_work(self.transaction.connection)

    def unfold(self, now: datetime, until: datetime) -> Iterator[tuple[datetime, dict[str, Plan]]]:
        """Everything that follows from `now` to `until` (UTC), with the moments at which it does."""
        moment: datetime | None = now
        for _ in range(MOST_ROUNDS):
            if moment is None or moment > until:
                return
            for plans in self.settle(moment):
                yield moment, plans
            moment = self.next_moment()
        self.cut_at = moment


def _stops(action: Action) -> bool:
    return isinstance(action, Abort) and not action.running


@contextmanager
def rehearsal(
    database: Database, mirror: Mirror, *, root: str, adopt: int, allow_rewrites: bool
) -> Iterator[Rehearsal]:
    """A rehearsal on a store; nothing of it stays. `root` and `adopt` are as for `Following`."""
    never = timedelta(days=1)
    following = Following(database, mirror, root=root, interval=never, allow_rewrites=allow_rewrites, adopt=adopt)
    try:
        with database.rehearse() as transaction:
            yield Rehearsal(transaction, following)
    finally:
        following.close()
