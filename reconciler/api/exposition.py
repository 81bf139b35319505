"""What does Prometheus read at `/metrics`?

The store as it is at that moment, the history as counters, and what the daemon on this machine wrote of itself. What
each metric means is in docs/metrics.md. Names of apps are no labels: their number has no bound.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any, get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from reconciler import __version__, telemetry
from reconciler.api.exposed_daemon import buckets, daemon_metrics
from reconciler.errors import StoreError
from reconciler.model.deployment import EXTERNAL, Cause
from reconciler.store.database import Database
from reconciler.store.gauges import GATES, Gauges, Placed, Waits, gauges, placed
from reconciler.store.obstacles import APPROVAL
from reconciler.store.repository import followed
from reconciler.store.tallies import DURATIONS, ENDS, LEAD_TIMES, Lengths, Tallies
from reconciler.store.types import EPOCH
from reconciler.telemetry import vitals
from reconciler.views import reported

log = telemetry.logger("api")

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
AGE = timedelta(seconds=1)
"""For so long an answer is given again."""
PATIENCE = 1.0
"""Seconds that the first answer waits for the history to be counted; later answers have it as soon as it is."""

ELSEWHERE = "elsewhere"
"""The one environment of all that was reported from environments that git does not declare: their names are free."""
STATES = ("orphaned", "held", "failed", "drifted", "deploying", "paused", "settled")
"""An app in an environment is in the first of these that fits."""


class Exposition(Collector):
    """Metrics of one store, and of the daemon beside; it remembers what was counted of the history."""

    def __init__(self, database: Database, place: Path) -> None:
        self._database = database
        self._place = place
        self._lock = threading.Lock()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self._answer: tuple[datetime, bytes] | None = None
        self._now = EPOCH
        self._placed: tuple[tuple[str | None, int], Placed] | None = None
        self._tallies = Tallies()
        self._counting: threading.Thread | None = None

    def text(self, now: datetime) -> bytes:
        """Everything at `now` (UTC), at most a second old. Raises StoreError when the store does not answer."""
        with self._lock:
            known = self._answer
            if known is None or not timedelta() <= now - known[0] < AGE:
                self._now = now
                known = self._answer = (now, generate_latest(self._registry))
            return known[1]

    def describe(self) -> list[Metric]:
        """Nothing is known before the store is asked."""
        return []

    def collect(self) -> Iterator[Metric]:
        """What the registry asks for."""
        counted = self._counted()
        with self._database.read() as connection:
            place = followed(connection)
            key = (place.head, place.position) if place else (None, 0)
            if self._placed is None or self._placed[0] != key:
                self._placed = key, placed(connection)
            found = gauges(connection, self._placed[1], self._now)
            starts = reported.waiting(connection, None, self._now)
            if counted:
                self._tallies.count(connection)
        yield _info()
        yield from _states(found)
        yield from _waiting(found, starts, self._now)
        yield from _paused(found, self._now)
        yield from _followed(found, self._now)
        yield from _store(found)
        if counted:
            yield from _history(self._tallies, found.placed)
        yield from daemon_metrics(vitals.read(self._place))

    def _counted(self) -> bool:
        """Whether the history has been counted once: a million deployments take longer than anybody waits here."""
        if self._tallies.upto is not None and self._counting is None:
            return True
        if self._counting is None:
            self._counting = threading.Thread(target=self._count, daemon=True, name="counting")
            self._counting.start()
        self._counting.join(PATIENCE)
        if self._counting.is_alive():
            return False
        self._counting = None
        return self._tallies.upto is not None

    def _count(self) -> None:
        try:
            with self._database.read() as connection:
                self._tallies.count(connection)
        except StoreError as error:
            log.warning("metrics.uncounted", error=error.message, next="counted with the next scrape")


def _gauge(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(f"reconciler_{name}", said, value=value)


def _gauges(name: str, said: str, labels: tuple[str, ...], values: dict[Any, float]) -> Metric:
    found = GaugeMetricFamily(f"reconciler_{name}", said, labels=labels)
    for key, value in sorted(values.items()):
        found.add_metric(key if isinstance(key, tuple) else (key,), value)
    return found


def _info() -> Metric:
    found = GaugeMetricFamily("reconciler_build_info", "Which version serves this.", labels=("version",))
    found.add_metric((__version__,), 1)
    return found


def _states(found: Gauges) -> Iterator[Metric]:
    yield _gauge("apps", "Apps that git declares somewhere.", found.placed.apps)
    states = {(place, state): 0.0 for place in found.placed.declared for state in STATES}
    seen: set[tuple[str, str]] = set()
    told = (("held", found.held), ("failed", found.failed), ("drifted", found.drifted))
    for state, places in (*told, ("deploying", found.active), ("paused", found.paused.places)):
        for one in set(places) - seen:
            states[one[1], state] = states.get((one[1], state), 0) + 1
            seen.add(one)
    for name, count in found.placed.orphaned.items():
        states[name, "orphaned"] = count
    left = Counter(environment for _, environment in seen)
    for name, count in found.placed.declared.items():
        states[name, "settled"] = max(count - left[name], 0)
    said = "Apps in each environment, by state: the first that fits of " + ", ".join(STATES) + "."
    yield _gauges("app_environments", said, ("environment", "state"), states)
    active: dict[Any, float] = {
        (name, status): 0 for name in found.placed.declared for status in ("pending", "started")
    }
    active |= Counter((environment, status) for (_, environment), status in found.active.items())
    yield _gauges("deployments_active", "Deployments that are still to end.", ("environment", "status"), active)


def _waiting(found: Gauges, starts: Sequence[reported.Refused], now: datetime) -> Iterator[Metric]:
    waiting = _with_starts(found, starts)
    counts: dict[Any, float] = dict.fromkeys(product(found.placed.declared, GATES), 0)
    counts |= {key: one.count for key, one in waiting.items()}
    yield _gauges("waiting", "What waits, by what it waits for.", ("environment", "gate"), counts)
    said = "How long the one has waited that has waited longest; 0 where none does."
    ages = {key: _age(waiting[key].since if key in waiting else None, now) for key in counts}
    yield _gauges("waiting_oldest_seconds", said, ("environment", "gate"), ages)
    yield _gauge("refused", "What a rule stopped and a person has to decide.", found.refused)
    yield _gauge("held", "Apps in environments that differ from git until a hold is ended.", len(found.held))
    yield _gauge("drifted", "Apps in environments where something else runs than was deployed.", len(found.drifted))
    broken = {"file": found.broken_files, "app": found.broken_apps}
    yield _gauges("complaints", "Files that are broken, and apps that are held by them.", ("of",), dict(broken))


def _with_starts(found: Gauges, starts: Sequence[reported.Refused]) -> dict[tuple[str, str], Waits]:
    """What waits, with the starts of deployments made elsewhere that wait for approvals."""
    waiting = dict(found.waiting)
    for one in starts:
        name = one.start.environment
        key = (name if name in found.placed.environments else ELSEWHERE, APPROVAL)
        known = waiting.get(key, Waits(0, one.since))
        waiting[key] = Waits(known.count + 1, min(known.since, one.since))
    return waiting


def _paused(found: Gauges, now: datetime) -> Iterator[Metric]:
    paused = found.paused
    yield _gauge("paused", "Apps in environments that are paused.", len(paused.places))
    yield _gauge("paused_commits", "Commits that wait for the end of a pause.", paused.commits)
    said = "How long the oldest of them has waited; 0 where none does."
    yield _gauge("paused_oldest_commit_age_seconds", said, _age(paused.oldest, now))


def _followed(found: Gauges, now: datetime) -> Iterator[Metric]:
    if found.committed_at is not None:
        yield _gauge("head_age_seconds", "How old the newest commit is that was noted.", _age(found.committed_at, now))
        said = "How long ago the newest commit was noted."
        yield _gauge("head_noted_age_seconds", said, _age(found.noted_at, now))
    said = "For how long the repository cannot be followed; 0 where it can."
    yield _gauge("repository_trouble_seconds", said, _age(found.trouble_since, now))
    said = "For how long a branch that was rewritten waits to be accepted; 0 where none does."
    yield _gauge("head_held_seconds", said, _age(found.head_held_since, now))


def _store(found: Gauges) -> Iterator[Metric]:
    yield _gauge("ledger_entries", "The number of the newest fact of the ledger.", found.newest)
    yield _gauge("ledger_unsealed_entries", "Facts that no seal covers yet.", max(found.newest - found.sealed, 0))
    yield _gauge("apps_due", "Apps whose plan is to be made.", found.apps_due)
    if found.next_work is not None:
        said = "When the next plan or attempt is due, as a Unix time."
        yield _gauge("next_wake_timestamp_seconds", said, found.next_work.timestamp())
    yield _gauge("daemons", "Daemons that live on this store.", len(found.daemons))
    yield _gauge("daemons_leading", "Daemons that lead: 1, or 0.", sum(leads for _, _, leads in found.daemons))
    beats = CounterMetricFamily("reconciler_daemon_beats", "Signs of life, where several may run.", labels=("daemon",))
    for name, beat, _ in found.daemons:
        beats.add_metric((name,), beat)
    yield beats


def _history(tallies: Tallies, placed_as: Placed) -> Iterator[Metric]:
    said = "Deployments that have ended, ever since."
    ended = CounterMetricFamily("reconciler_deployments", said, labels=("environment", "cause", "status"))
    # With a 0 for what has not happened yet: nobody sees a series grow that begins with its first failure.
    every = Counter(dict.fromkeys(product(placed_as.declared, get_args(Cause), ENDS), 0))
    # Where the reconciler itself deployed it is told by name, also after git has forgotten it.
    ours = placed_as.environments | {name for name, cause, _ in tallies.ended if cause != EXTERNAL}
    for (name, cause, status), count in tallies.ended.items():
        every[name if name in ours else ELSEWHERE, cause, status] += count
    for key, count in sorted(every.items()):
        ended.add_metric(key, count)
    yield ended
    said = "How long deployments took that completed and were released at once."
    yield _histogram("deployment_duration_seconds", said, DURATIONS, _together(tallies.durations, ours))
    said = "From the commit to its deployment being completed in the environment."
    yield _histogram("lead_time_seconds", said, LEAD_TIMES, _together(tallies.lead_times, ours))


def _together(known: dict[str, Lengths], ours: Set[str]) -> dict[str, Lengths]:
    """Lengths by name, with everything that is none of ours as one."""
    found = {name: lengths for name, lengths in known.items() if name in ours}
    others = [lengths for name, lengths in known.items() if name not in ours]
    if others:
        others += [found[ELSEWHERE]] if ELSEWHERE in found else []
        counts = [sum(column) for column in zip(*(one.counts for one in others), strict=True)]
        found[ELSEWHERE] = Lengths(counts, sum(one.seconds for one in others))
    return found


def _histogram(name: str, said: str, bounds: tuple[float, ...], known: dict[str, Lengths]) -> Metric:
    found = HistogramMetricFamily(f"reconciler_{name}", said, labels=("environment",))
    for environment, lengths in sorted(known.items()):
        found.add_metric((environment,), buckets=buckets(bounds, lengths.counts), sum_value=lengths.seconds)
    return found


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max((now - since).total_seconds(), 0.0)
