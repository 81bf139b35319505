"""Is the next edge of a span always the next change, and is what is read always read the same way?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from reconciler.errors import ScheduleError
from reconciler.schedule import (
    Span,
    active,
    check,
    cron_next,
    duration,
    instant,
    next_edge,
    offset,
    rfc3339,
    spell,
    utc,
    windows,
    zone,
)
from reconciler.schedule.rrules import starts

MOMENT = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Where and when clocks change: by an hour, by half an hour, at midnight, by a whole day; and one of rest.
CHANGES = [
    ("Europe/Paris", "2026-03-29T01:00Z"),
    ("Europe/Paris", "2026-10-25T01:00Z"),
    ("America/New_York", "2027-03-14T07:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30Z"),
    ("America/Santiago", "2026-04-05T03:00Z"),
    ("America/Santiago", "2026-09-06T04:00Z"),
    ("Africa/Casablanca", "2024-03-10T02:00Z"),
    ("Africa/Casablanca", "2024-04-14T02:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00Z"),
    ("UTC", "2026-11-21T00:00Z"),
]
quick = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
moments = st.tuples(
    st.sampled_from(CHANGES), st.timedeltas(-3 * DAY, 3 * DAY) | st.timedeltas(-500 * DAY, 500 * DAY)
).map(lambda drawn: (drawn[0][0], utc(drawn[0][1]) + drawn[1]))


@st.composite
def spans(draw: st.DrawFn, place: str, now: datetime) -> Span:
    """A sound span of any shape, with its first time somewhere around `now`."""
    start = (now + draw(st.timedeltas(-800 * DAY, 30 * DAY))).replace(tzinfo=None, second=0, microsecond=0)
    length = draw(st.sampled_from([10, 45, 60, 150, 1440, 1441, 6000, 50_000])) * timedelta(minutes=1)
    times = (start.isoformat(), (start + length).isoformat(), place)
    shape = draw(st.sampled_from(["once", "yearly", "rule", "cron", "holiday"]))
    span = Span(*times)
    if shape == "yearly":
        span = Span(*times, repeat="yearly")
    elif shape == "rule":
        span = Span(*times, repeat=draw(rules))
    elif shape == "cron":
        span = Span(timezone=place, cron=draw(crons), duration=length)
    elif shape == "holiday":
        name = draw(st.sampled_from(["DE/Easter Monday", "MA/Eid al-Fitr", "RU/New Year Holidays", "US/Labor Day"]))
        span = Span(timezone=place, holiday=name, opens=-length, closes=draw(st.sampled_from([timedelta(), DAY])))
    try:
        check(span)
    except ScheduleError:
        assume(False)
    return span


crons = st.builds(
    "{} {} {} * {}".format,
    st.sampled_from(["0", "30", "*/20", "15,45"]),
    st.sampled_from(["*", "2", "0,12", "1-3"]),
    st.sampled_from(["*", "1", "L", "*/10"]),
    st.sampled_from(["*", "fri", "mon-thu", "1#2"]),
)
endless_rules = st.builds(
    "FREQ={};INTERVAL={}{}".format,
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 5),
    st.sampled_from(
        ["", ";BYDAY=MO", ";BYDAY=SA,SU;WKST=SU", ";BYMONTHDAY=1,15,-1", ";BYMONTH=3,10", ";BYYEARDAY=60,-1"]
    ),
)
rules = st.builds(
    str.__add__,
    endless_rules,
    st.sampled_from(["", ";COUNT=7", ";UNTIL=20270131", ";UNTIL=20270131T120000Z"]),
)


@quick
@given(st.data(), moments)
def test_nothing_changes_before_the_next_edge_and_something_does_at_it(
    data: st.DataObject, where: tuple[str, datetime]
) -> None:
    place, now = where
    span = data.draw(spans(place, now))
    edge = next_edge(span, now)
    held = active(span, now)
    if edge is None:
        assert held is None
        assert active(span, now + data.draw(st.timedeltas(timedelta(), 5000 * DAY))) is None
        return
    assert now < edge
    assert active(span, edge - MOMENT) == held
    assert active(span, edge) != held
    for _ in range(5):
        between = now + data.draw(st.timedeltas(timedelta(), edge - now - MOMENT))
        assert active(span, between) == held
        assert next_edge(span, between) == edge


@quick
@given(st.data(), moments, st.timedeltas(timedelta(), 40 * DAY))
def test_windows_are_ordered_apart_and_the_same_whoever_asks(
    data: st.DataObject, where: tuple[str, datetime], reach: timedelta
) -> None:
    place, now = where
    span = data.draw(spans(place, now))
    found = list(windows(span, now, now + reach))
    assert all(window.start < window.until for window in found)
    assert all(first.until <= second.start for first, second in pairwise(found))
    assert all(window.until > now and window.start < now + reach for window in found)
    wider = windows(span, now - 60 * DAY, now + reach + 60 * DAY)
    assert found == [window for window in wider if window.until > now and window.start < now + reach]
    for window in found[:5]:
        assert active(span, window.start) == window == active(span, window.until - MOMENT)
        assert next_edge(span, window.start) == window.until


@quick
@given(endless_rules, st.datetimes(datetime(1970, 1, 1), datetime(2027, 1, 1)), st.integers(0, 12_000))
@example("FREQ=YEARLY;INTERVAL=1", datetime(2024, 2, 29, 9), 3000)
@example("FREQ=MONTHLY;INTERVAL=5;BYDAY=MO", datetime(2023, 1, 31, 9), 3000)
def test_a_rule_joined_late_goes_on_as_it_began(rule: str, start: datetime, days: int) -> None:
    start = start.replace(microsecond=0)
    begin = start + days * DAY
    found = (wall for wall in starts(rule, start, zone("UTC"), begin) if wall >= begin)
    expected = rrulestr(rule, dtstart=start).xafter(begin, inc=True)
    assert list(islice(found, 5)) == [wall for wall in islice(expected, 5) if wall.year <= 2200]


@quick
@given(st.text(max_size=60) | st.from_regex(r"[-+0-9TZ:. /A-Za-z*,;=#]{0,40}", fullmatch=True))
def test_any_text_is_read_or_refused(text: str) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    asks: list[Callable[[], object]] = [
        lambda: instant(text, "UTC"),
        lambda: utc(text),
        lambda: zone(text),
        lambda: duration(text),
        lambda: offset(text),
        lambda: cron_next(text, zone("UTC"), now),
        lambda: check(Span(text, text, text)),
        lambda: check(Span("2026-12-01", "2026-12-02", "UTC", repeat=text)),
        lambda: check(Span("2026-12-01", "2026-12-02", "UTC", repeat=f"FREQ=MONTHLY;{text}")),
        lambda: check(Span(timezone="UTC", holiday=text)),
        lambda: check(Span(timezone="UTC", holiday=f"DE/{text}")),
        lambda: check(Span(timezone="UTC", cron=text, duration=HOUR)),
    ]
    refusals: list[ScheduleError] = []
    for ask in asks:
        try:
            ask()
        except ScheduleError as refusal:
            refusals.append(refusal)
    assert all(refusal.next_step and len(str(refusal)) < 600 for refusal in refusals)


@given(st.timedeltas(timedelta(), timedelta(days=36_525)))
def test_a_spelt_duration_is_read_back(length: timedelta) -> None:
    assert duration(spell(length)) == timedelta(seconds=length // SECOND)
    assert offset(spell(-length)) == -duration(spell(length))


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_written_instant_is_read_back(value: datetime) -> None:
    assert utc(rfc3339(value)) == value
