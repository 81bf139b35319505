"""Do figures hold together, whatever was deployed?"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.deployment import ROLLBACKS, Cause, Status
from reconciler.model.figures import Figures, Measured, Spread
from reconciler.model.measuring import Made, Period, measure, microseconds

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PERIOD = Period(since=NOON - timedelta(days=10), until=NOON)
SPREADS = ("lead_time", "time_to_restore", "time_between", "duration")
COUNTS = ("deployments", "completed", "failed", "aborted", "active", "changes", "changes_failed", "rollbacks")
COUNTS += ("restores", "not_restored")


@st.composite
def histories(draw: st.DrawFn) -> list[Made]:
    """Deployments of some apps in some places over a month, in order."""
    rows: list[Made] = []
    for app in ("mail", "shop"):
        for environment in ("live", "sandbox"):
            hours = sorted(draw(st.lists(st.integers(-30 * 24, -1), max_size=8)))
            for number, hour in enumerate(hours):
                rows.append(_one(draw, app, environment, number, hour))
    return rows


def _one(draw: st.DrawFn, app: str, environment: str, number: int, hour: int) -> Made:
    status, cause = draw(st.sampled_from(get_args(Status))), draw(st.sampled_from(get_args(Cause)))
    created = microseconds(NOON + timedelta(hours=hour))
    took = draw(st.integers(0, 5_000_000_000))
    back = draw(st.integers(1, 3)) if cause in ROLLBACKS | {"retry"} else 0
    return Made(
        app=app,
        environment=environment,
        id=f"{app}-{environment}-{number}",
        status=status,
        cause=cause,
        created_at=created,
        started_at=created if status != "pending" else None,
        finished_at=None if status in ("pending", "started") else created + took,
        committed_at=draw(st.none() | st.just(created - 1_000_000)),
        left=f"{app}-{environment}-{number - back}" if back and number >= back else None,
        gradual=draw(st.booleans()),
    )


def spreads(figures: Figures) -> list[Spread]:
    """Every kind of length."""
    return [getattr(figures, name) for name in SPREADS]


def counts(figures: Figures) -> Counter[str]:
    """Everything that is counted, and how many lengths there are."""
    found = {name: getattr(figures, name) for name in COUNTS}
    return Counter(found | {name: getattr(figures, name).count for name in SPREADS})


def everything(measured: Measured) -> list[Figures]:
    """All figures of an answer."""
    parts = [part.figures for part in (*measured.apps, *measured.environments)]
    return [measured.figures, measured.earlier, *measured.series, *parts]


@given(histories())
def test_the_series_and_the_parts_add_up_to_the_whole(history: list[Made]) -> None:
    found = measure(history, PERIOD)
    whole = +counts(found.figures)
    assert sum((counts(one) for one in found.series), Counter()) == whole
    assert sum((counts(one.figures) for one in found.apps), Counter()) == whole
    assert sum((counts(one.figures) for one in found.environments), Counter()) == whole


@given(histories())
def test_every_deployment_belongs_to_one_period_or_to_none(history: list[Made]) -> None:
    found = measure(history, PERIOD)
    begin = microseconds(PERIOD.earlier)
    assert found.figures.deployments + found.earlier.deployments == sum(one.created_at >= begin for one in history)


@given(histories())
def test_shares_are_shares_and_lengths_are_in_order(history: list[Made]) -> None:
    for figures in everything(measure(history, PERIOD)):
        rates = (figures.success_rate, figures.failure_rate, figures.change_failure_rate)
        assert all(rate is None or 0 <= rate <= 1 for rate in rates)
        if figures.success_rate is not None and figures.failure_rate is not None:
            assert abs(figures.success_rate + figures.failure_rate - 1) < 1e-9
        for one in spreads(figures):
            told = (one.median, one.p90, one.mean)
            assert all((value is None) == (one.count == 0) for value in told)
            assert one.median is None or one.p90 is None or 0 <= one.median <= one.p90


@given(histories())
def test_what_an_app_does_changes_nothing_of_another(history: list[Made]) -> None:
    alone = measure([one for one in history if one.app == "shop"], PERIOD).figures
    together = {part.name: part.figures for part in measure(history, PERIOD).apps}
    assert alone == together.get("shop", alone)
    assert ("shop" in together) == (alone.deployments > 0)


@given(histories(), st.integers(-400, 400))
def test_figures_ask_for_no_date(history: list[Made], days: int) -> None:
    by = timedelta(days=days)
    moved = Period(since=PERIOD.since + by, until=PERIOD.until + by)
    found, later = measure(history, PERIOD), measure([_later(one, by) for one in history], moved)
    for one, other in zip(everything(found), everything(later), strict=True):
        assert counts(one) == counts(other)
        assert spreads(one) == spreads(other)


def _later(one: Made, by: timedelta) -> Made:
    shift = by // timedelta(microseconds=1)
    names = ("created_at", "started_at", "finished_at", "committed_at")
    moved: dict[str, Any] = {name: None if (at := getattr(one, name)) is None else at + shift for name in names}
    return one._replace(**moved)


@given(histories())
def test_only_failures_and_ways_back_make_failures(history: list[Made]) -> None:
    # The same with releases in place of ways back that leave something, and everything went well.
    well = [one._replace(left=None, status="completed" if one.status == "failed" else one.status) for one in history]
    for figures in everything(measure(well, PERIOD)):
        assert (figures.changes_failed, figures.not_restored, figures.time_to_restore.count) == (0, 0, 0)
        assert figures.change_failure_rate in (0, None)


@given(histories())
def test_trouble_ends_with_the_first_that_goes_well_after_it(history: list[Made]) -> None:
    """Told once more, the slow way: each failure is of the trouble that began with the first one before it."""
    lengths: list[float] = []
    begin = microseconds(PERIOD.earlier)
    for app in ("mail", "shop"):
        for environment in ("live", "sandbox"):
            rows = [one for one in history if one[:2] == (app, environment) and one.created_at >= begin]
            lengths += _troubles(rows)
    found = measure(history, PERIOD)
    told = found.figures.time_to_restore.count + found.earlier.time_to_restore.count
    assert told == len(lengths)
    if lengths:
        means = [one.time_to_restore for one in (found.figures, found.earlier)]
        total = sum((one.mean or 0) * one.count for one in means)
        assert abs(total - sum(lengths)) < 1e-3


def _troubles(rows: list[Made]) -> list[float]:
    back = [one.cause in ROLLBACKS or (one.cause == "retry" and one.left is not None) for one in rows]
    left = {one.left for one, goes_back in zip(rows, back, strict=True) if goes_back and one.status != "aborted"}
    changes = [not goes_back and one.cause != "repair" for one, goes_back in zip(rows, back, strict=True)]
    ended = [one.status in ("completed", "failed", "aborted") for one in rows]
    wrong = [
        change and done and (one.status == "failed" or one.id in left)
        for one, change, done in zip(rows, changes, ended, strict=True)
    ]
    well = [one.status == "completed" and not bad for one, bad in zip(rows, wrong, strict=True)]
    found = []
    for at, bad in enumerate(wrong):
        earlier = [n for n in range(at) if wrong[n] and not any(well[n + 1 : at])]
        following = [n for n in range(at + 1, len(rows)) if well[n]]
        if bad and not earlier and following:
            ends = rows[at].finished_at, rows[following[0]].finished_at
            assert ends[0] is not None
            assert ends[1] is not None
            found.append(max(ends[1] - ends[0], 0) / 1e6)
    return found
