"""Is each figure what docs/metrics.md says it is?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reconciler.model.figures import Measured, Spread
from reconciler.model.measuring import Made, Period, measure, microseconds, spread

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = 3600
MONTH = Period(since=NOON, until=NOON + timedelta(days=30))


def moment(hours: float) -> int:
    """So many hours after the beginning of the period."""
    return microseconds(NOON + timedelta(hours=hours))


def made(hours: float, status: str = "completed", cause: str = "release", took: float = 0.5, **more: object) -> Made:
    """A deployment that was made then, began at once, and ended after so many hours."""
    ended = None if status in ("pending", "started") else moment(hours + took)
    given = {"app": "shop", "environment": "live", "id": f"at-{hours}", "committed_at": moment(hours - 2), **more}
    times = {"created_at": moment(hours), "started_at": moment(hours), "finished_at": ended}
    return Made(**{"status": status, "cause": cause, **times, **given})  # type: ignore[arg-type]


def of(*rows: Made, period: Period = MONTH) -> Measured:
    """The figures of these, which are told in order."""
    return measure(rows, period)


def test_frequency_counts_what_brought_something_and_completed() -> None:
    found = of(
        made(1),
        made(2, cause="promotion"),
        made(3, cause="season-start"),
        made(4, cause="restore"),
        made(5, cause="rollback", left="at-3"),
        made(6, cause="auto-rollback"),
        made(7, cause="repair"),
        made(8, status="failed"),
        made(9, status="aborted"),
        made(10, status="started"),
    ).figures
    assert (found.changes, found.deployment_frequency) == (4, pytest.approx(4 / 30))
    assert (found.deployments, found.completed, found.failed, found.aborted, found.active) == (10, 7, 1, 1, 1)
    assert (found.rollbacks, found.restores) == (2, 1)


def test_success_and_failure_are_shares_of_what_completed_or_failed() -> None:
    found = of(made(1), made(2), made(3, status="failed"), made(4, status="aborted"), made(5, cause="repair")).figures
    assert (found.success_rate, found.failure_rate) == (0.75, 0.25)
    assert of().figures.success_rate is None


def test_a_rollback_says_that_what_it_left_failed() -> None:
    found = of(made(1), made(2), made(3), made(4, cause="rollback", left="at-3")).figures
    assert (found.changes_failed, found.change_failure_rate) == (1, pytest.approx(1 / 3))
    assert found.success_rate == 1


def test_a_rollback_that_was_aborted_says_nothing() -> None:
    found = of(made(1), made(2, cause="rollback", status="aborted", left="at-1")).figures
    assert found.change_failure_rate == 0


def test_another_try_of_a_rollback_is_a_way_back_too() -> None:
    tried = made(3, cause="rollback", status="failed", left="at-2"), made(4, cause="retry", left="at-2")
    found = of(made(1), made(2), *tried).figures
    assert (found.changes, found.changes_failed, found.rollbacks) == (2, 1, 1)
    assert (found.lead_time.count, found.time_to_restore.median) == (2, 2 * HOUR)


def test_a_change_that_was_stopped_halfway_and_left_failed() -> None:
    found = of(made(1), made(2, status="aborted"), made(3, cause="rollback", left="at-2")).figures
    assert (found.changes_failed, found.change_failure_rate) == (1, 0.5)


def test_a_change_that_failed_and_was_left_is_one_failure() -> None:
    found = of(made(1), made(2, status="failed"), made(3, cause="auto-rollback", left="at-2")).figures
    assert (found.changes_failed, found.change_failure_rate) == (1, 0.5)


def test_a_restore_is_no_failure() -> None:
    found = of(made(1), made(2), made(3, cause="restore")).figures
    assert (found.change_failure_rate, found.restores, found.time_to_restore.count) == (0, 1, 0)


def test_lead_time_is_from_the_commit_to_the_end_where_it_was_asked_for() -> None:
    found = of(
        made(10, committed_at=moment(8)),
        made(20, committed_at=None),
        made(30, cause="schedule", committed_at=moment(-900)),
        made(40, cause="rollback", committed_at=moment(1)),
        made(50, status="failed"),
    ).figures
    assert found.lead_time == Spread(count=1, median=2.5 * HOUR, p90=2.5 * HOUR, mean=2.5 * HOUR)


def test_time_to_restore_is_from_the_end_of_what_failed_to_the_next_that_went_well() -> None:
    found = of(
        made(1),
        made(2),
        made(5, cause="rollback", left="at-2"),
        made(10, status="failed"),
        made(11, status="failed"),
        made(14, cause="retry"),
        made(20, status="failed"),
    ).figures
    # From 2.5 to 5.5, and from 10.5 (the second failure is of the same trouble) to 14.5; the last one goes on.
    assert (found.time_to_restore.count, found.time_to_restore.mean) == (2, 3.5 * HOUR)
    assert found.not_restored == 1
    assert found.changes_failed == 4


def test_a_failure_elsewhere_is_not_restored_here() -> None:
    found = of(made(1, status="failed", environment="live"), made(2, environment="sandbox")).figures
    assert (found.time_to_restore.count, found.not_restored) == (0, 1)


def test_time_between_is_between_the_ends_of_two_changes_of_the_same_app_and_place() -> None:
    found = of(
        made(1),
        made(4, cause="rollback", left="at-1"),
        made(7),
        made(9, status="failed"),
        made(8, app="till"),
    ).figures
    assert (found.time_between.count, found.time_between.median) == (1, 6 * HOUR)


def test_duration_leaves_out_what_goes_step_by_step() -> None:
    found = of(made(1, took=0.25), made(2, took=48, gradual=True), made(60, status="failed", took=9)).figures
    assert (found.duration.count, found.duration.median) == (1, 0.25 * HOUR)


def test_the_period_before_stands_beside_and_takes_nothing_from_this_one() -> None:
    found = of(made(-900), made(-700), made(-5), made(1), made(2, cause="rollback", left="at--5"), made(3))
    assert (found.earlier.since, found.earlier.until) == (NOON - timedelta(days=30), NOON)
    assert (found.figures.changes, found.earlier.changes) == (2, 2)
    assert (found.figures.changes_failed, found.earlier.changes_failed) == (0, 1)
    # It was restored in this period, and failed in the one before.
    assert (found.figures.time_to_restore.count, found.earlier.time_to_restore.count) == (0, 1)
    assert (found.figures.time_between.count, found.earlier.time_between.count) == (1, 1)


def test_the_series_goes_by_day_and_for_longer_by_week() -> None:
    # From noon to noon: the first day's afternoon, 29 whole days, and today so far.
    by_day = of(made(1), made(11.9), made(12), made(24 * 30 - 0.1))
    assert [one.changes for one in by_day.series] == [2, 1, *[0] * 28, 1]
    assert [one.since.hour for one in by_day.series] == [12, *[0] * 30]
    assert (by_day.series[-1].since, by_day.series[-1].until) == (NOON + timedelta(days=29.5), MONTH.until)
    # 1 June 2026 is a Monday.
    by_week = of(made(1), made(24 * 64), period=Period(since=NOON, until=NOON + timedelta(days=65)))
    assert [one.changes for one in by_week.series] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert {one.since.weekday() for one in by_week.series} == {0}
    assert by_week.series[-1].until - by_week.series[-1].since == timedelta(days=2.5)


@pytest.mark.parametrize(
    ("zone", "at", "days"),
    [
        ("Europe/Berlin", "2026-10-24T22:30:00+00:00", ["24 22", "25 23", "26 23"]),  # 25 October has 25 hours
        ("America/New_York", "2026-06-01T12:00:00+00:00", ["01 12", "02 04", "03 04"]),
        ("Pacific/Apia", "2011-12-29T12:00:00+00:00", ["29 12", "30 10", "31 10"]),  # it had no 30 December
    ],
)
def test_days_are_those_of_a_calendar(zone: str, at: str, days: list[str]) -> None:
    begin = datetime.fromisoformat(at)
    period = Period(since=begin, until=begin + timedelta(days=2, hours=3), zone=ZoneInfo(zone))
    series = measure([], period).series
    assert [f"{one.since.astimezone(UTC):%d %H}" for one in series] == days
    assert [one.until for one in series] == [*(one.since for one in series[1:]), period.until]


def test_apps_and_environments_are_told_apart_with_the_most_changes_first() -> None:
    found = of(
        made(1, app="mail"), made(2, app="shop"), made(3, app="shop"), made(4, app="till", environment="sandbox")
    )
    assert [(one.name, one.figures.changes) for one in found.apps] == [("shop", 2), ("mail", 1), ("till", 1)]
    assert [(one.name, one.figures.changes) for one in found.environments] == [("live", 3), ("sandbox", 1)]


def test_median_and_p90_are_lengths_that_occurred() -> None:
    assert spread([]) == Spread()
    assert spread([4, 1, 3, 2]) == Spread(count=4, median=2, p90=4, mean=2.5)
    assert spread(range(1, 101)) == Spread(count=100, median=50, p90=90, mean=50.5)


def test_a_clock_that_was_set_back_makes_no_length_negative() -> None:
    assert of(made(5, took=-3)).figures.duration.median == 0


def test_a_period_that_would_begin_before_all_time_has_a_shorter_one_before() -> None:
    early = Period(since=datetime(300, 1, 1, tzinfo=UTC), until=NOON)
    assert early.earlier < early.since
    assert measure([made(-5)], early).figures.changes == 1


def test_a_day_that_has_just_begun_is_no_busier_than_one_that_is_over() -> None:
    just = Period(since=NOON - timedelta(hours=36), until=NOON - timedelta(hours=11))
    found = of(made(-11.5), period=just)
    assert [one.deployment_frequency for one in found.series] == [0, 1]


def test_the_example_of_the_page() -> None:
    """As docs/metrics.md has it: what was made when, how long it took, and when its commit was made."""

    def one(time: str, minutes: int, committed: str | None = None, **more: object) -> Made:
        (hours, rest), at = map(int, time.split(":")), committed and [int(part) for part in committed.split(":")]
        there = None if at is None else moment(at[0] - 12 + at[1] / 60)
        return made(hours - 12 + rest / 60, took=minutes / 60, id=f"{time}", committed_at=there, **more)

    day = Period(since=NOON - timedelta(hours=12), until=NOON + timedelta(hours=12))
    rows = [
        one("08:00", 1, "07:31"),
        one("10:00", 2, "09:02"),
        one("10:30", 1, cause="rollback", left="10:00"),
        one("12:00", 3, "11:50", status="failed"),
        one("12:20", 1, "11:50", cause="retry"),
    ]
    found = of(*rows, period=day).figures
    assert found.deployment_frequency == 3
    assert (found.lead_time.count, found.lead_time.median) == (3, pytest.approx(31 * 60))
    assert found.change_failure_rate == 0.5
    assert (found.time_to_restore.count, found.time_to_restore.median) == (2, pytest.approx(18 * 60))
    assert found.time_to_restore.p90 == pytest.approx(29 * 60)
    assert (found.time_between.count, found.time_between.median) == (2, pytest.approx(121 * 60))
    assert (found.duration.count, found.duration.median) == (4, pytest.approx(60))
    assert (found.success_rate, found.failure_rate) == (0.8, 0.2)
