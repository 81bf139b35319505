"""Where is the followed branch now? And while git does not answer, or lacks it: since when, and when is it asked again?

State is read fresh: whatever nudged the daemon, the head is looked at. A repository on this machine is read within
the turn; one elsewhere is asked beside the turns, which use what was fetched last. What is noted of what was found is
the business of `following`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.engine.breakages import News
from reconciler.engine.fetching import Fetched, Fetching
from reconciler.engine.looked import Seen, Trouble
from reconciler.errors import GitCorrupt, GitError, GitMissing
from reconciler.git.mirror import Mirror
from reconciler.schedule import backoff, rfc3339
from reconciler.store import repository, webhooks
from reconciler.store.database import Database

if TYPE_CHECKING:
    from reconciler.git.objects import Objects

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=5)
AT_FIRST = 3.0
"""Seconds that the first look waits for a repository elsewhere: what was taken back meanwhile is not begun first."""


class Looking:
    """Looks at one branch of one repository.

    `tell` hears of every change that people should know of, once. `nudge` is called when a repository elsewhere has
    answered; without it, and for one on this machine, a look waits for git.
    """

    def __init__(
        self,
        database: Database,
        mirror: Mirror,
        source: repository.Source,
        interval: timedelta,
        tell: Callable[[News], None],
        nudge: Callable[[], None] | None,
    ) -> None:
        self._database = database
        self.mirror = mirror
        self._source = source
        self._fetching = Fetching(mirror, nudge) if nudge is not None and not mirror.is_local else None
        self._patience: float | None = AT_FIRST
        self._always_waits = False
        self._fetched: str | None = None
        self._damaged = False
        self._interval = interval
        self._say = tell
        self._next_poll: datetime | None = None
        self._asked = True
        self._webhook: datetime | None = None
        self._considered: str | None = None
        self._kept_up: str | None = None
        self._keep_up_at: datetime | None = None
        self._adopted = False
        self._recorded: repository.Trouble | None = None
        self.trouble: Trouble | None = None

    @cached_property
    def objects(self) -> Objects:
        """What the mirror holds."""
        from reconciler.git.objects import Objects

        return Objects(self.mirror.git_dir)

    def begin(self, known: repository.Followed | None) -> None:
        """Begin where the store says that the branch was."""
        self._recorded = known.trouble if known else None
        if self._fetching is not None:
            self._fetching.forget()
            self._fetched, self._patience = None, AT_FIRST
        self._adopted = known is not None and known.head is not None

    def ask(self) -> None:
        """Look at a remote repository with the next turn, whenever the next poll would be."""
        self._asked = True

    def considered(self, head: str) -> None:
        """What was noted of this head is in the store now: it need not be looked at again."""
        self._considered = head
        self._adopted = True

    def wait_for_git(self) -> None:
        """From now on each look waits for the answer: whoever settles speaks about the branch as it is."""
        self._always_waits = True

    def interrupt(self) -> None:
        """Let no look wait any more for what is under way."""
        if self._fetching is not None:
            self._fetching.interrupt()

    def keep_up(self, head: str, now: datetime) -> None:
        """See to it that the mirror has what another daemon has noted. When git does not answer, targets say so."""
        if self._kept_up == head:
            return
        if self._fetching is None:
            try:
                self.mirror.fetch()
            except GitError:
                return
            self._kept_up = head
            return
        if self._fetching.under_way or (self._keep_up_at is not None and now < self._keep_up_at):
            return
        self._fetching.begin()
        self._fetching.wait(AT_FIRST)
        answer = self._fetching.take()
        fetched = answer is not None and answer.error is None
        self._kept_up, self._keep_up_at = (head, None) if fetched else (None, now + self._interval)

    def again(self) -> None:
        """Consider the head anew: a person may have accepted it."""
        self._considered = None

    def look(self, now: datetime) -> Seen:
        """The head of the branch now. When git does not answer, what was fetched last stays in force."""
        if self._fetching is not None:
            self._hear()
            seen = self._look_aside(self._fetching, now)
        else:
            seen = self._look_here(now)
        if seen.new and seen.head is not None and self._considered is not None and "objects" in self.__dict__:
            # git looks for it while the transaction begins.
            self.objects.ask_ahead(self._considered, seen.head)
        return seen

    def _look_here(self, now: datetime) -> Seen:
        if not self._is_time(now):
            return Seen()
        try:
            head = self.mirror.remote_head() if self.mirror.is_local else self.mirror.fetch()
            if head is not None and head != self._considered:
                head = self.mirror.fetch(head) if self.mirror.is_local else head
            head = self._followable(head)
        except GitError as error:
            self._failed(error, now)
            return Seen()
        self._asked = False
        self._answered(now)
        return Seen(head=head, new=head != self._considered)

    def _hear(self) -> None:
        """Ask at once where a forge has told of a push since the last look, to whichever process it did."""
        with self._database.read() as connection:
            newest = webhooks.newest(connection)
        if newest != self._webhook:
            self._webhook, self._asked = newest, True

    def _look_aside(self, fetching: Fetching, now: datetime) -> Seen:
        """What was answered last; the repository is asked again where it is time for that."""
        self._take(fetching.take(), now)
        if not fetching.under_way and self._is_time(now):
            # Who asks while this is under way may know of something that it does not see any more.
            self._asked = False
            fetching.begin(anew=self._damaged)
            fetching.wait(None if self._always_waits else self._patience)
            self._patience = 0.0
            self._take(fetching.take(), now)
        return Seen(head=self._fetched, new=self._fetched is not None and self._fetched != self._considered)

    def _take(self, answer: Fetched | None, now: datetime) -> None:
        if answer is None:
            return
        try:
            if answer.error is not None:
                raise answer.error
            self._fetched = self._followable(answer.head)
        except GitError as error:
            self._failed(error, now)
        else:
            self._damaged = False
            self._answered(now)

    def _followable(self, head: str | None) -> str:
        """The head of the branch. Raises GitMissing where there is none, or where it lacks what is followed."""
        if head is None:
            raise self._no_branch()
        if head != self._considered:
            self.require_path(head)
        return head

    def _is_time(self, now: datetime) -> bool:
        if self.trouble is not None and not self._asked:
            # A look at a repository on this machine costs nothing: the push that brings the branch is seen at once.
            at_once = self.mirror.is_local and isinstance(self.trouble.error, GitMissing)
            return at_once or now >= self.trouble.again_at
        if self.mirror.is_local or self._asked or self._next_poll is None:
            return True
        # A clock that was set back would leave the repository alone for as long.
        return not self._next_poll - self._interval <= now < self._next_poll

    def _no_branch(self) -> GitMissing:
        with self._database.read() as connection:
            known = repository.followed(connection)
        noted = known.head if known else None
        return GitMissing(
            f"{self.mirror.url} has no branch {self.mirror.branch}{' any more' if noted else ''}",
            f"push it again; until then {noted[:10]} stays in force"
            if noted
            else "push to it, or set repository.branch",
            "branch",
        )

    def require_path(self, head: str) -> None:
        """Raise GitMissing where a commit does not have the path that is followed."""
        root = self._source.root
        if not root:
            return
        try:
            found = self.objects.entry(self.objects.commit(head).tree, root)
        except GitCorrupt:
            return  # noting the commit makes the mirror anew
        if found is None or found.type != "tree":
            raise GitMissing(
                f"{self.mirror.url} has no directory {root} on the branch {self.mirror.branch}, at {head[:10]}",
                f"{'push it again' if self._adopted else 'correct repository.path, or push the directory'}; "
                "until then nothing new is taken in",
                "path",
            )

    def _failed(self, error: GitError, now: datetime) -> None:
        before, missing = self.trouble, isinstance(error, GitMissing)
        earlier = before or self._recorded
        failures = before.failures + 1 if before else 1
        pause = self._interval if missing else backoff(FIRST_PAUSE, failures, LONGEST_PAUSE)
        since = earlier.since if earlier and self._alike(earlier, error) else now
        self.trouble = Trouble(error=error, since=since, failures=failures, again_at=now + pause)
        self._asked = False
        same = before is not None and before.error.message == error.message
        if same and missing and self.mirror.is_local:
            return  # looked at with every nudge: there is nothing new to record
        self._record(self.trouble)
        if not same:
            event = f"{error.what}.missing" if isinstance(error, GitMissing) else "git.unreachable"
            facts = {"error": error.message, "next": error.next_step, "again_at": rfc3339(self.trouble.again_at)}
            self._say(News(event, facts, bad=True))

    def _alike(self, earlier: Trouble | repository.Trouble, error: GitError) -> bool:
        """Whether it is still the earlier trouble, and not another one that came in its place."""
        message = earlier.error.message if isinstance(earlier, Trouble) else earlier.message
        return self._matter(message) == self._matter(error.message)

    def _matter(self, message: str) -> str:
        """What is missing, at whichever commit; '' where git does not answer, for whatever reason."""
        missing = message.startswith(f"{self.mirror.url} has no ")
        return message.partition(", at ")[0].removesuffix(" any more") if missing else ""

    def _answered(self, now: datetime) -> None:
        before, self.trouble = self.trouble, None
        if before is not None or self._recorded is not None:
            self._record(None)
        if before is not None:
            error = before.error
            self._say(News(f"{error.what}.found" if isinstance(error, GitMissing) else "git.answers"))
        self._next_poll = now + self._interval

    def _record(self, trouble: Trouble | None) -> None:
        found = None
        if trouble is not None:
            error = trouble.error
            found = repository.Trouble(
                message=error.message, next_step=error.next_step, since=trouble.since, again_at=trouble.again_at
            )
        with self._database.write() as transaction:
            repository.trouble(transaction, found)
        self._recorded = found

    @property
    def next_look(self) -> datetime | None:
        """When git is asked again without being nudged (UTC); an answer that is still to come is a nudge."""
        if self._fetching is not None and self._fetching.under_way:
            return None
        return self.trouble.again_at if self.trouble else self._next_poll

    def mend(self) -> bool:
        """The mirror is damaged. Whether it has been made anew; one of a repository elsewhere is, beside the turns."""
        self.objects.close()
        if self._fetching is None:
            self.mirror.renew()
            return True
        # Not within a transaction: nothing is taken in until the mirror has been made anew.
        self._fetching.forget()
        self._damaged, self._fetched, self._asked = True, None, True
        return False

    def close(self) -> None:
        """End the open git processes."""
        if self._fetching is not None:
            self._fetching.close()
        if "objects" in self.__dict__:
            self.objects.close()
