"""Does every rule about time hold in every zone of the tz database, across every change of its clocks?

The expected values come from `whenever`, an independent library with its own reader of the same data. It has
no rule like ours for skipped times, but it knows where clocks change, and which of two times is the first.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import as_file, files
from zoneinfo import available_timezones

import pytest
import whenever
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.schedule import Span, cron_next, cron_previous, instant, resolve, windows, zone

MOMENT = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# What the machine calls its own zone is no zone of the database.
ZONES = sorted(available_timezones() - {"localtime"})
FIRST, LAST = datetime(2025, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def _same_data() -> Iterator[None]:
    """Both libraries read the data of the package tzdata, whatever this machine has."""
    with as_file(files("tzdata") / "zoneinfo") as directory:
        whenever.reset_tzpath([str(directory)])
        whenever.clear_tzcache()
        yield
    whenever.reset_tzpath()
    whenever.clear_tzcache()


@dataclass(frozen=True)
class Change:
    """One change of the clocks: at `at` (UTC) they go from one wall time to another."""

    place: str
    at: datetime
    before: timedelta
    after: timedelta

    @property
    def skips(self) -> bool:
        return self.after > self.before

    @property
    def affected(self) -> tuple[datetime, datetime]:
        """The wall times that never come, or come twice, from and until."""
        ends = sorted(self.at.replace(tzinfo=None) + shift for shift in (self.before, self.after))
        return ends[0], ends[1]


@cache
def changes() -> tuple[Change, ...]:
    """Every change of an offset within the three years, in every zone."""
    found = []
    for place in ZONES:
        here = moment(FIRST).to_tz(place).next_transition()
        while here is not None and here.to_instant() < moment(LAST):
            before = here.to_instant().subtract(seconds=1).to_tz(place)
            at = here.to_instant().to_stdlib()
            change = Change(place, at, shift_of(before), shift_of(here))
            if change.before != change.after:
                found.append(change)
            here = here.next_transition()
    return tuple(found)


def moment(value: datetime) -> whenever.Instant:
    return whenever.Instant(value)


def shift_of(here: whenever.ZonedDateTime) -> timedelta:
    return here.offset.to_stdlib()


def shown(value: datetime, place: str) -> datetime:
    """What the clocks show there, by the independent library."""
    return moment(value).to_tz(place).to_plain().to_stdlib()


def first_instant(wall: datetime, place: str) -> datetime:
    """The rule, said with the independent library: the first of two, and after a gap the change itself."""
    plain = whenever.PlainDateTime(wall)
    try:
        return plain.assume_tz(place, disambiguation="raise").to_stdlib().astimezone(UTC)
    except whenever.RepeatedTime:
        return plain.assume_tz(place, disambiguation="earlier").to_stdlib().astimezone(UTC)
    except whenever.SkippedTime:
        beyond = plain.assume_tz(place, disambiguation="later").to_instant().add(seconds=1).to_tz(place)
        change = beyond.prev_transition()
        assert change is not None
        return change.to_instant().to_stdlib()


def probes(change: Change) -> list[datetime]:
    """Wall times before, in and after what a change affects."""
    begin, end = change.affected
    middle = begin + (end - begin) / 2
    return [
        begin - DAY,
        begin - SECOND,
        begin,
        begin + MOMENT,
        middle,
        end - SECOND,
        end - MOMENT,
        end,
        end + DAY,
    ]


def test_the_three_years_have_gaps_and_repeated_hours_to_try() -> None:
    found = changes()
    assert sum(change.skips for change in found) > 400
    assert sum(not change.skips for change in found) > 400
    assert len(ZONES) > 590


def test_every_zone_of_the_machine_is_known_and_agrees_on_ordinary_days() -> None:
    noons = [datetime(2025, month, 15, 12) for month in range(1, 13)]
    wrong = [
        (place, noon) for place in ZONES for noon in noons if resolve(noon, zone(place)) != first_instant(noon, place)
    ]
    assert wrong == []


def test_a_wall_time_around_every_clock_change_means_the_first_instant() -> None:
    wrong = [
        (change.place, wall)
        for change in changes()
        for wall in probes(change)
        if resolve(wall, zone(change.place)) != first_instant(wall, change.place)
    ]
    assert wrong == []


def test_all_of_a_gap_means_the_change_and_a_repeated_hour_its_first_pass() -> None:
    wrong = []
    for change in changes():
        begin, end = change.affected
        for wall in (begin, begin + (end - begin) / 2, end - MOMENT):
            expected = change.at if change.skips else wall.replace(tzinfo=UTC) - change.before
            if instant(wall.isoformat(), change.place) != expected:
                wrong.append((change, wall))
    assert wrong == []


def daily_walls(change: Change) -> list[datetime]:
    """A wall time that the change affects, on the days around it."""
    begin, end = change.affected
    wall = (begin + (end - begin) / 2).replace(second=0, microsecond=0)
    return [wall + DAY * number for number in range(-3, 4)]


def test_a_daily_rule_holds_at_its_wall_time_across_every_clock_change() -> None:
    wrong = []
    for change in changes():
        walls = daily_walls(change)
        start, until = walls[0] - 30 * DAY, walls[0] - 30 * DAY + 2 * HOUR
        span = Span(start.isoformat(), until.isoformat(), change.place, repeat="FREQ=DAILY")
        expected = [(first_instant(wall, change.place), first_instant(wall + 2 * HOUR, change.place)) for wall in walls]
        found = [(window.start, window.until) for window in windows(span, expected[0][0], expected[-1][1])]
        if found != [pair for pair in expected if pair[0] < pair[1]]:
            wrong.append((change, found))
    assert wrong == []


def test_a_daily_cron_fires_once_a_day_across_every_clock_change() -> None:
    wrong = []
    for change in changes():
        walls = daily_walls(change)
        expected = [first_instant(wall, change.place) for wall in walls]
        expression, here = f"{walls[0].minute} {walls[0].hour} * * *", zone(change.place)
        found: list[datetime | None] = [cron_next(expression, here, expected[0] - MOMENT)]
        while found[-1] is not None and found[-1] < expected[-1]:
            found.append(cron_next(expression, here, found[-1]))
        back = [cron_previous(expression, here, each + late) for each in expected for late in (timedelta(), HOUR)]
        if found != expected or back != [each for each in expected for _ in range(2)]:
            wrong.append((change, found, back))
    assert wrong == []


def test_a_cron_every_ten_minutes_never_stands_still_nor_goes_back() -> None:
    wrong = []
    for change in changes():
        here, now = zone(change.place), change.at - 2 * HOUR
        begin, _ = change.affected
        walls = [begin.replace(minute=0) - 3 * HOUR + timedelta(minutes=10) * number for number in range(60)]
        expected = sorted({first_instant(wall, change.place) for wall in walls})
        while now < change.at + 2 * HOUR:
            following = cron_next("*/10 * * * *", here, now)
            if following != expected[bisect.bisect_right(expected, now)]:
                wrong.append((change, now, following))
                break
            now = following
    assert wrong == []


places = st.sampled_from(ZONES)
wall_times = st.datetimes(datetime(1970, 1, 1), datetime(2200, 12, 31)).map(lambda wall: wall.replace(fold=0))


@settings(deadline=None, max_examples=200)
@given(places, wall_times)
def test_a_wall_time_is_resolved_where_the_clocks_first_reach_it(place: str, wall: datetime) -> None:
    at = resolve(wall, zone(place))
    assert shown(at - MOMENT, place) < wall <= shown(at, place)


@settings(deadline=None, max_examples=200)
@given(places, wall_times, st.timedeltas(timedelta(), timedelta(days=2)))
def test_a_later_wall_time_is_never_an_earlier_instant(place: str, wall: datetime, later: timedelta) -> None:
    assert resolve(wall, zone(place)) <= resolve(wall + later, zone(place))
