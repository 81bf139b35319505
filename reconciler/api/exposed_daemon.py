"""What does Prometheus read of the daemon's own process: turns, fetches and what they took?

The daemon is another process, which writes this down every few seconds. What it wrote is taken for what a stranger may
have written: what is not as it should be is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric


def daemon_metrics(written: Mapping[str, Any] | None) -> Iterator[Metric]:
    """Metrics of what a daemon wrote last; none where none runs, or where they cannot be read."""
    if written is None:
        return
    try:
        found = [*_process(written), *_stages(written)]
    except (KeyError, TypeError, ValueError, AttributeError):
        return
    yield from found


def buckets(bounds: Iterable[float], counts: Iterable[float]) -> list[tuple[str, float]]:
    """The steps of a histogram; `counts` are up to each bound and above the one before, the last above all.

    Raises ValueError where there is not one more of them than of bounds.
    """
    names = [*(str(float(bound)) for bound in bounds), "+Inf"]
    return list(zip(names, map(float, accumulate(counts)), strict=True))


def _process(written: Mapping[str, Any]) -> Iterator[Metric]:
    said = "When the daemon last wrote how it fares, as a Unix time; written every five seconds."
    yield GaugeMetricFamily("reconciler_daemon_written_timestamp_seconds", said, value=float(written["written"]))
    said = "When the daemon began, as a Unix time."
    yield GaugeMetricFamily("reconciler_daemon_start_timestamp_seconds", said, value=float(written["begun"]))
    said = "Processor time that the daemon has used."
    yield CounterMetricFamily("reconciler_daemon_cpu_seconds", said, value=float(written["cpu_seconds"]))


def _stages(written: Mapping[str, Any]) -> Iterator[Metric]:
    bounds = [float(bound) for bound in written["bounds"]]
    said = "What the daemon did, and how long it took: whole turns, their parts, and fetches."
    seconds = HistogramMetricFamily("reconciler_daemon_stage_seconds", said, labels=("stage",))
    said = "How often that ended with an error."
    failures = CounterMetricFamily("reconciler_daemon_stage_failures", said, labels=("stage",))
    said = "When it last went well, as a Unix time."
    well = GaugeMetricFamily("reconciler_daemon_stage_success_timestamp_seconds", said, labels=("stage",))
    for name, one in sorted(written["stages"].items()):
        seconds.add_metric((name,), buckets=buckets(bounds, one["counts"]), sum_value=float(one["seconds"]))
        failures.add_metric((name,), float(one["failures"]))
        if one["well_ago"] is not None:
            well.add_metric((name,), float(written["written"]) - float(one["well_ago"]))
    yield from (seconds, failures, well)
