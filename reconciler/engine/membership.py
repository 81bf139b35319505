"""What is this daemon among those that share the store: does it live, does it lead, who has been lost?

A daemon shows that it lives by a beat, a number in its row that grows. Whoever watches remembers, on a clock of its own
that nobody sets, since when a beat has stood still; after the whole of its own lease that daemon is given up, and what
it wanted to write afterwards is refused by the store. A daemon that could not show itself for two thirds of its lease
gives up by itself: it stops what it carries out before others begin it. Where only one daemon can be (SQLite), there is
no beat.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from reconciler import telemetry
from reconciler.engine.clock import Clock, Ticks
from reconciler.errors import LeaseLost, StoreError
from reconciler.store import leases
from reconciler.store.database import Database, Transaction

log = telemetry.logger("daemon")

BEATS = 5
"""So many beats fit into a lease."""
AT_LEAST = 0.05
"""Seconds between two looks, however much is written."""


@dataclass(frozen=True, slots=True)
class _Watched:
    beat: int
    since: float


class Membership:
    """One daemon's life among the others. `lease` None: there can be no others."""

    def __init__(self, database: Database, name: str, lease: timedelta | None, clock: Clock, ticks: Ticks) -> None:
        """`ticks` counts seconds steadily, whatever happens to the clock of the machine."""
        self.name = name
        self.me = ""
        self.lease = lease
        self._former: tuple[str, ...] = ()
        """Lives of this daemon that are over, whose rows may be there yet."""
        self._still_ends: Callable[[], bool] = lambda: False
        self._database = database
        self._clock = clock
        self._ticks = ticks
        self._fence: int | None = None
        self._lives = 0
        self._shown = 0.0
        self._lost = False
        self._loss: LeaseLost | None = None
        self._stepped_down = False
        self._watched: dict[str, _Watched] = {}
        self._longest = 0.0
        """Seconds of the longest lease that any daemon had when this one began."""
        self._lock = threading.Lock()

    @property
    def leads(self) -> bool:
        """Whether this daemon leads, as far as it knows; what it writes is checked once more by the store."""
        return self._fence is not None

    @property
    def told(self) -> str:
        """Who carries something out, where there are several."""
        return f"by {self.name}" if self.lease is not None else ""

    @property
    def lost(self) -> bool:
        """Whether the others have given this daemon up, or will have before it can show itself again."""
        return self._lost or not self._is_sure()

    @property
    def loss(self) -> LeaseLost:
        """How this life was lost."""
        return self._loss or LeaseLost("this daemon could not show for two thirds of its lease that it lives")

    @property
    def begun(self) -> bool:
        """Whether a life has begun."""
        return self._lives > 0

    def may_act(self) -> bool:
        """Whether others still leave alone what this daemon carries out.

        Once it has been told that it may not, this life is over: what it did not begin, another one takes up.
        """
        if self.lost:
            self._lost = True
        return not self._lost

    def join(self, still_ends: Callable[[], bool] = lambda: False) -> None:
        """Begin a life: nothing of an earlier one counts. Raises StoreError when the store does not answer.

        `still_ends` says whether anything of the former life has not come to its end: only then it is left alone. What
        it had begun is free otherwise, and so is the leadership.
        """
        now = self._clock()
        self._database.guard = None
        self._fence = None
        with self._lock:
            self._former += (self.me,) if self.me and self.lease is not None else ()
        self._still_ends = still_ends
        self._lives += 1
        self.me = f"{self.name[-20:]}-{int(now.timestamp() * 1_000_000):x}-{self._lives}"
        self._database.call(self.me)
        begun = self._ticks()
        with self._database.write() as transaction:
            alone = self.lease is None
            left = self._leave_former(transaction)
            lease = self.lease.total_seconds() if self.lease is not None else None
            leases.enter(transaction, self.me, self.name, now, lease=lease)
            found = leases.seen(transaction.connection)
            if found.is_vacant(self.me):
                self._fence = leases.lead(transaction, self.me, self.name, found.fence, now, alone=alone)
        with self._lock:
            self._watched = {}
            self._longest = max((one for one in found.leases.values() if one is not None), default=0.0)
            self._shown, self._lost, self._loss = begun, False, None
            self._former = tuple(one for one in self._former if one not in left)
        self._database.guard = self.check
        if not alone:
            log.info("daemon.joined", daemon=self.me, leads=self.leads, living=len(found.beats))

    def check(self, connection: Connection) -> bool:
        """Whether this daemon leads: asked at the beginning of whatever it writes. Raises LeaseLost."""
        with self._noticing():
            return leases.leads(connection, self.me, self._fence)

    def living(self, connection: Connection) -> frozenset[str]:
        """The ids of the other daemons that live."""
        return leases.living(connection) - {self.me} if self.lease is not None else frozenset()

    def beat(self) -> bool:
        """Show that this daemon lives, look at the others, and lead if nobody does; whether that leaves something to
        do: it leads since just now, or what another one had begun is free.

        Raises StoreError when the store does not answer, and LeaseLost when this daemon has been given up.
        """
        if self.lease is None or self._lost:
            return False
        begun = self._ticks()
        with self._noticing():
            leases.beat(self._database, self.me)
        self._shown = begun
        freed = bool(self._former) and not self._still_ends() and self._end_former()
        with self._database.read() as connection:
            found = leases.seen(connection)
        silent = self._silent(found, self._ticks())
        given_up = [daemon for daemon in silent if self._give_up(daemon, found)]
        if not self.leads and not self._stepped_down and (found.holder not in found.beats or found.holder in silent):
            return self._lead() or freed or bool(given_up)
        return freed or bool(given_up)

    def _end_former(self) -> bool:
        """What the former lives had begun has come to its end: others need not wait for their leases."""
        with self._database.write() as transaction:
            left = self._leave_former(transaction)
            transaction.nudges = bool(left)
        with self._lock:
            self._former = tuple(one for one in self._former if one not in left)
        return bool(left)

    def _leave_former(self, transaction: Transaction) -> Sequence[str]:
        """End the former lives in the store, unless something that they began goes on; their ids."""
        former = self._former
        if self._still_ends():
            return ()
        for one in former:
            leases.leave(transaction, one)
        return former

    def step_down(self) -> None:
        """Lead no more, so that another one does at once; what this daemon carries out it may finish."""
        if self.lease is None or not self.leads or self._lost:
            return
        # First: whoever writes meanwhile would find that it leads no more, and take this life for lost.
        fence, self._fence, self._stepped_down = self._fence, None, True
        try:
            with self._database.write() as transaction:
                leases.step_down(transaction, self.me)
                transaction.nudges = True
        except StoreError as error:
            log.warning("daemon.leads-on", error=error.message, next="another one leads when this one has ended")
            self._fence, self._stepped_down = fence, False

    def resign(self) -> None:
        """End this life, so that others need not wait for the lease."""
        if self.lease is None:
            return
        self._database.guard = None
        if self._lost:
            return
        try:
            with self._database.write() as transaction:
                leases.leave(transaction, self.me)
                transaction.nudges = True
        except StoreError as error:
            log.warning("daemon.left-silently", error=error.message, next="the others take over after the lease")

    @property
    def patience(self) -> float:
        """Seconds after which a daemon that led and lives no more has been found out."""
        if self.lease is None:
            return 0.0
        return max(self._longest, self.lease.total_seconds()) + self.lease.total_seconds() * 2 / BEATS

    def until_beat(self) -> float:
        """So many seconds until the next beat is due."""
        return self.lease.total_seconds() / BEATS if self.lease is not None else 60.0

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        """What the store says of a lease that is lost is remembered."""
        try:
            yield
        except LeaseLost as error:
            self._lost, self._loss = True, error
            raise

    def _is_sure(self) -> bool:
        return self.lease is None or self._ticks() - self._shown < self.lease.total_seconds() * 2 / 3

    def _silent(self, found: leases.Seen, at: float) -> list[str]:
        """The daemons whose beat has stood still for the whole of their own lease, seen from here."""
        assert self.lease is not None
        own = self.lease.total_seconds()
        others = {daemon: beat for daemon, beat in found.beats.items() if daemon != self.me}
        with self._lock:
            self._watched = {
                daemon: known if (known := self._watched.get(daemon)) and known.beat == beat else _Watched(beat, at)
                for daemon, beat in others.items()
            }
            return [one for one, seen in self._watched.items() if seen.since <= at - (found.leases[one] or own)]

    def _give_up(self, daemon: str, found: leases.Seen) -> bool:
        # First, since it may stand still at the head of the line of writers.
        self._database.end_sessions(daemon)
        with self._database.write() as transaction:
            gone = leases.give_up(transaction, daemon, found.names[daemon], found.beats[daemon], self._clock())
        if gone:
            log.warning("daemon.lost", daemon=daemon, next="others carry out what it had begun")
        return gone

    def _lead(self) -> bool:
        with self._database.write() as transaction:
            found = leases.seen(transaction.connection)
            fence = leases.lead(transaction, self.me, self.name, found.fence, self._clock())
        if fence is None:
            return False
        self._fence = fence
        log.info("daemon.leads", daemon=self.me, fence=fence)
        return True


class Heart:
    """A thread in which a daemon shows that it lives, whatever its turns are busy with."""

    def __init__(self, membership: Membership, nudge: Callable[[], None], ticks: Ticks) -> None:
        self._membership = membership
        self._ticks = ticks
        self._nudge = nudge
        self._stirred = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to beat, where there is a lease."""
        if self._membership.lease is not None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)
            self._thread.start()

    def stir(self) -> None:
        """Look at the others now: something was written."""
        self._stirred.set()

    def stop(self) -> None:
        """Beat no more."""
        self._stopping.set()
        self._stirred.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _beat(self) -> None:
        due, failing = 0.0, False
        while not self._stopping.is_set():
            if self._stirred.wait(max(due - self._ticks(), 0.0)):
                self._stirred.clear()
                if self._membership.leads and self._ticks() < due:
                    continue  # it is about who leads
                self._stopping.wait(AT_LEAST)
            due = self._ticks() + self._membership.until_beat()
            failing = self._beat_once(failing)
            if self._membership.lost:
                self._nudge()  # the next turn begins a new life

    def _beat_once(self, failing: bool) -> bool:
        """Whether it could not be done. Once is enough until it can: `failing` is whether that was so before."""
        try:
            if self._membership.beat():
                self._nudge()
        except LeaseLost:
            self._nudge()
            return failing
        except StoreError as error:
            if not failing:
                log.warning("heartbeat.failed", error=error.message, next="tried again, silently, until it answers")
            return True
        except Exception:  # the daemon outlives its own mistakes; the log has them in full
            if not failing:
                log.exception("heartbeat.broke", next="tried again, silently, until it succeeds")
            return True
        return False
