"""What must have happened, told from the history of the branch alone?

The history is lived through once more, commit by commit, in simulated time: the clock shows when each commit was made,
and between two of them every moment at which something was due. The steps are the daemon's own, with targets that do
well at once and checks that pass. What people said is in no commit: no gate is passed that asks for them. What targets
really run is brought in by `adopting`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection

from reconciler.engine.following import Following
from reconciler.errors import NotSo
from reconciler.git.history import WHOLE, history
from reconciler.git.shapes import Commit
from reconciler.model.plan import Plan
from reconciler.schedule import to_the_second
from reconciler.store import due, gates, ledger, remade
from reconciler.store.database import Database, Transaction

PIECE = 100
"""So many commits are noted in one transaction."""
MOMENT = timedelta(microseconds=1)
TAKEN = "taken to have passed, since git does not know of it"
MOST_ROUNDS = 1_000_000
"""Moments between two commits: only something that is due again and again without end comes to more."""


class Future(Protocol):
    """Takes the daemon's own steps in a transaction, with targets that do well at once."""

    def note(self, head: str | None, now: datetime) -> None:
        """Let the branch be at `head`."""

    def settle(self, now: datetime) -> Iterator[Mapping[str, Plan]]:
        """Everything that follows at `now`, round by round until nothing is left to do."""

    def next_moment(self) -> datetime | None:
        """When something can follow without a new commit (UTC)."""


Living = Callable[[Transaction, Following], Future]
Telling = Callable[[int, int], None]
"""Hears how many commits of how many are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a history came to."""

    head: str
    commits: int
    versions: int
    deployments: int

    def body(self) -> dict[str, object]:
        """As the ledger has it."""
        counts = {"commits": self.commits, "versions": self.versions, "deployments": self.deployments}
        return {"head": self.head, **counts}


def commits_of(following: Following, head: str) -> tuple[Commit, ...]:
    """Every state that the branch was in, from the first commit on."""
    return history(following.objects, None, head, WHOLE).commits


def replay(
    database: Database, following: Following, living: Living, head: str, until: datetime, tell: Telling
) -> Rebuilt:
    """Live through the history up to `head` and on to `until` (UTC), into an empty store.

    Raises GitError where the repository lacks something, NotSo where a history comes to no end.
    """
    commits = commits_of(following, head)
    moments = _moments(commits, until)
    for start in range(0, len(commits), PIECE):
        with database.write() as transaction:
            future = living(transaction, following)
            for place in range(start, min(start + PIECE, len(commits))):
                future.note(commits[place].id, moments[place])
                _live(transaction, future, moments[place], moments[place + 1])
                transaction.flush()
        tell(min(start + PIECE, len(commits)), len(commits))
    with database.read() as connection:
        return _counted(connection, head)


def finish(transaction: Transaction, found: Rebuilt, now: datetime) -> None:
    """Mark what was rebuilt as such, seal it, and leave the rest to the next turn."""
    # No check was run: where one counts now, the next turn asks for it.
    remade.mark(transaction.connection, now)
    transaction.note("store.rebuilt", now, found.body(), subject=found.head)
    due.mark_all(transaction, now)
    transaction.flush()
    ledger.seal(transaction, now)


def _moments(commits: Sequence[Commit], until: datetime) -> list[datetime]:
    """When each commit is taken to have arrived, and the end. Clocks of machines differ, but time never goes back."""
    moments: list[datetime] = []
    for commit in commits:
        moments.append(min(max(commit.committed_at, moments[-1] if moments else commit.committed_at), until))
    return [*moments, until]


def _live(transaction: Transaction, future: Future, now: datetime, until: datetime) -> None:
    """Everything that follows from `now` until just before the next commit."""
    moment: datetime | None = now
    last = max(until - MOMENT, now)
    for _ in range(MOST_ROUNDS):
        if moment is None or moment > last:
            return
        _settle(transaction, future, moment)
        moment = future.next_moment()
        moment = None if moment is None else max(moment, now)
    raise NotSo(f"the history does not come to rest at {to_the_second(now)}", "please report it")


def _settle(transaction: Transaction, future: Future, now: datetime) -> None:
    """Everything that follows at a moment, when every check that is asked for passes at once."""
    while True:
        for _plans in future.settle(now):
            pass
        rows = gates.to_run(transaction.connection, now)
        for row in rows:
            gates.ended(transaction, row.app, row.environment, row.key, row.name, "passed", TAKEN, "", now)
        if not rows:
            return
        due.mark(transaction, {row.app for row in rows}, now)


def _counted(connection: Connection, head: str) -> Rebuilt:
    return Rebuilt(head=head, **remade.counts(connection))
