"""Instants, zones and durations: what a text means, and what is said when it means nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.errors import ScheduleError
from reconciler.schedule import duration, instant, offset, resolve, rfc3339, spell, utc, wall, zone

CLOCK_CHANGES = [
    # zone, wall time, the instant it means, why
    ("Europe/Paris", "2026-03-29T01:59:59", "2026-03-29T00:59:59Z", "the last second before the gap"),
    ("Europe/Paris", "2026-03-29T02:00", "2026-03-29T01:00:00Z", "the gap begins"),
    ("Europe/Paris", "2026-03-29T02:30", "2026-03-29T01:00:00Z", "in the gap: the first instant after it"),
    ("Europe/Paris", "2026-03-29T02:59:59.999999", "2026-03-29T01:00:00Z", "the end of the gap"),
    ("Europe/Paris", "2026-03-29T03:00", "2026-03-29T01:00:00Z", "the first time after the gap"),
    ("Europe/Paris", "2026-10-25T02:30", "2026-10-25T00:30:00Z", "shown twice: the first"),
    ("Europe/Paris", "2026-10-25T03:00", "2026-10-25T02:00:00Z", "after the repeated hour"),
    ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30:00Z", "a gap of half an hour"),
    ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45:00Z", "half an hour twice: the first"),
    ("Pacific/Apia", "2011-12-29T23:59", "2011-12-30T09:59:00Z", "the minute before the lost day"),
    ("Pacific/Apia", "2011-12-30T00:00", "2011-12-30T10:00:00Z", "a day that never was"),
    ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00:00Z", "noon of the day that never was"),
    ("Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00:00Z", "the day after it"),
    ("Africa/Casablanca", "2024-03-10T02:30", "2024-03-10T01:30:00Z", "Ramadan begins: the first of two"),
    ("Africa/Casablanca", "2024-04-14T02:30", "2024-04-14T02:00:00Z", "Ramadan is over: skipped"),
    ("America/Santiago", "2026-09-06T00:00", "2026-09-06T04:00:00Z", "midnight itself is skipped"),
    ("America/Santiago", "2026-04-04T23:30", "2026-04-05T02:30:00Z", "the hour before midnight comes twice"),
    ("America/New_York", "2150-07-01T12:00", "2150-07-01T16:00:00Z", "today's rules hold in the far future"),
]


@pytest.mark.parametrize(("place", "text", "expected", "why"), CLOCK_CHANGES)
def test_a_wall_time_means_the_first_instant_that_shows_it_or_is_past_it(
    place: str, text: str, expected: str, why: str
) -> None:
    assert rfc3339(resolve(wall(text), zone(place))) == expected, why
    assert rfc3339(instant(text, place)) == expected, why


def test_an_instant_with_an_offset_needs_no_zone_and_ignores_a_wrong_one() -> None:
    expected = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
    for text in (
        "2026-12-01T09:00+01:00",
        "2026-12-01 09:00:00+0100",
        "2026-12-01T08:00Z",
        "2026-12-01t08:00z",
    ):
        assert instant(text, None) == expected
        assert instant(text, None).tzinfo is UTC
        assert instant(text, "Nowhere/At_All") == expected


def test_a_date_alone_is_its_midnight() -> None:
    assert rfc3339(instant("2026-12-01", "Europe/Paris")) == "2026-11-30T23:00:00Z"


@pytest.mark.parametrize("text", ["2026-12-01T09:00", "2026-12-01"])
def test_a_wall_time_without_zone_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        instant(text, None)
    assert "add a timezone" in caught.value.next_step
    utc(caught.value.next_step.split()[-1])  # the offset that it proposes can be read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026",
        "20261201",
        "2026-13-01",
        "2026-02-30",
        "2026-12-01T24:00",
        "2026-12-01T9:00",
        "2026-W01-1",
        "2026-12-01Z",
        "2026-12-01T09:00\n",
        " 2026-12-01",
        "٢٠٢٦-12-01",
        "2026-12-01T09:00+25:00",
        "2026-12-01T09",
        "1969-12-31",
        "2201-01-01",
        "0000-01-01",
        "9999-12-31T23:59Z",
        "\x00",
        pytest.param("2026-12-01" * 10_000, id="huge"),
    ],
)
def test_what_is_no_date_of_our_time_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        instant(text, "UTC")
    assert caught.value.next_step
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Europe/Pari", "Europe/Paris"),
        ("europe/paris", "Europe/Paris"),
        ("paris", "Europe/Paris"),
        ("new york", "America/New_York"),
        ("Austrlia/Lord_Howe", "Australia/Lord_Howe"),
    ],
)
def test_an_unknown_zone_is_refused_with_the_nearest(name: str, meant: str) -> None:
    with pytest.raises(ScheduleError, match=f"did you mean {meant}"):
        zone(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "../zones",
        "/etc/passwd",
        "Europe",
        "Europe/Paris\x00",
        pytest.param("x" * 100_000, id="huge"),
    ],
)
def test_a_hostile_zone_name_is_refused_and_opens_no_file(name: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        zone(name)
    assert len(str(caught.value)) < 300


def test_a_zone_is_read_once() -> None:
    assert zone("Europe/Paris") is zone("Europe/Paris")
    assert str(zone("Europe/Paris")) == "Europe/Paris"


def test_resolve_refuses_what_is_no_wall_time() -> None:
    for value in (datetime(2026, 1, 1, tzinfo=UTC), datetime(1, 1, 1), datetime(9999, 12, 31)):
        with pytest.raises(ScheduleError):
            resolve(value, zone("UTC"))


def test_an_instant_is_written_in_utc_and_read_back() -> None:
    moment = datetime(2026, 12, 1, 9, 0, tzinfo=zone("Europe/Paris"))
    assert rfc3339(moment) == "2026-12-01T08:00:00Z"
    assert rfc3339(moment + timedelta(microseconds=1)) == "2026-12-01T08:00:00.000001Z"
    for text in (
        "2026-12-01T08:00:00Z",
        "2026-12-01T08:00:00.000001Z",
        "1901-12-13T20:45:52Z",
        "9999-12-31T23:59:59Z",
    ):
        assert rfc3339(utc(text)) == text
    with pytest.raises(ScheduleError):
        rfc3339(datetime(2026, 12, 1))
    for text in ("2026-12-01T08:00:00", "2026-12-01", "", "9999-12-31T23:59-01:00", "0001-01-01T00:00+01:00"):
        with pytest.raises(ScheduleError):
            utc(text)


@pytest.mark.parametrize(
    ("text", "seconds", "spelt"),
    [
        ("90s", 90, "1m30s"),
        ("15m", 900, "15m"),
        ("2h", 7200, "2h"),
        ("7d", 604_800, "7d"),
        ("1h30m", 5400, "1h30m"),
        ("1d2h3m4s", 93_784, "1d2h3m4s"),
        ("0s", 0, "0s"),
        ("36525d", 3_155_760_000, "36525d"),
    ],
)
def test_durations(text: str, seconds: int, spelt: str) -> None:
    assert duration(text) == timedelta(seconds=seconds)
    assert spell(duration(text)) == spelt
    assert duration(spelt) == duration(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "90",
        "s",
        "1.5h",
        "1h 30m",
        "30m1h",
        "1m1m",
        "-3d",
        "+3d",
        "PT1H",
        "٣d",
        "1d\n",
        "36526d",
        pytest.param("9" * 9999 + "s", id="huge"),
    ],
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        duration(text)
    assert "d" in caught.value.next_step
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(("text", "days"), [("-3d", -3), ("+1d", 1), ("2d", 2)])
def test_offsets_may_have_a_sign(text: str, days: int) -> None:
    assert offset(text) == timedelta(days=days)
    assert offset(spell(offset(text))) == offset(text)


@pytest.mark.parametrize("text", ["-", "+", "--1d", "+-1d", "- 1d", "−1d"])
def test_what_is_no_offset_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError):
        offset(text)


def test_fractions_of_a_second_are_not_spelt() -> None:
    assert spell(timedelta(milliseconds=1500)) == "1s"
    assert spell(timedelta(milliseconds=-500)) == "0s"
