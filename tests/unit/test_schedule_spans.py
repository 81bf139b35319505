"""Seasons and freezes: which windows a span has, what holds now, and what changes next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.errors import ScheduleError
from reconciler.schedule import Span, Window, active, check, next_edge, offset, rfc3339, utc, windows

PARIS = "Europe/Paris"
CHRISTMAS = Span("2026-12-01T00:00", "2027-01-02T06:00", PARIS, repeat="yearly")
WEEKEND = Span(timezone=PARIS, cron="0 18 * * fri", duration=timedelta(hours=62))


def spelt(span: Span, after: str, before: str) -> list[tuple[str, str]]:
    check(span)
    return [(rfc3339(each.start), rfc3339(each.until)) for each in windows(span, utc(after), utc(before))]


def days(span: Span, after: str, before: str) -> list[str]:
    """The UTC dates on which the windows start."""
    return [start[:10] for start, _ in spelt(span, after + "T00:00Z", before + "T00:00Z")]


def test_once() -> None:
    span = Span("2026-12-23T18:00", "2027-01-04T08:00+00:00", PARIS)
    window = Window(utc("2026-12-23T17:00Z"), utc("2027-01-04T08:00Z"))
    assert list(windows(span, utc("2026-01-01T00:00Z"), utc("2028-01-01T00:00Z"))) == [window]
    assert active(span, window.start) == window
    assert active(span, window.until - timedelta(microseconds=1)) == window
    assert active(span, window.until) is None
    assert next_edge(span, utc("2026-01-01T00:00Z")) == window.start
    assert next_edge(span, window.start) == window.until
    assert next_edge(span, window.until) is None


def test_yearly_over_new_year() -> None:
    assert spelt(CHRISTMAS, "2027-01-01T00:00Z", "2028-06-01T00:00Z") == [
        ("2026-11-30T23:00:00Z", "2027-01-02T05:00:00Z"),
        ("2027-11-30T23:00:00Z", "2028-01-02T05:00:00Z"),
    ]
    assert active(CHRISTMAS, utc("2025-12-24T00:00Z")) is None, "the first is in the year that 'from' names"
    assert next_edge(CHRISTMAS, utc("2027-06-01T00:00Z")) == utc("2027-11-30T23:00Z")


def test_yearly_with_29_february_means_1_march_at_midnight_in_other_years() -> None:
    assert spelt(Span("2028-02-29T12:00", "2028-03-02", "UTC", "yearly"), "2028-01-01T00:00Z", "2030-01-01T00:00Z") == [
        ("2028-02-29T12:00:00Z", "2028-03-02T00:00:00Z"),
        ("2029-03-01T00:00:00Z", "2029-03-02T00:00:00Z"),
    ]
    leap_day = Span("2028-02-29", "2028-03-01", "UTC", "yearly")
    assert days(leap_day, "2028-01-01", "2037-01-01") == ["2028-02-29", "2032-02-29", "2036-02-29"]


def test_yearly_is_a_day_longer_over_29_february() -> None:
    winter = Span("2026-12-31T23:59", "2027-03-01T00:00", "UTC", "yearly")
    late = utc("2028-02-29T23:59:30Z")
    assert list(windows(winter, late, late + timedelta(seconds=1))) == [
        Window(utc("2027-12-31T23:59Z"), utc("2028-03-01T00:00Z"))
    ]


def test_windows_stay_apart_even_of_a_span_that_check_refuses() -> None:
    unchecked = Span("2026-12-01", "2026-12-03", "UTC", "FREQ=DAILY;COUNT=3")
    found = list(windows(unchecked, utc("2026-01-01T00:00Z"), utc("2027-01-01T00:00Z")))
    assert [rfc3339(each.start)[8:10] for each in found] == ["01", "03", "04"]
    assert found[0].until == found[1].start


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=WEEKLY;BYDAY=FR", ["2026-12-04", "2026-12-11", "2026-12-18", "2026-12-25", "2027-01-01"]),
        ("RRULE:freq=weekly;interval=2;", ["2026-12-01", "2026-12-15", "2026-12-29"]),
        ("FREQ=DAILY;INTERVAL=10", ["2026-12-01", "2026-12-11", "2026-12-21", "2026-12-31"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", ["2026-12-25"]),
        ("FREQ=DAILY;COUNT=3", ["2026-12-01", "2026-12-02", "2026-12-03"]),
        ("FREQ=DAILY;UNTIL=20261202", ["2026-12-01", "2026-12-02"]),
        ("FREQ=DAILY;UNTIL=20261202T120000", ["2026-12-01", "2026-12-02"]),
        ("FREQ=DAILY;UNTIL=20261202T110000Z", ["2026-12-01", "2026-12-02"]),  # 12:00 in Paris
        ("FREQ=DAILY;UNTIL=20261202T105959Z", ["2026-12-01"]),
        ("FREQ=YEARLY;UNTIL=99991231", ["2026-12-01"]),
    ],
)
def test_rules(rule: str, expected: list[str]) -> None:
    assert days(Span("2026-12-01T12:00", "2026-12-01T14:00", PARIS, rule), "2026-01-01", "2027-01-05") == expected


def test_each_time_of_a_rule_is_as_long_on_the_wall_clock() -> None:
    nightly = Span("2026-03-01T22:00", "2026-03-02T06:00", PARIS, "FREQ=DAILY")
    assert spelt(nightly, "2026-03-28T12:00Z", "2026-03-30T12:00Z") == [
        ("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z"),  # seven hours
        ("2026-03-29T20:00:00Z", "2026-03-30T04:00:00Z"),
    ]


def test_a_rule_leaves_out_dates_that_a_month_lacks() -> None:
    monthly = Span("2027-01-31", "2027-02-01", "UTC", "FREQ=MONTHLY")
    assert days(monthly, "2027-01-01", "2027-06-01") == ["2027-01-31", "2027-03-31", "2027-05-31"]


def test_a_window_within_a_gap_is_left_out_and_one_across_it_is_shortened() -> None:
    within = Span("2026-03-01T02:10", "2026-03-01T02:50", PARIS, "FREQ=DAILY")
    assert days(within, "2026-03-28", "2026-03-31") == ["2026-03-28", "2026-03-30"]
    across = Span("2026-03-01T02:30", "2026-03-01T03:30", PARIS, "FREQ=DAILY")
    assert spelt(across, "2026-03-29T00:00Z", "2026-03-29T12:00Z") == [("2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z")]


def test_a_cron_freeze_lasts_as_long_on_the_wall_clock() -> None:
    assert spelt(WEEKEND, "2026-10-23T00:00Z", "2026-10-27T00:00Z") == [
        (
            "2026-10-23T16:00:00Z",
            "2026-10-26T07:00:00Z",
        )  # Friday 18:00 to Monday 08:00 although clocks changed
    ]
    assert active(WEEKEND, utc("2026-11-22T12:00Z")) is not None
    assert next_edge(WEEKEND, utc("2026-11-23T07:00Z")) == utc("2026-11-27T17:00Z")


def test_around_a_holiday() -> None:
    easter = Span(timezone=PARIS, holiday="DE/Easter Monday", opens=offset("-3d"), closes=offset("+1d"))
    assert spelt(easter, "2027-01-01T00:00Z", "2029-01-01T00:00Z") == [
        ("2027-03-25T23:00:00Z", "2027-03-29T22:00:00Z"),  # clocks change on Easter Sunday
        ("2028-04-13T22:00:00Z", "2028-04-17T22:00:00Z"),
    ]
    assert days(easter, "2090-01-01", "2101-01-01")[-1] == "2100-03-25"


def test_long_before_or_after_a_holiday() -> None:
    after = Span(timezone="UTC", holiday="DE/Christmas Day", opens=offset("30d"), closes=offset("31d"))
    assert days(after, "2030-01-24", "2030-01-25") == ["2030-01-24"]
    before = Span(timezone="UTC", holiday="DE/New Year's Day", opens=offset("-40d"), closes=offset("-39d"))
    assert days(before, "2029-11-22", "2029-11-23") == ["2029-11-22"]


def test_the_language_of_the_machine_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "de")
    assert days(Span(timezone="UTC", holiday="DE/German Unity Day"), "2027-01-01", "2028-01-01") == ["2027-10-03"]


def test_a_holiday_of_a_part_of_a_country() -> None:
    assert days(Span(timezone="UTC", holiday="DE-BY/Epiphany"), "2027-01-01", "2028-01-01") == ["2027-01-06"]


def test_a_holiday_of_several_days_is_one_window() -> None:
    # Eid lasts two days in Morocco, and its name says that the date is an estimate.
    eid = Span(timezone="UTC", holiday="MA/Eid al-Fitr", opens=offset("-1d"))
    touching = Span(timezone="UTC", holiday="MA/Eid al-Fitr")
    assert days(touching, "2030-01-01", "2030-12-01") == ["2030-02-04"]
    assert spelt(eid, "2030-01-01T00:00Z", "2030-12-01T00:00Z") == [("2030-02-03T00:00:00Z", "2030-02-06T00:00:00Z")]


def test_a_holiday_tabled_for_some_years_only_ends_quietly() -> None:
    holi = Span(timezone="UTC", holiday="IN/Holi")
    assert next_edge(holi, utc("2027-01-01T00:00Z")) == utc("2027-03-22T00:00Z")
    assert next_edge(holi, utc("2150-01-01T00:00Z")) is None


def test_windows_are_whole_and_half_open() -> None:
    first = Window(utc("2026-11-30T23:00Z"), utc("2027-01-02T05:00Z"))
    assert list(windows(CHRISTMAS, first.until - timedelta(microseconds=1), first.until)) == [first]
    assert list(windows(CHRISTMAS, first.until, first.until + timedelta(days=1))) == []
    assert list(windows(CHRISTMAS, first.start - timedelta(days=1), first.start)) == []
    assert list(windows(CHRISTMAS, first.start, first.start)) == []


def test_windows_are_bounded() -> None:
    minutes = Span(timezone="UTC", cron="* * * * *", duration=timedelta(minutes=1))
    found = list(windows(minutes, utc("2026-01-01T00:00Z"), utc("2100-01-01T00:00Z")))
    assert len(found) == 10_000


def test_nothing_starts_after_2200() -> None:
    daily = Span("2026-01-01", "2026-01-02", "UTC", "FREQ=DAILY")
    assert days(daily, "2200-12-30", "2400-01-01") == ["2200-12-30", "2200-12-31"]
    assert next_edge(daily, utc("2200-12-31T00:00Z")) == datetime(2201, 1, 1, tzinfo=UTC)
    for span in (daily, CHRISTMAS, WEEKEND):
        assert next_edge(span, datetime.max.replace(tzinfo=UTC)) is None
        assert active(span, datetime.max.replace(tzinfo=UTC)) is None
        assert next_edge(span, datetime.min.replace(tzinfo=UTC)) == next_edge(span, utc("1970-01-01T00:00Z"))


def test_moments_without_offset_are_refused() -> None:
    for ask in (active, next_edge):
        with pytest.raises(ScheduleError):
            ask(CHRISTMAS, datetime(2026, 1, 1))
    with pytest.raises(ScheduleError):
        windows(CHRISTMAS, datetime(2026, 1, 1), datetime(2027, 1, 1))
