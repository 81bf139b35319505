"""When a cron expression fires: each match on the wall clock, once, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.errors import ScheduleError
from reconciler.schedule import cron_next, cron_previous, rfc3339, utc, zone


def fires(expression: str, place: str, after: str, count: int) -> list[str]:
    moment: datetime | None = utc(after)
    found = []
    for _ in range(count):
        assert moment is not None
        moment = cron_next(expression, zone(place), moment)
        assert moment is not None
        found.append(rfc3339(moment))
    return found


@pytest.mark.parametrize(
    ("expression", "place", "after", "expected"),
    [
        # Clocks skip 02:00 to 03:00: at once after the gap, and never two at that instant.
        ("30 2 * * *", "Europe/Paris", "2026-03-28T12:00Z", ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]),
        (
            "*/30 * * * *",
            "Europe/Paris",
            "2026-03-29T00:30Z",
            ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
        ),
        # They show 02:00 to 03:00 twice: the first time only, and what repeats pauses.
        ("30 2 * * *", "Europe/Paris", "2026-10-24T12:00Z", ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]),
        (
            "*/30 * * * *",
            "Europe/Paris",
            "2026-10-25T00:00Z",
            ["2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z"],
        ),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00Z", ["2026-10-03T15:30:00Z"]),
        # The day that Samoa lost: its midnight and the next day's are one instant, so it fires once.
        ("0 0 * * *", "Pacific/Apia", "2011-12-29T00:00Z", ["2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"]),
        ("0 0 * * *", "Pacific/Apia", "2011-12-30T10:00Z", ["2011-12-31T10:00:00Z"]),
        (
            "0 0 * * *",
            "America/Santiago",
            "2026-09-05T12:00Z",
            ["2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"],
        ),
        # Trains.
        (
            "0 9 * * mon-thu",
            "Europe/Paris",
            "2026-11-19T09:00Z",
            ["2026-11-23T08:00:00Z", "2026-11-24T08:00:00Z"],
        ),
        ("0 9 L * *", "UTC", "2027-02-01T00:00Z", ["2027-02-28T09:00:00Z"]),
    ],
)
def test_a_cron_fires_once_for_each_match(expression: str, place: str, after: str, expected: list[str]) -> None:
    assert fires(expression, place, after, len(expected)) == expected


def test_next_is_strictly_after_and_previous_is_at_or_before() -> None:
    nine = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    moment = timedelta(microseconds=1)
    daily = ("0 9 * * *", zone("UTC"))
    assert cron_next(*daily, nine - moment) == nine
    assert cron_next(*daily, nine) == nine + timedelta(days=1)
    assert cron_next(*daily, nine + moment) == nine + timedelta(days=1)
    assert cron_previous(*daily, nine) == nine
    assert cron_previous(*daily, nine + moment) == nine
    assert cron_previous(*daily, nine - moment) == nine - timedelta(days=1)


def test_previous_knows_what_fired_in_the_first_of_two_hours() -> None:
    # 02:10 for the second time; 02:45 was fired 25 minutes ago, the first time it was shown.
    second = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    assert cron_previous("45 2 * * *", zone("Europe/Paris"), second) == utc("2026-10-25T00:45Z")


def test_nothing_fires_before_1970_or_after_2200() -> None:
    yearly = ("0 0 1 1 *", zone("UTC"))
    assert cron_next(*yearly, utc("2200-01-01T00:00Z")) is None
    assert cron_next(*yearly, datetime.max.replace(tzinfo=UTC)) is None
    assert cron_next(*yearly, datetime.min.replace(tzinfo=UTC)) == utc("1970-01-01T00:00Z")
    assert cron_previous(*yearly, datetime.max.replace(tzinfo=UTC)) == utc("2200-01-01T00:00Z")
    assert cron_previous(*yearly, datetime(1969, 12, 31, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("0 0 9 * * *", "6 fields"),  # a sixth field would be seconds
        ("0 9 * *", "4 fields"),
        ("@daily", "not a cron expression"),
        ("", "not a cron expression"),
        ("60 9 * * *", "Bad minute"),
        ("0 25 * * *", "Bad hour"),
        ("0 9 30 2 *", "Bad day-of-month"),
        ("0 9 * * mon-xyz", "Bad day-of-week"),
        ("*/0 * * * *", "Bad minute"),
        ("0 9 * * \x00", "not a cron expression"),
        pytest.param("0," * 10_000 + "0 * * * *", "not a cron expression", id="many"),
        pytest.param("1" * 5_000 + " * * * *", "not a cron expression", id="huge"),
    ],
)
def test_a_wrong_expression_is_refused(expression: str, says: str) -> None:
    for ask in (cron_next, cron_previous):
        with pytest.raises(ScheduleError, match=says) as caught:
            ask(expression, zone("UTC"), utc("2026-01-01T00:00Z"))
        assert "minute, hour, day of month" in caught.value.next_step
        assert len(str(caught.value)) < 400


def test_a_moment_without_offset_is_refused() -> None:
    with pytest.raises(ScheduleError):
        cron_next("0 9 * * *", zone("UTC"), datetime(2026, 1, 1))
