"""When is looked for what is to be told, and when is it sent? The threads, beside the daemon's turns.

One makes notices and messages, one sends to people, one to forges and into git: none waits for another. Only the daemon
that leads does any of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from reconciler import telemetry
from reconciler.errors import LeaseLost, ReconcilerError, StoreError
from reconciler.notify.ahead import Foresight
from reconciler.notify.clocks import Clock
from reconciler.notify.deriving import Also, Deriving, begin
from reconciler.notify.gathering import GATHER, gather
from reconciler.notify.sending import Carry, Sending
from reconciler.store import messages, notices
from reconciler.store.database import Database
from reconciler.store.messages import Channel

log = telemetry.logger("notify")

LOOK = 1.0
"""Seconds between two looks at the store."""
TIDY = timedelta(hours=1)
KEPT = timedelta(days=90)
"""So long it is remembered what was sent."""
GRACE = 10.0
"""Seconds that what is being sent has to arrive when the daemon ends: nothing new is begun meanwhile."""


class Notifying:
    """Tells people and forges what happened."""

    def __init__(
        self,
        database: Database,
        leads: Callable[[], bool],
        clock: Clock,
        carriers: Sequence[Mapping[Channel, Carry]],
        foresight: Foresight,
        also: Sequence[Also] = (),
        window: timedelta = GATHER,
    ) -> None:
        """One thread sends for each mapping of `carriers`; `leads` tells whether this daemon is the one that tells."""
        self._database = database
        self._leads = leads
        self._clock = clock
        self._senders = [Sending(database, several, clock) for several in carriers]
        self._foresight = foresight
        self._deriving = Deriving(database, also)
        self._window = window
        self._stopping = threading.Event()
        self._stirred = [threading.Event() for _ in self._senders]
        self._threads: list[threading.Thread] = []
        self._led = False
        self._left = True
        """Whether notices or messages wait, as far as is known."""
        self._newest = 0
        self._tidied: datetime | None = None

    def begin(self) -> None:
        """Know from where on facts are told, before anything new happens. Raises StoreError."""
        if self._leads():
            begin(self._database, self._clock())

    def start(self) -> None:
        """Begin to tell, again and again until `stop`."""
        try:
            self.begin()
        except StoreError as error:
            log.warning("notify.put-off", error=error.message, next="begun with the next look")
        self._threads = [threading.Thread(target=self._look_again, daemon=True, name="notify")]
        for number, sender in enumerate(self._senders):
            arguments = (sender, self._stirred[number])
            self._threads.append(
                threading.Thread(target=self._send_again, args=arguments, daemon=True, name=f"notify-{number}")
            )
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin nothing more; what is being sent may arrive."""
        self._stopping.set()
        for stirred in self._stirred:
            stirred.set()

    def close(self) -> None:
        """Stop, and let go of the store."""
        self.stop()
        until = time.monotonic() + GRACE
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0.0))

    def tell(self) -> int:
        """Tell now what happened, without waiting for more, and try each message once; how many attempts.

        Raises StoreError. For a daemon that ends when everything is done.
        """
        self._take_up()
        while self._derive(timedelta()):
            pass
        self._deriving.remember(self._clock())
        return sum(sender.send_due(lambda: not self._stopping.is_set()) for sender in self._senders)

    def _look_again(self) -> None:
        while not self._stopping.is_set():
            self._guarded(self._look)
            self._stopping.wait(LOOK)
        if self._led:
            self._guarded(lambda: self._deriving.remember(self._clock()))

    def _send_again(self, sender: Sending, stirred: threading.Event) -> None:
        while not self._stopping.is_set():
            stirred.wait(LOOK)
            stirred.clear()
            if self._led:
                self._guarded(lambda: sender.send_due(self._may_send))

    def _look(self) -> None:
        if not self._leads():
            self._led = False
            return
        if not self._led:
            self._take_up()
            self._led = True
        more = True
        while more and not self._stopping.is_set():
            more = self._derive(self._window)
        for stirred in self._stirred:
            stirred.set()
        self._tidy()

    def _derive(self, window: timedelta) -> bool:
        now = self._clock()
        found = self._deriving.look(now)
        announced = self._foresight.look(now, found.newest)
        if found.notices or announced or self._left or found.newest != self._newest:
            self._left = gather(self._database, now, window)
            self._newest = found.newest
        return found.more

    def _take_up(self) -> None:
        """What was being sent when a process ended is sent again."""
        begin(self._database, self._clock())
        self._left = True
        with self._database.write() as transaction:
            again = messages.take_up(transaction, self._clock())
        if again:
            log.warning("messages.uncertain", messages=again, next="sent again under the same ids")

    def _may_send(self) -> bool:
        return not self._stopping.is_set() and self._leads()

    def _tidy(self) -> None:
        now = self._clock()
        if self._tidied is not None and now < self._tidied + TIDY:
            return
        self._tidied = now
        with self._database.write() as transaction:
            notices.prune(transaction, now - KEPT)

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except LeaseLost:
            self._led = False
        except StoreError as error:
            log.debug("notify.put-off", error=error.message)
        except ReconcilerError as error:
            log.warning("notify.failed", error=error.message, next=error.next_step or "tried again with the next look")
        except Exception:  # the daemon outlives its own mistakes; the log has them in full
            log.exception("notify.broke", next="looked again later")
