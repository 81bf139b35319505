"""When is the next turn, and how does the daemon begin and end?

A nudge (a watched repository, an answer of a target, a person's wish, the clock) carries no payload: it only
means `look`. The scheduler wakes the daemon, with one date job at the moment of the next change and one
interval job; it decides nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import telemetry
from reconciler.engine.clock import Clock, Ticks, ticks
from reconciler.engine.cycle import Cycle, Turn
from reconciler.engine.following import Following
from reconciler.engine.membership import Heart, Membership
from reconciler.engine.pool import Pool
from reconciler.errors import FollowsAnother, LeaseLost, NotSo, ReconcilerError, StoreError
from reconciler.schedule import backoff, rfc3339, spell, to_the_second
from reconciler.store import ledger, waiting
from reconciler.store.database import Database
from reconciler.store.nudging import Listener
from reconciler.targets import process
from reconciler.telemetry import failing
from reconciler.telemetry.failing import Failing

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

log = telemetry.logger("daemon")

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=0.5), timedelta(seconds=60)
TO_REPORT = "please report what the log says of it"
WATCHING = timedelta(seconds=2)
"""So long after its start, the watch sees whatever happens, and there is time for what is only done by who stays."""


class Daemon:
    """Takes turns until it is told to stop."""

    def __init__(
        self,
        database: Database,
        following: Following,
        pool: Pool,
        cycle: Cycle,
        membership: Membership,
        clock: Clock,
        *,
        interval: timedelta,
        full_pass: timedelta,
        drain: timedelta,
        watched: Sequence[Path] = (),
        nudged: threading.Event,
        at_work: Callable[[], None] | None = None,
        get_ready: Callable[[], None] | None = None,
        ticks: Ticks = ticks,
    ) -> None:
        """`at_work` is called whenever there may be something to do: it is about to be done.

        `get_ready` is called once, soon after a daemon that stays has begun.
        """
        self._database = database
        self._following = following
        self._pool = pool
        self._cycle = cycle
        self._membership = membership
        self._clock = clock
        self._interval = interval
        self._full_pass = full_pass
        self._drain = drain
        self._watched = watched
        self._nudged = nudged
        self._at_work = at_work or (lambda: None)
        self._get_ready = get_ready or (lambda: None)
        self._stopping = threading.Event()
        self._failing: Failing | None = None
        self._ticks = ticks
        self._heart = Heart(membership, nudged.set, ticks)
        self._listener = Listener(database, self._hear)

    def stop(self) -> None:
        """Begin to end: nothing new is started, what runs may come to its end. Not for a signal handler: it tells."""
        self._stopping.set()
        self._following.looking.interrupt()
        self._nudged.set()
        running = self._pool.under_way()
        waits = {"waits_for": running, "at_most": spell(self._drain), "next": "a second TERM ends them at once"}
        log.info("stopping", **(waits if running else {}))

    def stop_now(self) -> None:
        """End everything that runs, so that the process can end right afterwards; nothing of it is recorded."""
        running = self._pool.under_way()
        self._pool.abandon()
        ended = process.end_everything()
        log.warning("stopped.at-once", left=running, commands_ended=ended, next="taken up again at the next start")

    def settle(self, begun: Callable[[], None] | None = None, ending: Callable[[], object] | None = None) -> Turn:
        """Take turns until nothing more can be done now; `begun` is as in `run`. Raises what a turn raises.

        `ending` is called when all is done, while this daemon still leads.
        """
        self._join()
        try:
            turn = self._settle(begun)
        except BaseException as error:
            self._heart.stop()
            # Else it lives on for a lease, so that nobody takes up what it still carries out.
            if self._pool.idle and isinstance(error, Exception):
                self._membership.resign()
            raise
        if self._stopping.is_set():
            self._end()
        else:
            if ending is not None:
                ending()
            self._seal()
            self._heart.stop()
            self._membership.resign()
        return turn

    def _settle(self, begun: Callable[[], None] | None) -> Turn:
        self._lead()
        self._following.looking.wait_for_git()
        self._following.begin(self._clock())
        self._heart.start()
        if begun is not None:
            begun()
        turn = Turn()
        while not self._stopping.is_set():
            self._nudged.clear()
            if self._membership.lost:
                self._begin_anew()
                self._lead()
            turn = self._turn()
            _say(turn)
            if turn.did_something:
                self._gather(turn)
                continue
            if self._cycle.idle:
                break
            self._nudged.wait(self._seconds_until(turn.wake_at))
        return turn

    def run(self, begun: Callable[[], None] | None = None) -> None:
        """The daemon's life, from start to stop. Raises FollowsAnother where the store follows something else.

        `begun` is called once the store has said that it follows this.
        """
        if self._begin() and begun is not None:
            begun()
        # Imported by whoever stays: `settle` needs no scheduler.
        from apscheduler.schedulers.background import BackgroundScheduler

        scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True})
        watching = [threading.Thread(target=self._watch, daemon=True, name="watch")] if self._watched else []
        self._heart.start()
        self._listener.start()
        scheduler.add_job(self._poll, "interval", seconds=self._interval.total_seconds(), id="poll")
        scheduler.add_job(self._whole, "interval", seconds=self._full_pass.total_seconds(), id="full-pass")
        scheduler.start()
        for thread in watching:
            thread.start()
        # A push between the first look and the moment from which the watch sees something would wait for the poll.
        scheduler.add_job(self._nudged.set, "date", run_date=self._clock() + WATCHING, id="watching")
        scheduler.add_job(self._get_ready, "date", run_date=self._clock() + WATCHING, id="ready")
        try:
            while not self._stopping.is_set():
                self._nudged.clear()
                turn = self._guarded_turn()
                self._wake(scheduler, turn)
                if turn is None or not turn.did_something:
                    self._rest(turn)
                else:
                    self._gather(turn)
        finally:
            scheduler.remove_all_jobs()  # it stumbles over a job that is due while it is stopped
            scheduler.shutdown(wait=False)
            self._end()

    def _lead(self) -> None:
        """Lead, at the latest when the lease of one that was killed is over. Raises NotSo where another one lives."""
        member = self._membership
        until = self._ticks() + member.patience
        while not member.leads:
            if self._stopping.is_set() or self._ticks() > until:
                member.resign()
                raise NotSo("another daemon leads on this store", "it does what can be done")
            if not member.beat():
                self._stopping.wait(member.until_beat())

    def _join(self) -> None:
        """Join the others, unless the store follows something else. Raises FollowsAnother then."""
        with self._database.read() as connection:
            self._following.require_fit(connection)  # before it can lead
        self._membership.join()

    def _begin(self) -> bool:
        """Record what is followed; a store that does not answer now may do so later. False: it was stopped before."""
        while not self._stopping.is_set():
            try:
                self._join()
                if self._membership.leads:
                    self._following.begin(self._clock())
            except StoreError as error:
                log.warning("start.failed", **self._fails(error.message, error.next_step or "it is tried again"))
                self._stopping.wait(self._pause().total_seconds())
            except NotSo:
                self._membership.resign()
                raise
            else:
                self._works()
                return True
        return False

    def _guarded_turn(self) -> Turn | None:
        """One turn; trouble is told and tried again, a fault of ours must not end the daemon."""
        try:
            if self._membership.lost:
                self._begin_anew()
            turn = self._turn()
        except LeaseLost:
            return Turn(answers=1)  # right on, with a new life
        except FollowsAnother:
            self._membership.resign()
            raise
        except ReconcilerError as error:
            told = self._fails(error.message, error.next_step or "it is tried again")
            log.warning("turn.failed", **told)
            return None
        except Exception as error:  # the daemon outlives its own mistakes; the log has them in full
            told = self._fails(f"a mistake of the reconciler's own ({type(error).__name__})", TO_REPORT)
            log.exception("turn.broke", **told)
            return None
        self._works()
        _say(turn)
        return turn

    def _fails(self, error: str, next_step: str) -> dict[str, str]:
        """Another turn has failed, or the start; what the log says of it."""
        now, before = self._clock(), self._failing
        turns = before.turns + 1 if before else 1
        again_at = now + backoff(FIRST_PAUSE, turns, LONGEST_PAUSE)
        since = before.since if before else now
        self._failing = Failing(error=error, next_step=next_step, turns=turns, since=since, again_at=again_at)
        failing.tell(self._failing)
        return {"error": error, "next": next_step, "again_at": rfc3339(again_at)}

    def _works(self) -> None:
        before, self._failing = self._failing, None
        if before is not None:
            failing.tell(None)
            log.info("turns.go-on", failed=before.turns, since=to_the_second(before.since))

    def _turn(self) -> Turn:
        """A turn, measured; one that did something is told to whoever watches."""
        self._at_work()
        with telemetry.stage("turn") as stage:
            turn = self._cycle.turn(self._clock())
            if turn.did_something:
                stage.facts = {name: getattr(turn, name) for name in ("commits", "answers", "planned", "begun")}
        return turn

    def _begin_anew(self) -> None:
        """The others have given this daemon up: what it carried out is theirs. Raises StoreError."""
        loss = self._membership.loss
        log.warning("lease.lost", error=loss.message, next=loss.next_step)
        running = self._pool.under_way()
        self._cycle.forget()  # which stops the commands that it started, too
        if running:
            log.warning("work.given-up", left=running, next="another daemon takes it up")
        self._membership.join(self._pool.still_ends)

    def _hear(self) -> None:
        self._nudged.set()
        self._heart.stir()

    def _pause(self) -> timedelta:
        return backoff(FIRST_PAUSE, self._failing.turns if self._failing else 0, LONGEST_PAUSE)

    def _gather(self, turn: Turn) -> None:
        """Where answers come quickly, several make a turn; a single one never waits."""
        if turn.answers > 1:
            self._pool.gather()

    def _rest(self, turn: Turn | None) -> None:
        if turn is None:
            # Nudges do not shorten this: whatever is wrong must not be hammered.
            self._stopping.wait(self._pause().total_seconds())
            return
        if self._pool.idle and not self._nudged.is_set():
            self._seal()
            self._tidy()
        # With a limit, so that a scheduler that failed costs time and nothing else.
        self._nudged.wait(self._interval.total_seconds())

    def _seal(self) -> None:
        """Chain the newest facts, when there is nothing else to do."""
        if not self._membership.leads:
            return
        try:
            with self._database.read() as connection:
                pending = ledger.unsealed(connection)
            if pending:
                with self._database.write() as transaction:
                    ledger.seal(transaction, self._clock())
        except StoreError as error:
            log.warning("seal.failed", error=error.message)

    def _tidy(self) -> None:
        """Put what many fetches brought into one pack, when there is nothing else to do."""
        try:
            if self._pool.idle and self._following.mirror.tidy():
                log.info("mirror.tidied")
        except ReconcilerError as error:
            log.warning("tidy.failed", error=error.message)

    def _wake(self, scheduler: BackgroundScheduler, turn: Turn | None) -> None:
        moments = [
            turn.wake_at if turn else None,
            self._following.looking.next_look if self._following.looking.trouble else None,
        ]
        found = [moment for moment in moments if moment is not None]
        if found:
            at = max(min(found), self._clock())
            scheduler.add_job(self._nudged.set, "date", run_date=at, id="wake", replace_existing=True)
        elif scheduler.get_job("wake"):
            scheduler.remove_job("wake")

    def _poll(self) -> None:
        if self._following.looking.trouble is None:  # else it is asked again when that says
            self._following.looking.ask()
        self._nudged.set()

    def _whole(self) -> None:
        if self._membership.leads:
            self._cycle.look_at_all()
            self._nudged.set()

    def _watch(self) -> None:
        from watchfiles import watch

        while not self._stopping.is_set():
            places = [path for path in self._watched if path.exists()]
            try:
                # No filter: the one by default passes over `.git`, which is the very place.
                changes = watch(
                    *places, watch_filter=None, debounce=10, step=1, stop_event=self._stopping, recursive=False
                )
                for _ in changes:
                    self._at_work()
                    self._nudged.set()
            except (OSError, RuntimeError) as error:
                log.warning("watch.failed", error=str(error), next="the repository is polled; watched again in 5 s")
                self._stopping.wait(5)

    def _seconds_until(self, moment: datetime | None) -> float:
        """How long a settling may wait for an answer before it looks again."""
        left = (moment - self._clock()).total_seconds() if moment else 1.0
        return min(max(left, 0.001), 1.0)

    def _end(self) -> None:
        """Let running deployments end, record their answers, and leave the rest for the next start or for others."""
        self._membership.step_down()
        deadline = self._clock() + self._drain
        while not self._pool.idle and self._clock() < deadline:
            self._nudged.clear()
            self._record()
            if not self._pool.idle:
                self._nudged.wait(0.1)
        self._record()
        self._say_what_is_left()
        self._seal()
        self._listener.stop()
        self._heart.stop()
        self._membership.resign()

    def _say_what_is_left(self) -> None:
        running = self._pool.under_way()
        try:
            with self._database.read() as connection:
                left = waiting.unfinished(connection) - len(self._pool.busy)
        except StoreError as error:
            log.warning("drain.failed", error=error.message)
            return
        if running:
            log.warning("drain.over", left=running, next="they are stopped, and taken up again at the next start")
        if left > 0:
            log.info("left", deployments=left, next="they go on at the next start")

    def _record(self) -> None:
        try:
            self._cycle.record_only(self._clock())
        except ReconcilerError as error:
            log.warning("drain.failed", error=error.message)
        except Exception:  # what is left of the end is to be done all the same
            log.exception("drain.broke", next="it is done again at the next start")


def _say(turn: Turn) -> None:
    if turn.commits or turn.answers or turn.begun:
        log.debug("turn", commits=turn.commits, planned=turn.planned, answers=turn.answers, begun=turn.begun)
