"""Where does the commit lie that makes git say what a hold says?

The daemon writes it onto a branch of its own, ready for a pull request, and never onto the one that is followed. That
happens beside the turns, in a thread: git may be slow or not answer, and going back waits for neither. What comes of it
is recorded with the next turn. A branch that is there already with the same commits taken back is taken as written, so
being killed between the push and the record does no harm. One that cannot be made on the head of the branch that is
followed is tried again on the next head, and once by each process. What the commit says is in `branch_words`.
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from reconciler import telemetry
from reconciler.desired import earliest
from reconciler.engine.branch_words import Case, case_of, message
from reconciler.errors import NotSo, ReconcilerError
from reconciler.git.fetched_again import FetchedAgain
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Objects
from reconciler.git.pushing import push
from reconciler.git.signatures import Person, Signature
from reconciler.git.taking_back import Conflicts, revert_commit
from reconciler.git.writing import set_branch
from reconciler.schedule import backoff, to_the_second
from reconciler.store import holds, repository
from reconciler.store.database import Transaction

log = telemetry.logger("daemon")

MOST = 20
"""So many branches are written one after the other before the next turn is told."""
FIRST_PAUSE = timedelta(seconds=5)
_NUMBERS = 9
_SECONDS = 20
"""How long looking for a branch may take; thirty times as long where it has never been seen: see `Mirror`."""
_REVERTS = re.compile(r"^This reverts commit ([0-9a-f]{40,64})\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How branches are written: into which repository, under which names, by whom."""

    url: str
    base: Path
    """Where a relative `url` begins."""
    followed: str
    prefix: str
    author: Person
    push: bool
    """Whether they are pushed; else they stay in the mirror."""


@dataclass(frozen=True, slots=True)
class Job:
    """A hold whose commit is to be written on top of `head`."""

    row: Row[Any]
    case: Case | None
    """None where no commit asked for what went wrong."""
    head: str


_Hold = tuple[str, str, datetime]


@dataclass(frozen=True, slots=True)
class _Answer:
    job: Job
    branch: str = ""
    commit: str = ""
    trouble: str = ""
    again: bool = False


class Branches:
    """Writes the branches of holds; `nudge` is called when there is something to record. None for `how`: never."""

    def __init__(self, mirror: FetchedAgain, how: Writing | None, nudge: Callable[[], None]) -> None:
        self._mirror = mirror
        self._how = how
        self._nudge = nudge
        self._answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._under_way = 0
        self._failures: dict[_Hold, int] = {}
        self._in_vain: dict[_Hold, str] = {}
        """The head on which a commit could not be made: on the same one it cannot be made a second time."""
        self._next: datetime | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing is being written and everything is recorded."""
        with self._lock:
            return self._under_way == 0

    @property
    def answered(self) -> bool:
        """Whether there is something to record."""
        return not self._answers.empty()

    @property
    def next_try(self) -> datetime | None:
        """When one that could not be written is tried again (UTC)."""
        return self._next

    def due(self, connection: Connection, now: datetime, *, lacking: bool) -> list[Job]:
        """What is to be written at `now` (UTC), where nothing is being written yet; `lacking`: a hold has no branch."""
        holding = holds.without_branch(connection) if lacking and self._how is not None else []
        # What is due by now is begun now, or after what is being written: its answer is a nudge.
        self._next = earliest([row.again_at for row in holding if row.again_at is not None and row.again_at > now])
        place = repository.followed(connection) if holding and self.idle else None
        if place is None or place.head is None:
            return []
        still = {_key(row) for row in holding}
        self._in_vain = {key: head for key, head in self._in_vain.items() if key in still}
        rows = [
            row
            for row in holding
            if (row.again_at is None or row.again_at <= now) and self._in_vain.get(_key(row)) != place.head
        ]
        return [Job(row, _case(connection, row), place.head) for row in rows[:MOST]]

    def begin(self, jobs: Sequence[Job]) -> None:
        """Begin to write; when the facts that it follows from are in the store."""
        if not jobs:
            return
        with self._lock:
            self._under_way += len(jobs)
        # Not one that the end of the process waits for: what it pushed by then is found there by the next start.
        threading.Thread(target=self._work, args=(jobs,), daemon=True, name="branches").start()

    def record(self, transaction: Transaction, now: datetime) -> int:
        """Write down what has come of it; how many answers there were."""
        count = 0
        while not self._answers.empty():
            answer = self._answers.get()
            with self._lock:
                self._under_way -= 1
            self._record(transaction, answer, now)
            count += 1
        return count

    def _record(self, transaction: Transaction, answer: _Answer, now: datetime) -> None:
        row = answer.job.row
        key = _key(row)
        about = {"app": row.app, "environment": row.environment}
        if answer.commit:
            self._failures.pop(key, None)
            if holds.wrote_branch(transaction, row, answer.branch, answer.commit, now):
                log.info("branch.written", **about, branch=answer.branch, commit=answer.commit[:10])
            return
        again_at = None
        if answer.again:
            self._failures[key] = self._failures.get(key, 0) + 1
            again_at = now + backoff(FIRST_PAUSE, self._failures[key])
        else:
            self._in_vain[key] = answer.job.head
        holds.branch_failed(transaction, row, answer.trouble, again_at, now)
        if answer.trouble != row.trouble:
            follows = (
                f"again at {to_the_second(again_at)}"
                if again_at
                else "again on the next head; or a person writes the commit, or releases the hold"
            )
            log.warning("branch.failed", **about, error=answer.trouble, next=follows)

    def _work(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            try:
                answer = self._mirror.read(partial(self._write, job))
            except ReconcilerError as error:
                answer = _Answer(job, trouble=str(error), again=True)
            except Exception as error:  # whatever it was, the hold says so and it is tried again
                log.exception("branch.broke", app=job.row.app, environment=job.row.environment)
                answer = _Answer(job, trouble=f"a fault of ours: {type(error).__name__}", again=True)
            self._answers.put(answer)
        self._nudge()

    def _write(self, job: Job) -> _Answer:
        case, how = job.case, self._how
        assert how is not None
        if case is None:
            said = "no commit asked for what went wrong here, so none can be reverted: change what git asks for"
            return _Answer(job, trouble=said)
        with Objects(self._mirror.git_dir) as objects:
            words = message(case, list(objects.commits(case.commits)))
            name, there = self._place(objects, case, how)
        if there is not None:
            return _Answer(job, branch=name, commit=there)
        signature = Signature(_author(case, how), case.since, how.author)
        try:
            made = revert_commit(self._mirror.git_dir, job.head, case.commits, signature, message=words)
        except NotSo as error:
            return _Answer(job, trouble=error.message)
        if isinstance(made, Conflicts):
            by_hand = f"git revert {' '.join(one[:10] for one in case.commits)}"
            return _Answer(job, trouble=f"{made}: `{by_hand}` on a branch of your own, and settle it there")
        if how.push:
            push(self._mirror.git_dir, how.url, made, name, None, followed=how.followed, base=how.base)
        else:
            set_branch(self._mirror.git_dir, name, made, None, followed=how.followed)
        return _Answer(job, branch=name, commit=made)

    def _place(self, objects: Objects, case: Case, how: Writing) -> tuple[str, str | None]:
        """A name for the branch that is free; or where the very same is there already, and its commit."""
        plain = f"{how.prefix}revert-{case.app}-{case.environment}-{case.commits[0][:8]}"
        for number in range(1, _NUMBERS + 1):
            name = plain if number == 1 else f"{plain}-{number}"
            there = self._at(objects, name, how)
            if there is None or _REVERTS.findall(objects.commit(there).message) == list(case.commits):
                return name, there
        raise NotSo(f"There are {_NUMBERS} branches {plain} already", "Remove those that are merged.")

    def _at(self, objects: Objects, name: str, how: Writing) -> str | None:
        """The commit that a branch is at where it is to lie; it is in the mirror then."""
        if not how.push:
            found = objects.read(f"refs/heads/{name}")
            return found.id if found else None
        there = Mirror.open(how.url, self._mirror.git_dir, name, base=how.base, timeout=_SECONDS)
        return there.fetch()


def _key(row: Row[Any]) -> _Hold:
    return row.app, row.environment, row.since


def _case(connection: Connection, row: Row[Any]) -> Case | None:
    commits = holds.taken_back(connection, holds.left(row))
    return case_of(connection, row, commits) if commits else None


def _author(case: Case, how: Writing) -> Person:
    """Who went back wrote it: a person, or the reconciler; it is made by the reconciler."""
    return Person(case.by.partition("@")[0], case.by) if "@" in case.by else how.author
