"""Where is the followed branch, and what of it has not been noted yet?

State is read fresh: whatever nudged the daemon, the head is looked at. A branch that was rewritten is held
until a person accepts it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from reconciler.engine.commit import Arrival
from reconciler.engine.intake import note
from reconciler.errors import GitCorrupt, GitError
from reconciler.git.history import History, history
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Objects
from reconciler.git.shapes import Change, Commit, Entry
from reconciler.store import declared, interventions, repository
from reconciler.store.database import Database, Transaction

NOTHING = "0" * 40
EVERYTHING = 1_000_000
LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The head of the branch as it was looked at."""

    head: str | None = None
    new: bool = False
    """Whether it is to be noted, or to be held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why git does not answer, since when, and when it is asked again (UTC)."""

    error: GitError
    since: datetime
    failures: int
    again_at: datetime


class Following:
    """Follows one branch of one repository into one store.

    `adopt` is how many commits of an existing history are noted at the very first start.
    """

    def __init__(
        self,
        database: Database,
        mirror: Mirror,
        *,
        root: str,
        interval: timedelta,
        allow_rewrites: bool,
        adopt: int,
        on_trouble: Callable[[Trouble | None], None] | None = None,
    ) -> None:
        self._database = database
        self.mirror = mirror
        self.objects = Objects(mirror.git_dir)
        self._root = root
        self._interval = interval
        self._allow_rewrites = allow_rewrites
        self._adopt = adopt
        self._on_trouble = on_trouble
        self._next_poll: datetime | None = None
        self._asked = True
        self._considered: str | None = None
        self.holding = False
        """Whether a head waits to be accepted, as far as the last look at it told."""
        self.trouble: Trouble | None = None

    def ask(self) -> None:
        """Look at a remote repository with the next turn, whenever the next poll would be."""
        self._asked = True

    def considered(self, seen: Seen) -> None:
        """What was noted of this head is in the store now: it need not be looked at again."""
        if seen.head is not None:
            self._considered = seen.head

    def again(self) -> None:
        """Consider the head anew: a person may have accepted it."""
        self._considered = None

    def look(self, now: datetime) -> Seen:
        """The head of the branch now. When git does not answer, what was fetched last stays in force."""
        if not self._is_time(now):
            return Seen()
        try:
            head = self.mirror.remote_head() if self.mirror.is_local else self.mirror.fetch()
            if head is not None and head != self._considered:
                head = self.mirror.fetch() if self.mirror.is_local else head
        except GitError as error:
            self._failed(error, now)
            return Seen()
        self._answered(now)
        return Seen(head=head, new=head is not None and head != self._considered)

    def _is_time(self, now: datetime) -> bool:
        if self.trouble is not None and now < self.trouble.again_at and not self._asked:
            return False
        return self.mirror.is_local or self._asked or self._next_poll is None or now >= self._next_poll

    def _failed(self, error: GitError, now: datetime) -> None:
        failures = self.trouble.failures + 1 if self.trouble else 1
        since = self.trouble.since if self.trouble else now
        pause = min(timedelta(seconds=1) * 2 ** min(failures, 10), LONGEST_PAUSE)
        self.trouble = Trouble(error=error, since=since, failures=failures, again_at=now + pause)
        self._asked = False
        if self._on_trouble:
            self._on_trouble(self.trouble)

    def _answered(self, now: datetime) -> None:
        if self.trouble is not None:
            self.trouble = None
            if self._on_trouble:
                self._on_trouble(None)
        self._asked = False
        self._next_poll = now + self._interval

    @property
    def next_look(self) -> datetime | None:
        """When git is asked again without being nudged (UTC)."""
        return self.trouble.again_at if self.trouble else self._next_poll

    def note(self, transaction: Transaction, seen: Seen, now: datetime) -> int:
        """Note what the branch took since it was last looked at; how many commits that were."""
        if not seen.new or seen.head is None:
            return 0
        place = repository.follow(transaction, self.mirror.url, self.mirror.branch)
        if seen.head == place.head:
            self.holding = False
            if place.held_head is not None:
                repository.let_go(transaction)
            return 0
        try:
            return self._advance(transaction, place, seen.head, now)
        except GitCorrupt:
            self.objects.close()
            self.mirror.renew()
            return self._advance(transaction, place, seen.head, now)

    def _advance(self, transaction: Transaction, place: repository.Followed, head: str, now: datetime) -> int:
        adopting = place.head is None
        found = history(self.objects, place.head, head, self._adopt if adopting else EVERYTHING)
        self.holding = found.rewritten and not self._accepted(transaction, head, now)
        if self.holding:
            if place.held_head != head:
                repository.hold(transaction, head, now)
                body = {"head": head, "noted": place.head}
                transaction.note("branch.held", now, body, subject=head)
            return 0
        commits = _to_note(self.objects, found, head)
        tree, position = place.tree, place.position
        touched: set[str] = set()
        for commit in commits:
            position += 1
            arrival = self._arrival(commit, found, tree, position, now, adopting=adopting)
            touched |= note(transaction, arrival, self._root)
            tree = commit.tree
        assert tree is not None
        repository.advance(transaction, head, tree, position)
        declared.mark_due(transaction, touched, now)
        return len(commits)

    def _accepted(self, transaction: Transaction, head: str, now: datetime) -> bool:
        if self._allow_rewrites:
            return True
        asked = [
            w
            for w in interventions.open_of(transaction.connection, "accept")
            if w.subject and head.startswith(w.subject)
        ]
        for wish in asked:
            interventions.finish(transaction, "accept", wish.subject, now, "accepted")
        return bool(asked)

    def _arrival(
        self,
        commit: Commit,
        found: History,
        tree: str | None,
        position: int,
        now: datetime,
        *,
        adopting: bool,
    ) -> Arrival:
        merged = found.merged.get(commit.id, ())
        if tree is None:
            entries = {entry.path: entry for entry in self.objects.tree(commit.tree)}
            changes: Sequence[Change] = [
                Change(entry.path, "000000", entry.mode, NOTHING, entry.id, "A") for entry in entries.values()
            ]
            lookup: Callable[[str], Entry | None] = entries.get
        else:
            changes = self.objects.diff(tree, commit.tree)
            lookup = partial(self.objects.entry, commit.tree)
        return Arrival(
            commit=commit,
            position=position,
            merged=merged,
            changes=changes,
            objects=self.objects,
            lookup=lookup,
            now=now,
            first=tree is None,
            adopting=adopting,
        )

    def close(self) -> None:
        """End the open git processes."""
        self.objects.close()


def _to_note(objects: Objects, found: History, head: str) -> list[Commit]:
    """The states that the branch was in: not those before a merge that was made the wrong way round."""
    if not found.commits:
        return [objects.commit(head)]
    return [found.commits[-1]] if found.aside else list(found.commits)
