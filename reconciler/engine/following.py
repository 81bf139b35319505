"""What of the followed branch has not been noted yet?

Where the branch is, `looking` tells. What it took is noted within the turn's transaction, and told once that is
in the store. A branch that was rewritten is held until a person accepts it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from reconciler.engine.breakages import Breakages, News
from reconciler.engine.looked import Seen
from reconciler.engine.looking import Looking
from reconciler.errors import GitCorrupt
from reconciler.git.mirror import Mirror
from reconciler.store import interventions, repository
from reconciler.store.database import Database, Transaction

if TYPE_CHECKING:
    from reconciler.git.objects import Objects


class Following:
    """Follows one branch of one repository into one store.

    `root` is the followed path inside the repository, '' for all of it; `adopt` is how many commits of an existing
    history are noted at the very first start. `tell` hears of every change that people should know of, once. `nudge` is
    called when a repository elsewhere has answered; without it, and for one on this machine, a look waits for git.
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
        tell: Callable[[News], None] | None = None,
        nudge: Callable[[], None] | None = None,
    ) -> None:
        self._database = database
        plain = posixpath.normpath(root) if root else ""
        self._source = repository.Source(url=mirror.url, branch=mirror.branch, root="" if plain == "." else plain)
        self.looking = Looking(database, mirror, self._source, interval, self._say, nudge)
        self._allow_rewrites = allow_rewrites
        self._adopt = adopt
        self._tell = tell
        self._broken: Breakages | None = None
        self._broken_now: Breakages | None = None
        self._news: list[News] = []
        self.holding = False
        """Whether a head waits to be accepted, as far as the last look at it told."""

    @property
    def mirror(self) -> Mirror:
        """What was fetched of the repository."""
        return self.looking.mirror

    @property
    def objects(self) -> Objects:
        """What the mirror holds."""
        return self.looking.objects

    def require_fit(self, connection: Connection) -> repository.Followed | None:
        """What the store follows. Raises FollowsAnother where that is a branch or path that this cannot continue."""
        known = repository.followed(connection)
        repository.fits(known, self._source)
        return known

    def begin(self, now: datetime) -> None:
        """Record what is followed. Raises FollowsAnother as `require_fit` does."""
        with self._database.read() as connection:
            known = repository.followed(connection)
            fits = repository.fits(known, self._source)
            self._broken = Breakages.all(connection) if self._tell else None
        self.looking.begin(known)
        if fits:
            return
        with self._database.write() as transaction:
            repository.follow(transaction, self._source, now)
        if known is not None and known.head is not None:
            self._say(News("repository.moved", {"was": known.url, "is": self._source.url, "noted": known.head}))

    def considered(self, seen: Seen) -> None:
        """What was noted of this head is in the store now: it need not be looked at again."""
        if seen.head is not None:
            self.looking.considered(seen.head)
        self._broken, self._broken_now = self._broken_now or self._broken, None
        news, self._news = self._news, []
        for one in news:
            self._say(one)

    def note(self, transaction: Transaction, seen: Seen, now: datetime) -> int:
        """Note what the branch took since it was last looked at; how many commits that were."""
        self._news, self._broken_now = [], None
        if not seen.new or seen.head is None:
            return 0
        place = repository.follow(transaction, self._source, now)
        if seen.head == place.head:
            self.holding = False
            if place.held_head is not None:
                repository.let_go(transaction)
                self._news.append(News("branch.restored", {"head": place.head, "not_any_more": place.held_head}))
            return 0
        try:
            return self._advance(transaction, place, seen.head, now)
        except GitCorrupt:
            if not self.looking.mend():
                raise
            return self._advance(transaction, place, seen.head, now)

    def _advance(self, transaction: Transaction, place: repository.Followed, head: str, now: datetime) -> int:
        # Imported with the first commit: it reads manifests, and a command mostly finds nothing new.
        from reconciler.engine.advancing import advance
        from reconciler.engine.arriving import Arriving
        from reconciler.git.history import WHOLE, history

        self._news = []
        adopting = place.head is None
        found = history(self.objects, place.head, head, self._adopt if adopting else WHOLE)
        self.holding = found.rewritten and not self._accepted(transaction, head, now)
        if self.holding:
            self._hold(transaction, place, head, now)
            return 0
        if found.rewritten:
            self._news.append(News("branch.accepted", {"head": head, "was": place.head}))
        arriving = Arriving(objects=self.objects, found=found, now=now, adopting=adopting)
        root, position = self._source.root, place.position
        taken = advance(transaction, arriving, head, root, since=place.head, tree=place.tree, position=position)
        assert taken.tree is not None
        repository.advance(transaction, head, taken.tree, taken.position)
        for one in taken.braked:
            said = f"revert it, or commit with the trailer `Allow-Mass-Change: {one.changed}`"
            said += f"; what its message says of that is no trailer with {one.changed} or more" if one.tried else ""
            facts = {"commit": one.commit, "changed": one.changed, "recorded": one.recorded, "next": said}
            self._news.append(News("commit.braked", facts, bad=True))
        self._compare_broken(transaction, taken.files, taken.touched, now, adopting=adopting)
        return taken.commits

    def _hold(self, transaction: Transaction, place: repository.Followed, head: str, now: datetime) -> None:
        if place.held_head == head:
            return
        repository.hold(transaction, head, now)
        body = {"head": head, "noted": place.head}
        transaction.note("branch.held", now, body, subject=head)
        said = f"`reconciler accept {head[:10]}` follows it; until then {str(place.head)[:10]} stays in force"
        self._news.append(News("branch.held", {**body, "next": said}, bad=True))

    def _compare_broken(
        self, transaction: Transaction, files: set[str], touched: set[str], now: datetime, *, adopting: bool
    ) -> None:
        """What broke and what was mended is told once it is in the store."""
        if self._tell is None or self._broken is None:
            return
        connection = transaction.connection
        after = Breakages.all(connection) if adopting else self._broken.after(connection, files, touched)
        self._broken_now = after
        news = list(after.news(self._broken))
        self._news += news
        for one in news:
            if one.event == "manifest.broken":
                transaction.note(one.event, now, one.facts)

    def _accepted(self, transaction: Transaction, head: str, now: datetime) -> bool:
        if self._allow_rewrites:
            # Imported only where it is needed, as above.
            from reconciler.planner.causes import RECONCILER

            interventions.accept_at_once(transaction, head, RECONCILER, "repository.allow_rewrites", now)
            return True
        wishes = interventions.open_of(transaction.connection, "accept")
        asked = [one for one in wishes if one.subject and head.startswith(one.subject)]
        for wish in asked:
            interventions.finish(transaction, "accept", wish.subject, now, "accepted")
        return bool(asked)

    def _say(self, news: News) -> None:
        if self._tell is not None:
            self._tell(news)

    def close(self) -> None:
        """End the open git processes."""
        self.looking.close()
