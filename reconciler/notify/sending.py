"""How is what is due sent, and what is written down of it?

A message is marked before it is sent and unmarked afterwards, each in a transaction of its own. Between the two nobody
knows whether it arrived: if the process ends there, the next one sends it again, under the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from reconciler import telemetry
from reconciler.errors import LeaseLost, StoreError
from reconciler.notify.addresses import NotDelivered
from reconciler.notify.clocks import Clock
from reconciler.store import messages
from reconciler.store.database import Database, Transaction
from reconciler.store.messages import Channel

log = telemetry.logger("notify")

Carry = Callable[[Any], str | None]
"""Sends one message and tells what it said, if that is worth keeping; raises NotDelivered."""
MOST = 50


def alerts_by(environ: Mapping[str, str]) -> Carry:
    """What sends the messages of alerts."""

    def carry(row: Any) -> None:
        # Imported with the first message: an HTTP client takes its time, and most processes send nothing.
        from reconciler.notify import by_apprise, by_cdevents

        (by_cdevents if row.content["format"] == "cdevents" else by_apprise).send(row, environ)

    return carry


class Sending:
    """Sends what is due, one after the other."""

    def __init__(self, database: Database, carriers: Mapping[Channel, Carry], clock: Clock) -> None:
        self._database = database
        self._carriers = carriers
        self._clock = clock
        self._owed: list[Callable[[Transaction], object]] = []
        """How messages fared that the store has not heard of yet, since it did not answer."""

    @property
    def channels(self) -> Sequence[Channel]:
        """What it sends."""
        return list(self._carriers)

    def send_due(self, go_on: Callable[[], bool]) -> int:
        """Send what is due now, as long as `go_on` says so; how many attempts that were.

        Raises StoreError; how a message fared is written down before the next one is sent.
        """
        count = 0
        self._write_down()
        while go_on():
            with self._database.read() as connection:
                rows = messages.due(connection, self.channels, self._clock(), MOST)
            for row in rows:
                if not go_on():
                    return count
                count += self._send(row)
            if not rows:
                return count
        return count

    def _send(self, row: Any) -> int:
        with self._database.write() as transaction:
            if not messages.claim(transaction, row, self._clock()):
                return 0
        try:
            said = self._carriers[row.channel](row) or ""
        except NotDelivered as error:
            self._failed(row, error)
        except StoreError as error:
            self._failed(row, NotDelivered(f"the store did not answer meanwhile: {error.message}", unsure=True))
        except Exception as error:  # noqa: BLE001 - no library may end the thread, and what it says may hold secrets
            self._failed(row, NotDelivered(f"sending broke ({type(error).__name__})", unsure=True))
        else:
            at = self._clock()
            self._owed.append(lambda transaction: messages.sent(transaction, row, at, said))
        self._write_down()
        return 1

    def _failed(self, row: Any, error: NotDelivered) -> None:
        at, after = self._clock(), timedelta(seconds=error.after) if error.after is not None else None

        def write(transaction: Transaction) -> None:
            how = {"for_good": error.for_good, "unsure": error.unsure}
            again = messages.failed(transaction, row, at, error.message, after=after, **how)
            if after is not None:
                messages.put_off(transaction, row, at + after)
            about = {"message": row.id, "alert": row.alert, "channel": row.channel, "attempt": row.attempts + 1}
            follows = "tried again" if again else "given up: `reconciler alerts log` shows it"
            log.warning("message.not-delivered", **about, error=error.message, next=follows)

        self._owed.append(write)

    def _write_down(self) -> None:
        while self._owed:
            try:
                with self._database.write() as transaction:
                    self._owed[0](transaction)
            except LeaseLost:
                self._owed.clear()  # whoever leads now takes these messages up
                raise
            del self._owed[0]
