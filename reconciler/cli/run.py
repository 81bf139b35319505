"""`reconciler run`: the daemon, or with `--once` one settling of everything that can be done now."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import asking, endings, opened, printing

if TYPE_CHECKING:
    from reconciler.config import Settings
    from reconciler.telemetry.busy import Busy
    from reconciler.wiring import Running

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=0.5), timedelta(seconds=60)
"""Until a database that could not be reached at the start is asked again; twice as long each time."""


@asking.verb
@click.option("--once", is_flag=True, help="Do all that can be done now, then exit.")
@click.option("--check-drift", is_flag=True, help="With --once: first ask the targets what runs, and read every file.")
def command(once: bool, check_drift: bool) -> int:
    """Follow the branch and carry out what it asks for.

    TERM or Ctrl-C ends it: running deployments may end, nothing new is begun; a second one stops them and ends it at
    once. With --once the exit status is 1 when the repository or the store did not answer, when the branch or the path
    is not there, when the head of the branch is held, or when a deployment failed or has to be tried again later; with
    --check-drift also when something has drifted and is not put right again. A PostgreSQL that cannot be reached at the
    start is waited for, but not with --once; one that refuses the user, the password or the database ends it with 1.
    """
    if check_drift and not once:
        raise click.UsageError("--check-drift goes with --once: without it the daemon looks by itself")
    with _Stopping.by_signals() as stopping:
        from reconciler import telemetry
        from reconciler.engine import clock
        from reconciler.telemetry.busy import shared
        from reconciler.telemetry.traces import tracing
        from reconciler.telemetry.vitals import vitals
        from reconciler.wiring import running

        settings = opened.settings()
        telemetry.set_up()
        log = telemetry.logger("run")
        if not once and not _reached(settings, stopping.asked, log):
            return endings.DONE
        with (
            tracing(os.environ, clock.system),
            nullcontext() if once else shared() as busy,
            running(settings, staying=not once, busy=busy) as found,
        ):

            def stop() -> None:
                found.drifting.stop()
                found.notifying.stop()
                found.daemon.stop()

            stopping.by(stop, found.daemon.stop_now)
            mirror = found.following.mirror

            def begun() -> None:
                log.info("started", repository=mirror.url, branch=mirror.branch)
                if check_drift:
                    found.drifting.sweep(closely=True)
                if once:
                    found.notifying.begin()
                else:
                    found.drifting.start()
                    found.notifying.start()

            if once:
                return _once(found, stopping.asked, begun, check_drift=check_drift)
            # What was made for the start stays: nobody looks for garbage in it. How often one looks is said in
            # `engine/sweeping`.
            gc.freeze()
            with _face(settings, busy), vitals(settings.place, clock.system):
                found.daemon.run(begun)
            log.info("ended")
    return endings.DONE


def _face(settings: Settings, busy: Busy | None) -> AbstractContextManager[object]:
    """The HTTP API and the pages, beside the daemon; nothing where they are off."""
    from reconciler.api.beside import Beside
    from reconciler.config import OFF

    if settings.api.listen == OFF:
        return nullcontext()
    file = asking.config_file()
    return Beside(["--config", file] if file else [], busy)


def _reached(settings: Settings, asked: threading.Event, log: Any) -> bool:
    """Wait for a database that is elsewhere and cannot be reached yet; False where we are to end before it can.

    Raises StoreRefuses where it answers, but lets nobody in: that is for a person.
    """
    from itertools import count

    from reconciler.engine import clock
    from reconciler.errors import StoreError, StoreRefuses
    from reconciler.schedule import backoff, rfc3339
    from reconciler.store.database import Database

    if Database.file(settings.state.url) is not None:
        return True  # a file is there or can be made, or it is for a person
    store = Database(settings.state.url)
    for failures in count(1):
        if asked.is_set():
            break
        try:
            store.ask()
        except StoreRefuses:
            raise
        except StoreError as error:
            pause = backoff(_FIRST_PAUSE, failures, _LONGEST_PAUSE)
            told = {"next": f"again in {pause.total_seconds():g} s", "again_at": rfc3339(clock.system() + pause)}
            log.warning("start.failed", error=error.message, **told)
            asked.wait(pause.total_seconds())
        else:
            store.close()
            return True
    log.info("ended")
    return False


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
    found.daemon.settle(begun, found.notifying.tell)
    with found.database.read() as connection:
        ended = deployments.ended_after(connection, newest)
        left = [row for row in deployments.started(connection) if row.next_attempt_at is not None]
        place = repository.followed(connection)
        drifted = len(drifts.standing(connection)) if check_drift else 0
    counts = ", ".join(f"{number} {status}" for status, number in sorted(ended.items())) or "nothing to do"
    held = place.held_head if place is not None else None
    settled = "stopped" if stopped.is_set() else "not settled" if found.following.looking.trouble or held else "settled"
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
    if trouble := found.following.looking.trouble:
        wrong.append((trouble.error.message, trouble.error.next_step))
    if ended.get("failed"):
        failed = printing.counted(ended["failed"], "deployment")
        wrong.append((f"{failed} failed", "`reconciler deployments list --status failed` shows why"))
    if left:
        waiting = printing.counted(left, "deployment waits", "deployments wait")
        wrong.append((f"{waiting} for another attempt", "run it again later; `reconciler status` shows when"))
    return wrong
