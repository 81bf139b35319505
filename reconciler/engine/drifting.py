"""Does something else run than the newest deployments left?

Targets are asked in threads of their own, spread evenly over the interval that each Environment gives, and never while
something is being deployed there. What was found as it should be is written nowhere. What follows from a drift is the
planner's question.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from reconciler import telemetry
from reconciler.desired import place
from reconciler.engine.clock import Clock, Ticks
from reconciler.engine.pacing import Sweep, sweeps
from reconciler.errors import StoreError
from reconciler.model.deployment import EXTERNAL, Allotment
from reconciler.model.environment import Environment
from reconciler.planner.drift import Left, Seen, difference
from reconciler.store import drifts, due
from reconciler.store.database import Database
from reconciler.targets import strangers
from reconciler.targets.base import Observed, Target
from reconciler.targets.observing import observed, sees
from reconciler.views.scene import declared_environments

log = telemetry.logger("drift")

MakeTarget = Callable[[str, Mapping[str, Any]], Target]

LOOKERS = 4
"""Threads that ask targets: one that does not answer holds up one of them."""
GRACE = 0.5
"""Seconds that each of them has to end."""
AT_ONCE = 250
"""So many are looked at between two looks at the store."""
PAGE = 1000
LONGEST_WAIT = 5.0
"""Seconds after which a new Environment is noticed, at the latest."""
BEGINNING = 0.5
"""Seconds after which the first Environment is noticed, at the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at one app in one environment found."""

    app: str
    environment: str
    deployment: str
    """The newest that reached the target."""
    detail: str | None
    """What is different; empty where nothing is, None where nobody can tell."""
    unknown: str = ""
    """Why nobody can tell."""


@dataclass(frozen=True, slots=True)
class _Batch:
    rows: Sequence[Any]
    known: Mapping[tuple[str, str], Any]
    environments: Mapping[str, Environment]


class Drifting:
    """Looks for drift, and records what is another than before; `nudge` is called then."""

    def __init__(
        self,
        database: Database,
        make_target: MakeTarget,
        nudge: Callable[[], None],
        leads: Callable[[], bool],
        clock: Clock,
        ticks: Ticks,
    ) -> None:
        """`leads` tells whether this daemon is the one that looks."""
        self._database = database
        self._make_target = make_target
        self._nudge = nudge
        self._leads = leads
        self._clock = clock
        self._ticks = ticks
        self._stopping = threading.Event()
        self._waiting: queue.Queue[_Batch | None] = queue.Queue(LOOKERS)
        self._sweeps: dict[float, Sweep] = {}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to look, again and again until `stop`."""
        self._threads = [threading.Thread(target=self._pace, daemon=True, name="drift")]
        for number in range(LOOKERS):
            self._threads.append(threading.Thread(target=self._ask, daemon=True, name=f"drift-{number}"))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Look no more, and write nothing more of what was seen."""
        self._stopping.set()

    def close(self) -> None:
        """Stop, and let go of the store; nobody waits long for a target that does not answer."""
        self.stop()
        for thread in self._threads:
            thread.join(GRACE)

    def sweep(self, *, closely: bool) -> list[Look]:
        """Look at everything now, record what is another than before, and return what was found. Raises StoreError."""
        found: list[Look] = []
        after = ("", "")
        while True:
            with self._database.read() as connection:
                batch = _batch(connection, declared_environments(connection), after)
            if not batch.rows:
                return found
            looks = list(look(batch.rows, batch.environments, self._make_target, closely=closely))
            self._record(looks, batch.known)
            found += looks
            after = (batch.rows[-1].app, batch.rows[-1].environment)

    def _pace(self) -> None:
        while not self._stopping.is_set():
            wait = LONGEST_WAIT
            try:
                if self._leads():
                    wait = self._hand_on()
            except StoreError as error:
                log.debug("drift.put-off", error=error.message)
            except Exception:  # the daemon outlives its own mistakes; the log has them in full
                log.exception("drift.broke", next="looked for again later")
            self._stopping.wait(wait)
        for _ in range(LOOKERS):
            self._waiting.put(None)

    def _hand_on(self) -> float:
        """Hand on what is to be looked at by now; in how many seconds there is more."""
        now = self._ticks()
        with self._database.read() as connection:
            environments = declared_environments(connection)
            self._sweeps = sweeps(
                self._sweeps, environments.values(), now, lambda names: drifts.count(connection, names)
            )
            batches = [self._next(connection, sweep, environments, now) for sweep in self._sweeps.values()]
        for batch in batches:
            if batch.rows:
                self._waiting.put(batch)
        longest = LONGEST_WAIT if self._sweeps else BEGINNING
        return min([longest, *(sweep.wait(now) for sweep in self._sweeps.values())])

    def _next(
        self, connection: Connection, sweep: Sweep, environments: Mapping[str, Environment], now: float
    ) -> _Batch:
        due = min(sweep.due(now), AT_ONCE)
        if not due:
            return _Batch([], {}, {})
        asked = {name: environments[name] for name in sweep.environments}
        batch = _batch(connection, asked, sweep.after, due)
        sweep.took(due, [(row.app, row.environment) for row in batch.rows])
        return batch

    def _ask(self) -> None:
        while (batch := self._waiting.get()) is not None and not self._stopping.is_set():
            try:
                looks = list(look(batch.rows, batch.environments, self._make_target, closely=False))
                for one in looks:
                    if one.unknown:
                        log.debug("drift.unknown", app=one.app, environment=one.environment, error=one.unknown)
                if not self._stopping.is_set():
                    self._record(looks, batch.known)
            except StoreError as error:
                log.debug("drift.put-off", error=error.message)
            except Exception:
                log.exception("drift.broke", next="looked for again with the next round")

    def _record(self, looks: Sequence[Look], known: Mapping[tuple[str, str], Any]) -> None:
        changes = [change for one in looks if (change := _change(one, known.get((one.app, one.environment))))]
        if not changes:
            return
        now = self._clock()
        with self._database.write() as transaction:
            written = drifts.record(transaction, changes, now)
            due.mark(transaction, {one.app for one in written}, now)
        for one in written:
            facts = {"app": one.app, "environment": one.environment, "deployment": one.deployment}
            if one.detail:
                log.warning("drift", **facts, detail=one.detail)
            else:
                log.info("drift.over", **facts)
        if written:
            self._nudge()


def look_now(
    database: Database, make_target: MakeTarget, apps: Sequence[str] | None, environment: str | None
) -> Iterator[Look]:
    """Look closely at these apps (None: at all) in one environment or in all, and write nothing. Raises StoreError."""
    after = ("", "")
    while True:
        with database.read() as connection:
            declared_here = declared_environments(connection)
            asked = {name: one for name, one in declared_here.items() if environment in (None, name)}
            if apps is None:
                rows = _batch(connection, asked, after).rows
            else:
                rows = drifts.left(connection, asked, apps) if asked else []
        looks = list(look(rows, asked, make_target, closely=True))
        yield from _still(database, asked, looks)
        if apps is not None or not rows:
            return
        after = (rows[-1].app, rows[-1].environment)


def _still(database: Database, environments: Mapping[str, Environment], looks: Sequence[Look]) -> Iterator[Look]:
    """What was different is believed where nothing was deployed meanwhile."""
    apps = sorted({one.app for one in looks if one.detail})
    newest: dict[tuple[str, str], str] = {}
    if apps:
        with database.read() as connection:
            newest = {(row.app, row.environment): row.id for row in drifts.left(connection, environments, apps)}
    for one in looks:
        if not one.detail or newest.get((one.app, one.environment)) == one.deployment:
            yield one


def look(
    rows: Sequence[Any], environments: Mapping[str, Environment], make_target: MakeTarget, *, closely: bool
) -> Iterator[Look]:
    """Ask the targets what runs, for each of these newest deployments that left something to compare it with."""
    places = {name: place(environment) for name, environment in environments.items()}
    for row in rows:
        environment = environments.get(row.environment)
        if environment is None or row.status != "completed" or row.cause == EXTERNAL:
            continue
        if row.traffic and row.grounds.get("target", "") not in ("", places[row.environment]):
            continue  # it ran somewhere else, and is on its way to where the environment is now
        found = _look(row, environment, make_target, closely)
        if found is not None:
            yield found


def _look(row: Any, environment: Environment, make_target: MakeTarget, closely: bool) -> Look | None:
    about = {"app": row.app, "environment": row.environment, "deployment": row.id}
    try:
        target = make_target(environment.name, environment.spec.target)
        if not sees(target):
            return None
        seen = observed(target, row.app, closely=closely)
    except Exception as error:  # noqa: BLE001 - a target is a stranger's code: not to know is no drift
        return Look(**about, detail=None, unknown=strangers.complaint(error))
    left = Left(deployment=row.id, number=row.number, traffic=tuple(Allotment(**part) for part in row.traffic))
    return Look(**about, detail=difference(left, _seen(seen)))


def _seen(found: Observed | None) -> Seen | None:
    if found is None:
        return None
    traffic = {one.version: float(one.percent) for one in found.traffic}
    return Seen(deployment=found.deployment, traffic=traffic, changed=found.changed)


def _change(one: Look, before: Any) -> drifts.Change | None:
    """What is to be written; None where everything is as it is recorded, or nobody can tell."""
    if one.detail is None or (before is None and not one.detail):
        return None
    if before is not None and (before.deployment, before.detail) == (one.deployment, one.detail):
        return None
    return drifts.Change(app=one.app, environment=one.environment, deployment=one.deployment, detail=one.detail)


def _batch(
    connection: Connection, environments: Mapping[str, Environment], after: tuple[str, str], most: int = PAGE
) -> _Batch:
    rows = drifts.page(connection, list(environments), after, most) if environments else []
    known = drifts.of(connection, sorted({row.app for row in rows})) if rows else []
    return _Batch(rows, {(row.app, row.environment): row for row in known}, environments)
