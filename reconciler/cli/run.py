"""`reconciler run`: the daemon, or with `--once` one settling of everything that can be done now."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from reconciler.cli import asking, endings, opened, printing

if TYPE_CHECKING:
    from reconciler.wiring import Running


@asking.verb
@click.option("--once", is_flag=True, help="Do all that can be done now, then exit.")
@click.option("--check-drift", is_flag=True, help="With --once: first ask the targets what runs, and read every file.")
def command(once: bool, check_drift: bool) -> int:
    """Follow the branch and carry out what it asks for.

    TERM or Ctrl-C ends it: running deployments may end, nothing new is begun; a second one stops them and ends it at
    once. With --once the exit status is 1 when the repository or the store did not answer, when the branch or the path
    is not there, when the head of the branch is held, or when a deployment failed or has to be tried again later; with
    --check-drift also when something has drifted and is not put right again.
    """
    if check_drift and not once:
        raise click.UsageError("--check-drift goes with --once: without it the daemon looks by itself")
    with _Stopping.by_signals() as stopping:
        from reconciler import telemetry
        from reconciler.wiring import running

        settings = opened.settings()
        telemetry.set_up()
        log = telemetry.logger("run")
        with running(settings) as found:

            def stop() -> None:
                found.drifting.stop()
                found.daemon.stop()

            stopping.by(stop, found.daemon.stop_now)
            mirror = found.following.mirror

            def begun() -> None:
                log.info("started", repository=mirror.url, branch=mirror.branch)
                if check_drift:
                    found.drifting.sweep(closely=True)
                elif not once:
                    found.drifting.start()

            if once:
                return _once(found, stopping.asked, begun, check_drift=check_drift)
            found.daemon.run(begun)
            log.info("ended")
    return endings.DONE


class _Stopping:
    """Hears of signals from the first moment on, and of how to stop as soon as there is something to stop."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._stop: Callable[[], None] | None = None
        self._stop_now: Callable[[], None] | None = None

    def by(self, stop: Callable[[], None], stop_now: Callable[[], None]) -> None:
        """This is how, in peace and at once; if it has been asked for already, it begins."""
        self._stop, self._stop_now = stop, stop_now
        if self.asked.is_set():
            stop()

    def _signalled(self, number: int) -> None:
        if self.asked.is_set():
            try:
                if self._stop_now is not None:
                    self._stop_now()
            finally:
                os._exit(128 + number)
        self.asked.set()
        if self._stop is not None:
            self._stop()

    @classmethod
    @contextmanager
    def by_signals(cls) -> Iterator[_Stopping]:
        """The first TERM or INT asks to stop, the next one ends the process.

        A thread hears of them through a pipe: a handler would run in the middle of anything, also of what it needs.
        """
        stopping = cls()
        reading, writing = os.pipe()
        os.set_blocking(writing, False)

        def listen() -> None:
            while number := os.read(reading, 1)[0]:
                stopping._signalled(number)

        thread = threading.Thread(target=listen, name="signals", daemon=True)
        thread.start()
        # In this order: a signal that comes in between is heard, or ends the process as it always did.
        earlier = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield stopping
        finally:
            signal.set_wakeup_fd(earlier)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.write(writing, b"\0")
            thread.join()
            os.close(reading)
            os.close(writing)


def _once(found: Running, stopped: threading.Event, begun: Callable[[], None], *, check_drift: bool) -> int:
    from reconciler.store import deployments, drifts, ledger, repository

    with found.database.read() as connection:
        newest = ledger.newest(connection)
    found.daemon.settle(begun)
    with found.database.read() as connection:
        ended = deployments.ended_after(connection, newest)
        left = [row for row in deployments.started(connection) if row.next_attempt_at is not None]
        place = repository.followed(connection)
        drifted = len(drifts.standing(connection)) if check_drift else 0
    counts = ", ".join(f"{number} {status}" for status, number in sorted(ended.items())) or "nothing to do"
    held = place.held_head if place is not None else None
    settled = "stopped" if stopped.is_set() else "not settled" if found.following.trouble or held else "settled"
    printing.echo(f"{settled}{f' at {place.head[:10]}' if place and place.head else ''}: {counts}")
    wrong = _unsettled(found, stopped, ended, len(left))
    if drifted:
        has = "one place has" if drifted == 1 else f"{drifted} places have"
        wrong.append((f"{has} drifted from what was deployed", "`reconciler status` shows where and what helps"))
    if held:
        message = (
            f"{held[:10]}, the head of the branch {found.following.mirror.branch}, is held and was not taken in: "
            "it does not continue what was noted before, since the branch was rewritten or is another history"
        )
        wrong.append((message, f"`reconciler accept {held[:10]}` follows it with the next run"))
    for message, next_step in wrong:
        endings.say(message, next_step)
    return endings.NOT_SO if wrong else endings.DONE


def _unsettled(found: Running, stopped: threading.Event, ended: dict[str, int], left: int) -> list[tuple[str, str]]:
    wrong: list[tuple[str, str]] = []
    if stopped.is_set():
        wrong.append(("it was stopped before everything was done", "run it again to go on"))
    if trouble := found.following.trouble:
        wrong.append((trouble.error.message, trouble.error.next_step))
    if ended.get("failed"):
        failed = printing.counted(ended["failed"], "deployment")
        wrong.append((f"{failed} failed", "`reconciler deployments list --status failed` shows why"))
    if left:
        waiting = printing.counted(left, "deployment waits", "deployments wait")
        wrong.append((f"{waiting} for another attempt", "run it again later; `reconciler status` shows when"))
    return wrong
