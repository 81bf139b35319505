"""What would happen? The daemon's own steps, taken in a transaction that is rolled back.

Commits are noted, plans made and written down by the code that does it in earnest; targets are never reached. Where the
future is asked for, every deployment is taken to go well and at once; a rollout in steps takes the time of its steps.
What is left to people, approvals above all, is not guessed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reconciler.engine.following import Following
from reconciler.engine.looked import Seen
from reconciler.store import attention, due, repository
from reconciler.store.database import Database, Transaction
from reconciler.store.migrate import create_fresh

if TYPE_CHECKING:
    from reconciler.git.mirror import Mirror
    from reconciler.model.plan import Plan

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
    meanwhile: Callable[[], None] | None = None
    """Called again and again while it lasts; what it raises ends it."""

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
        due.mark(self.transaction, names, now)

    def plan(self, now: datetime) -> dict[str, Plan]:
        """The plans of every app that is due at `now` (UTC), by its name, written down."""
        if not due.apps(self.transaction.connection, now, 1):
            return {}
        # With the first app that is due: it brings the planner along.
        from reconciler.engine import playing

        return playing.planned(self.transaction, now)

    def complete(self, now: datetime) -> bool:
        """Let all that is under way end well; whether anything was. A rollout rests at its next step."""
        from reconciler.engine import playing

        return playing.completed(self.transaction, now)

    def settle(self, now: datetime) -> Iterator[dict[str, Plan]]:
        """Everything that follows at `now`, round by round until nothing is left to do."""
        from reconciler.store import deployments

        waiting = {row.app for row in deployments.active(self.transaction.connection) if row.status == "pending"}
        due.mark(self.transaction, waiting, now)  # a freeze may have begun since they were planned
        for _ in range(MOST_ROUNDS):
            if self.meanwhile is not None:
                self.meanwhile()
            plans = self.plan(now)
            yield plans
            worked = self.complete(now)
            if not worked and all(plan.empty for plan in plans.values()):
                return

    def next_moment(self) -> datetime | None:
        """When something can follow without a new commit (UTC); None: never."""
        return due.next_work(self.transaction.connection)

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


@contextmanager
def rehearsal(
    database: Database,
    mirror: Mirror,
    *,
    root: str,
    adopt: int,
    allow_rewrites: bool,
    meanwhile: Callable[[], None] | None = None,
) -> Iterator[Rehearsal]:
    """A rehearsal on a store; nothing of it stays. `root` and `adopt` are as for `Following`, `meanwhile` as for
    `Rehearsal`."""
    never = timedelta(days=1)
    following = Following(database, mirror, root=root, interval=never, allow_rewrites=allow_rewrites, adopt=adopt)
    try:
        with database.rehearse(meanwhile) as transaction:
            yield Rehearsal(transaction, following, meanwhile=meanwhile)
    finally:
        following.close()
