"""Simulate many seeds, for as long as it takes: `python -m tests.simulation --seeds 1000 --days 30`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import count, islice

from tests.simulation.trial import Verdict, trial


def main() -> int:
    """Print a line for each seed, all about those that fail, and the sum; 1 when any failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="so many seeds, one after the other")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--seed", type=int, help="this one alone, with everything that happens")
    parser.add_argument("--days", type=float, default=30, help="so many simulated days each, and those to come to rest")
    parser.add_argument("--hours", type=float, help="go on with more seeds for so many hours, whatever --seeds says")
    parser.add_argument("--jobs", type=int, default=1, help="so many processes at once")
    given = parser.parse_args()
    if given.seeds < 1 or given.jobs < 1 or given.days <= 0 or (given.hours is not None and given.hours <= 0):
        parser.error("--seeds, --jobs, --days and --hours are more than nothing")
    if given.seed is not None:
        verdict = trial(given.seed, given.days, _say)
        _say(f"digest {verdict.digest}")
        _say(verdict.words)
        return int(bool(verdict.wrong))
    return _several(given)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _several(given: argparse.Namespace) -> int:
    begun, days, seconds, seeds = time.monotonic(), 0.0, 0.0, 0
    failed: list[int] = []
    for verdict in _verdicts(given, begun):
        seeds += 1
        days += verdict.days
        seconds += verdict.seconds
        if verdict.wrong:
            failed.append(verdict.sort.seed)
        _say(verdict.words)
    _say(
        f"{seeds} seeds, {days:,.0f} simulated days in {seconds:.0f} s of a processor: "
        f"{days / max(seconds, 0.001) * 60:,.0f} days a minute on one core; "
        f"{f'failed: {failed}' if failed else 'none failed'}"
    )
    return int(bool(failed))


def _verdicts(given: argparse.Namespace, begun: float) -> Iterator[Verdict]:
    seeds = count(given.first) if given.hours else range(given.first, given.first + given.seeds)
    if given.jobs == 1:
        for seed in seeds:
            if given.hours and time.monotonic() - begun > given.hours * 3600:
                return
            yield trial(seed, given.days)
        return
    coming = iter(seeds)
    with ProcessPoolExecutor(given.jobs) as pool:
        while some := list(islice(coming, given.jobs * 4)):
            yield from pool.map(partial(trial, days=given.days), some)
            if given.hours and time.monotonic() - begun > given.hours * 3600:
                return


if __name__ == "__main__":
    sys.exit(main())
