"""What is one turn of the daemon?

Observe (answers of targets, the head of the branch), note what is new, plan the apps whose plan can be another
one, write the intents, give turns. All facts of a turn are one transaction: killed anywhere, the next turn
begins where this one did. Of several daemons only the one that leads observes the branch, plans, and runs what belongs
to a gate; every one of them carries deployments out and records how they went.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from reconciler import telemetry
from reconciler.desired import earliest
from reconciler.engine.branches import Branches
from reconciler.engine.carry import by_person
from reconciler.engine.claim import Begun, claim, claim_checks, claim_triggers
from reconciler.engine.following import Following
from reconciler.engine.going_back import answer_wishes
from reconciler.engine.looked import Seen
from reconciler.engine.membership import Membership
from reconciler.engine.outcomes import CheckOutcome, Outcome, TriggersOutcome, note_check, note_outcomes, note_triggers
from reconciler.engine.perform import Job, TriggersJob
from reconciler.engine.planning import Planning
from reconciler.engine.pool import Answer as PoolAnswer
from reconciler.engine.pool import Pool
from reconciler.engine.signing import Signing
from reconciler.engine.telling import tell_triggers
from reconciler.engine.yielding import Yielding
from reconciler.model.deployment import Deployment
from reconciler.model.environment import Environment
from reconciler.store import deployments, due, gates, interventions, waiting
from reconciler.store.ahead import ahead
from reconciler.store.database import Database, Transaction
from reconciler.store.rows import deployment_of
from reconciler.views.scene import declared_environments, scene_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one turn found and did."""

    commits: int = 0
    answers: int = 0
    planned: int = 0
    begun: int = 0
    wake_at: datetime | None = None
    """When the next turn has something to do without being nudged (UTC)."""

    @property
    def did_something(self) -> bool:
        """Whether anything was new."""
        return bool(self.commits or self.answers or self.planned or self.begun)


class Cycle:
    """Takes turns on one store, one followed branch and one pool."""

    def __init__(
        self,
        database: Database,
        following: Following,
        pool: Pool,
        branches: Branches,
        signing: Signing,
        membership: Membership,
        on_event: Callable[[Deployment], None] | None = None,
    ) -> None:
        self._database = database
        self._following = following
        self._pool = pool
        self._on_event = on_event
        self._branches = branches
        self._signing = signing
        self._membership = membership
        self._certain = False
        self._led = False
        self._next_check: datetime | None = None
        self._planning = Planning(signing)
        self._yielding = Yielding()

    def look_at_all(self) -> None:
        """Plan every app again, against a mark that was never set: a piece a turn, after what is due by itself."""
        self._planning.look_at_all()

    def turn(self, now: datetime) -> Turn:
        """One turn at `now` (UTC). Raises StoreError when the store does not answer; nothing is lost then.

        Raises LeaseLost when the other daemons have given this one up: then it has to begin a new life.
        """
        answers = self._pool.answers()
        try:
            if not self._membership.begun:
                self._membership.join()
            if not self._membership.leads:
                self._led = False
                return self._assist(answers, now)
            if not self._led:
                self._take_over(now)
            if self._following.holding and self._accepted():
                self._following.looking.again()
            with telemetry.stage("look"):
                seen = self._following.looking.look(now)
            return self._turn(answers, seen, now)
        except BaseException:
            # Nobody knows how far it came, not even whether it was committed: the next turn looks at everything.
            self._certain = False
            self._signing.unsure()
            self._pool.give_back(answers)
            raise

    def forget(self) -> None:
        """A new life begins: others carry out what this daemon had begun, and may have led meanwhile."""
        self._pool.forget()
        self._yielding.forget()
        self._certain = self._led = False

    def _take_over(self, now: datetime) -> None:
        """This daemon leads since just now: what it remembers of the branch may be old."""
        self._certain = False
        self._signing.unsure()
        self._following.looking.again()
        self._following.begin(now)
        self._following.looking.ask()
        self._led = True

    def _assist(self, answers: Sequence[PoolAnswer], now: datetime) -> Turn:
        """A turn of a daemon that does not lead: record what was answered, and carry out what waits."""
        something, wake_at = self._to_assist(now)
        if not answers and not something:
            return Turn(wake_at=wake_at)
        with self._database.write() as transaction:
            connection = transaction.connection
            environments = declared_environments(connection)
            refused = _record(transaction, answers, environments, now)
            self._heed(connection, answers, now)
            begun = self._begun(transaction, answers)
            with telemetry.stage("claim"):
                jobs = claim(
                    transaction, begun, environments, self._pool, now, self._membership, self._yielding.most(now)
                )
            to_stop = [row.id for row in begun.rows if row.abort_reason is not None]
            place = self._following.require_fit(connection) if jobs else None
        if place is not None and place.head is not None:
            self._following.looking.keep_up(place.head, now)
        self._after(answers, jobs, [], to_stop, refused)
        return Turn(answers=len(answers), begun=len(jobs), wake_at=_next_attempt(begun.rows, now))

    def _to_assist(self, now: datetime) -> tuple[bool, datetime | None]:
        """Whether something waits that this daemon can carry out, or is to stop, and when it will; reads only."""
        with self._database.read() as connection:
            begun = deployments.started(connection)
            wake_at = _next_attempt(begun, now)
            if any(row.abort_reason is not None and row.id in self._pool.busy for row in begun):
                return True, wake_at
            if not self._is_free(now):
                return False, earliest([wake_at, self._yielding.wakes_at(now)])
            attended = self._attended(connection, begun, self._pool.busy)
            return waiting.anything(connection) or bool(deployments.to_resume(begun, now, attended)), wake_at

    def _begun(self, transaction: Transaction, answers: Sequence[PoolAnswer]) -> Begun:
        rows = deployments.started(transaction.connection)
        answered = frozenset(answer.deployment for answer in answers if isinstance(answer, Outcome))
        attended = self._attended(transaction.connection, rows, self._pool.busy - answered)
        return Begun(rows=rows, attended=attended, answered=answered)

    def _attended(self, connection: Connection, begun: Sequence[Row[Any]], mine: frozenset[str]) -> frozenset[str]:
        """The ids of those that somebody carries out: this process has `mine` under way.

        Which other daemons live is asked only where one of them has taken something.
        """
        strangers = any(row.claimed_by not in (None, self._membership.me) for row in begun)
        others = self._membership.living(connection) if strangers else frozenset()
        return deployments.attended(begun, mine, others)

    def _turn(self, answers: Sequence[PoolAnswer], seen: Seen, now: datetime) -> Turn:
        if not answers and not seen.new and not self._branches.answered:
            work_left, wake_at = self._work_left(now)
            if not work_left:
                return Turn(wake_at=wake_at)
        with self._database.write() as transaction:
            with telemetry.stage("note"):
                commits = self._following.note(transaction, seen, now)
            scene = scene_of(transaction.connection)
            environments = scene.environments
            refused = _record(transaction, answers, environments, now)
            self._heed(transaction.connection, answers, now)
            written = self._branches.record(transaction, now)
            self._signing.refresh(transaction, now)
            answer_wishes(transaction, scene, now)
            planned = self._planning.plan(transaction, scene, now, commits=commits, answers=len(answers))
            self._pool.expect(planned.targets(environments))
            begun = self._end_stopped(transaction, self._begun(transaction, answers), now)
            asked = frozenset(answer.gate for answer in answers if isinstance(answer, CheckOutcome))
            with telemetry.stage("claim"):
                jobs = claim(
                    transaction, begun, environments, self._pool, now, self._membership, self._yielding.most(now)
                )
            left = ahead(transaction.connection)
            checks = claim_checks(transaction, environments, self._pool, now, asked) if left.checks else []
            handed = claim_triggers(transaction, environments, self._pool, now, begun, jobs) if left.triggers else []
            self._next_check = gates.next_check(transaction.connection, now) if left.checks else None
            to_write = self._branches.due(transaction.connection, now, lacking=left.branches)
            # An attempt that nobody here is free for waits for an answer, which is a nudge: no moment helps it.
            free = self._pool.workers > len(self._pool.busy - begun.answered) + len(jobs)
            free = free and self._yielding.most(now) is None
            attempt_at = left.attempt_at if free else self._yielding.wakes_at(now)
            wake_at = earliest([left.due_at, attempt_at, self._next_check, self._branches.next_try])
        self._planning.recorded(planned, now, free=free)
        self._following.considered(seen)
        self._after(answers, jobs, handed, [row.id for row in begun.rows if row.abort_reason is not None], refused)
        for check in checks:
            self._pool.begin_check(check)
        self._branches.begin(to_write)
        self._certain = True
        return Turn(
            commits=commits,
            answers=len(answers) + written,
            planned=planned.count,
            begun=len(jobs) + len(checks) + len(handed),
            wake_at=wake_at,
        )

    @property
    def idle(self) -> bool:
        """Whether nothing is under way, and every answer and branch has been recorded."""
        return self._pool.idle and self._branches.idle

    def record_only(self, now: datetime) -> None:
        """Record the answers that are there, and begin nothing: the daemon is ending."""
        answers = self._pool.answers()
        if not answers and not self._branches.answered:
            return
        try:
            with self._database.write() as transaction:
                self._branches.record(transaction, now)
                _record(transaction, answers, declared_environments(transaction.connection), now)
        except BaseException:
            self._pool.give_back(answers)
            raise
        self._pool.recorded(list(answers))

    def _work_left(self, now: datetime) -> tuple[bool, datetime | None]:
        """Whether the store holds anything to do now, and when it will; reads only."""
        if not self._certain or self._planning.looks_at_all:
            return True, None
        with self._database.read() as connection:
            free = self._is_free(now)
            work = due.next_work(connection, attempts=free)
            if work is not None and work <= now:
                return True, work
            again = earliest([self._next_check, self._branches.next_try, self._yielding.wakes_at(now)])
            ripe = (again is not None and again <= now) or self._signing.changed(now)
            left = ripe or bool(free and (waiting.anything(connection) or self._left_behind(connection, now)))
            return left, earliest([work, again])

    def _is_free(self, now: datetime) -> bool:
        """Whether this daemon can take something on."""
        most = self._yielding.most(now)
        return self._pool.workers > len(self._pool.busy) and (most is None or most > len(self._pool.busy))

    def _heed(self, connection: Connection, answers: Sequence[PoolAnswer], now: datetime) -> None:
        self._yielding.heed(answers, now, lambda: bool(self._membership.living(connection)))

    def _left_behind(self, connection: Connection, now: datetime) -> bool:
        """Whether a daemon that lives no more had begun something; reads only."""
        if self._membership.lease is None:  # what was begun before is taken up with the first turn
            return False
        begun = deployments.started(connection)
        attended = self._attended(connection, begun, self._pool.busy)
        return bool(deployments.to_resume(begun, now, attended) or deployments.stopped_meanwhile(begun, attended))

    def _accepted(self) -> bool:
        with self._database.read() as connection:
            return bool(interventions.open_of(connection, "accept"))

    def _end_stopped(self, transaction: Transaction, begun: Begun, now: datetime) -> Begun:
        """What is to stop and is carried out by nobody, since the process was killed over it, has stopped.

        The deployments that have begun and go on.
        """
        ended = deployments.stopped_meanwhile(begun.rows, begun.attended)
        for row in ended:
            deployments.move(transaction, row, "aborted", now, row.abort_reason)
            by_person(transaction, row, now, row.abort_reason)
        due.mark_with_dependents(transaction, {row.app for row in ended}, now)
        gone = {row.id for row in ended}
        return replace(begun, rows=[row for row in begun.rows if row.id not in gone]) if ended else begun

    def _after(
        self,
        answers: Sequence[PoolAnswer],
        jobs: Sequence[Job],
        handed: Sequence[TriggersJob],
        told_to_stop: Sequence[str],
        refused: Sequence[TriggersOutcome],
    ) -> None:
        """Only what is in the store by now is acted on, and told."""
        self._pool.recorded(list(answers))
        for one in refused:
            tell_triggers(one)
        for job in jobs:
            self._pool.begin(job)
        for handing in handed:
            self._pool.begin_triggers(handing)
        for deployment in told_to_stop:
            self._pool.stop(deployment)
        if self._on_event and answers:
            self._tell(answers)

    def _tell(self, answers: Sequence[PoolAnswer]) -> None:
        ids = [answer.deployment for answer in answers if isinstance(answer, Outcome)]
        if not ids or self._on_event is None:
            return
        with self._database.read() as connection:
            for row in deployments.by_ids(connection, ids).values():
                self._on_event(deployment_of(row))


def _record(
    transaction: Transaction,
    answers: Sequence[PoolAnswer],
    environments: Mapping[str, Environment],
    now: datetime,
) -> list[TriggersOutcome]:
    """Record what was answered; the trigger settings among them that a target refused, where that counts any more."""
    refused: list[TriggersOutcome] = []
    note_outcomes(transaction, [one for one in answers if isinstance(one, Outcome)], environments, now)
    for answer in answers:
        if isinstance(answer, Outcome):
            continue
        if isinstance(answer, CheckOutcome):
            note_check(transaction, answer, now)
        elif note_triggers(transaction, answer, now) and answer.refused:
            refused.append(answer)
    return refused


def _next_attempt(begun: Sequence[Row[Any]], now: datetime) -> datetime | None:
    """When one of these is tried again; what is due by now is begun now, or after an answer, which is a nudge."""
    return earliest([row.next_attempt_at for row in begun if row.next_attempt_at and row.next_attempt_at > now])
