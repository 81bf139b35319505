"""What is the HTTP face given: the store, the clock, what the settings say of it, and what only other rooms can do?

Made by `facing`. A handler asks this for everything that it needs from outside of the request.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Request

from reconciler.api.exposition import Exposition
from reconciler.api.seldom import Seldom
from reconciler.errors import StoreError
from reconciler.telemetry.failing import Failing
from reconciler.views.remembering import Memory

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reconciler.api.oidc import Provider
    from reconciler.model.report import PauseAsked, Promotion, PromotionAsked, Return, RollbackAsked, Told
    from reconciler.model.shown import PlanShown
    from reconciler.store.database import Database, Transaction

Foresee = Callable[[datetime, datetime | None, Callable[[], None]], "tuple[PlanShown, datetime | None]"]
"""What would happen at a moment, or from then until another one (UTC); and when it ends, where so much happens that it
ends earlier. The function is called again and again meanwhile, and what it raises ends the work. Raises
ReconcilerError."""
Promote = Callable[["PromotionAsked", bool], "Promotion"]
"""The commit that makes an environment run a version, written onto a branch; with True only told. Raises
ReconcilerError."""
RollBack = Callable[["RollbackAsked", bool], "Return"]
"""The commit that makes git say what an environment goes back to, written onto a branch; with True only told. Raises
ReconcilerError."""
Pause = Callable[["PauseAsked", bool], "Told"]
"""The commit that writes a pause into a manifest or takes it out, written onto a branch; with True only told. Raises
ReconcilerError."""


def nothing_recorded() -> StoreError:
    """What is said while there is no store yet."""
    return StoreError("nothing has been recorded yet", "start `reconciler run` on this store; try again then")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the settings say of this face."""

    reading_needs_token: bool = False
    hosts: Sequence[str] = ()
    """By which names it may be asked, in lower case; by any where there is none."""
    proxies: Sequence[str] = ()
    """Addresses and networks of proxies that are believed when they say whom they speak for."""
    reads: int = 60_000
    """How many requests of one address are answered in a minute."""
    writes: int = 600
    """As `reads`, of those that change something."""
    connections: int = 512
    """How many connections one address may hold open."""
    timezone: str = "UTC"
    """The zone of the clock that pages show first."""
    address: str = ""
    """Of the pages, as browsers see it, without a `/` at its end; '' where the settings do not say it."""


@dataclass(slots=True, kw_only=True)
class Context:
    """What the application is given."""

    terms: Terms
    now: Callable[[], datetime]
    """The present moment (UTC)."""
    nudge: Callable[[], None]
    """Makes a daemon on this data directory look; with PostgreSQL whatever is written does so too."""
    daemon_runs: Callable[[Connection], bool]
    """Whether a daemon lives that works on this store."""
    daemon_fails: Callable[[], Failing | None]
    """Why the turns of the daemon on this data directory fail just now, if they do."""
    secret: Callable[[], str]
    """Draws a secret of 256 bits."""
    webhook_secrets: Callable[[str], list[str]]
    """The secrets of a forge's webhooks as they are now, none where it is closed. Raises PersonNeeded."""
    place: Path
    """The data directory."""
    mirror: Path
    """Where the bare mirror of what is followed lies, which may not be there."""
    find_store: Callable[[], Database | None]
    """The store, or None while nothing has been recorded yet. Raises StoreError."""
    foresee: Foresee
    promote: Promote
    roll_back: RollBack
    pause: Pause
    gives_way: Callable[[], None] | None = None
    """Called before each question of a reading, which waits as long; None: it never waits."""
    memory: Memory = field(default_factory=Memory, repr=False)
    """What pages of many apps remember between two answers."""
    seldom: Seldom = field(default_factory=Seldom, repr=False)
    """What the log has said of late that anybody can bring about."""
    provider: Provider | None = None
    """Through whom people sign in, besides tokens."""
    _store: Database | None = field(default=None, repr=False)
    _exposition: Exposition | None = field(default=None, repr=False)
    _keeping: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def store(self) -> Database:
        """The store. Raises StoreError while there is none."""
        if self._store is None:
            # Found without the lock: where it does not answer, nobody stands in line behind who asked first.
            found = self.find_store()
            if found is None:
                raise nothing_recorded()
            with self._keeping:
                if self._store is None:
                    self._store = found
            if self._store is not found:
                found.close()
        return self._store

    @property
    def exposition(self) -> Exposition:
        """The metrics, which remember what they have counted. Raises StoreError while there is no store."""
        if self._exposition is None:
            self._exposition = Exposition(self.store, self.place)
        return self._exposition

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One state of the store."""
        with self.store.read(self.gives_way) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One transaction; whoever leads is nudged once it is committed."""
        with self.store.write() as transaction:
            yield transaction
        self.nudge()

    def version(self) -> int | None:
        """Another number as soon as anybody has written anything; None where it takes a question to find out."""
        return self._store.version() if self._store is not None else None

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()


async def context(request: Request) -> Context:
    """The context of the application that a request came to; a dependency of handlers."""
    found: Context = request.app.state.context
    return found
