"""What is told of a wrong season, freeze or holiday, word for word; and what lies just at the border of right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.errors import ScheduleError
from reconciler.schedule import Span, check, duration, instant, offset, resolve, rfc3339, utc, wall, windows, zone

PARIS = "Europe/Paris"
DAY = ("2026-12-01", "2026-12-02", PARIS)
HOUR = timedelta(hours=1)
FITS = "write 'from' and 'until', perhaps with 'repeat'; or a holiday; or 'cron' and 'duration'"
PARTS = "FREQ, WKST, BYDAY, UNTIL, INTERVAL, COUNT, BYMONTH, BYMONTHDAY, BYYEARDAY, BYWEEKNO, BYSETPOS"
LATER = "'until' must be later than 'from'; over New Year it has the year after"
FIELDS = "minute, hour, day of month, month, day of week, such as '0 9 * * mon-thu'"
HOLIDAY = "write the country's code and the English name, such as 'DE/Easter Monday' or 'DE-BY/Epiphany'"


def rule(text: str) -> Span:
    return Span(*DAY, repeat=text)


TOLD = [
    # span, the complaint, the remedy
    (Span(until="2026-12-02", timezone=PARIS), "'from' is missing", "add it, such as from: 2026-12-01T09:00"),
    (Span("2026-12-01", timezone=PARIS), "'until' is missing", "add it, such as until: 2027-01-02T06:00"),
    (
        Span("2026-12-01", "2026-12-02", repeat="yearly"),
        "'timezone' is missing",
        "add it, such as timezone: Europe/Paris",
    ),
    (Span("2026-12-01", None, PARIS, "yearly"), "'until' is missing", "add it, such as until: 2027-01-02T06:00"),
    (
        rule("FREQ=DAILY;INTERVAL=1,2"),
        "INTERVAL='1,2' is wrong in a recurrence rule",
        "write a whole number from 1 to 10000",
    ),
    (
        Span("2026-12-01", "2026-12-02", "buenos aires"),
        "there is no time zone 'buenos aires'",
        "did you mean America/Argentina/Buenos_Aires?",
    ),
    (Span(timezone=PARIS, cron="0 18 * * fri"), "'duration' is missing", "add it, such as duration: 2h"),
    (
        Span("2026-12-01T00:00Z", "2026-12-02", PARIS, "yearly"),
        "'from' has an offset, '2026-12-01T00:00Z', but what repeats follows the clocks of a place",
        "write it without offset, and add a timezone (UTC is one)",
    ),
    (
        Span("2026-12-01", "2026-12-02T00:00Z", PARIS, "yearly"),
        "'until' has an offset, '2026-12-02T00:00Z', but what repeats follows the clocks of a place",
        "write it without offset, and add a timezone (UTC is one)",
    ),
    (
        Span("2026-12-02", "2026-12-01", PARIS),
        "it ends (2026-12-01) before it starts (2026-12-02), or at once",
        LATER,
    ),
    (
        Span(timezone=PARIS, holiday="DE/Easter Monday", opens=48 * HOUR),
        "it ends (1d) before it starts (2d), or at once",
        LATER,
    ),
    (Span(*DAY, duration=HOUR), "'duration' does not go together with 'from' and 'until'", FITS),
    (Span(*DAY, repeat="yearly", duration=HOUR), "'duration' does not go together with 'repeat'", FITS),
    (Span(*DAY, repeat="FREQ=DAILY", duration=HOUR), "'duration' does not go together with 'repeat'", FITS),
    (
        Span(timezone=PARIS, holiday="DE/Easter Monday", until="2026-12-01"),
        "'until' does not go together with 'holiday'",
        FITS,
    ),
    (Span(*DAY, opens=HOUR), "'the holiday's from and until' does not go together with 'from' and 'until'", FITS),
    (
        Span(timezone=PARIS, cron="0 18 * * fri", duration=timedelta()),
        "'duration' is nothing",
        "write how long it lasts each time, such as 2h",
    ),
    (
        Span(timezone=PARIS, holiday="DE/Easter Monday", opens=offset("-360d")),
        "it reaches from -360d to 1d around the holiday",
        "stay within 300d",
    ),
    (
        Span(timezone=PARIS, holiday="DE/Easter Monday", opens=offset("400d"), closes=offset("401d")),
        "it reaches from 400d to 401d around the holiday",
        "stay within 300d",
    ),
    (Span("1990-01-01", "2190-01-01", PARIS, "yearly"), "it lasts 73049d each time", "stay within 36525d"),
    (rule("FREQ=DAILY;UNTIL=20261130"), "it never happens", "correct the rule, or remove it"),
    (
        Span("2026-12-01", "2026-12-03", PARIS, "FREQ=DAILY"),
        "it starts again at 2026-12-02 00:00, before the time from 2026-12-01 00:00 until 2026-12-03 00:00 has ended",
        "make it shorter, or let it repeat less often",
    ),
    (rule("monthly"), "'monthly' is not a repetition", "write yearly, or a rule such as FREQ=WEEKLY;BYDAY=FR"),
    (rule("FREQ=DAILY;FREQ=DAILY"), "the rule 'FREQ=DAILY;FREQ=DAILY' says FREQ twice", "say it once"),
    (
        rule("FREQ=HOURLY"),
        "FREQ='HOURLY' is wrong in a recurrence rule",
        "write one of YEARLY, MONTHLY, WEEKLY, DAILY",
    ),
    (rule("INTERVAL=2"), "the rule 'INTERVAL=2' says no FREQ", "write one of YEARLY, MONTHLY, WEEKLY, DAILY"),
    (
        rule("FREQ=DAILY;COUNT=2;UNTIL=20271231"),
        "the rule 'FREQ=DAILY;COUNT=2;UNTIL=20271231' says COUNT and UNTIL",
        "say one of the two",
    ),
    (
        rule("FREQ=DAILY;BYDAY=1MO"),
        "the rule 'FREQ=DAILY;BYDAY=1MO' counts weekdays",
        "that needs FREQ=MONTHLY or FREQ=YEARLY",
    ),
    (
        rule("FREQ=DAILY;UNTIL=20261399"),
        "UNTIL='20261399' is no date",
        "write 20271231, 20271231T180000 or 20271231T170000Z",
    ),
    (rule("FREQ=DAILY;UNTIL=19691231"), "UNTIL='19691231' is too far away", "write a year from 1970"),
    (
        rule("FREQ=DAILY;BYDAY=XX"),
        "BYDAY='XX' is wrong in a recurrence rule",
        "write days as MO,TU,WE,TH,FR,SA,SU",
    ),
    (
        rule("FREQ=DAILY;BYMONTH=13"),
        "BYMONTH='13' is wrong in a recurrence rule",
        "write a whole number from 1 to 12",
    ),
    (
        rule("FREQ=YEARLY;BYYEARDAY=-367"),
        "BYYEARDAY='-367' is wrong in a recurrence rule",
        "write a whole number from 1 to 366, or minus that",
    ),
    (
        rule("FREQ=YEARLY;BYWEEKNO=54"),
        "BYWEEKNO='54' is wrong in a recurrence rule",
        "write a whole number from 1 to 53, or minus that",
    ),
    (
        rule("FREQ=DAILY;COUNT=1001"),
        "COUNT='1001' is wrong in a recurrence rule",
        "write a whole number from 1 to 1000",
    ),
    (rule("FREQ=DAILY;BYDAYS=MO"), "a recurrence rule has no 'BYDAYS'", "did you mean BYDAY?"),
    (rule("FREQ=DAILY;XYZ=0"), "a recurrence rule has no 'XYZ'", f"use only {PARTS}"),
    (
        Span(timezone=PARIS, holiday="XX/Easter Monday"),
        "no public holidays are known of the country 'XX'",
        HOLIDAY,
    ),
    (
        Span(timezone=PARIS, holiday="Germany/Bavaria/Epiphany"),
        "'Germany/Bavaria/Epiphany' does not name a public holiday",
        f"did you mean DE/…? {HOLIDAY}",
    ),
    (Span("2026-12-01", "2026-12-02", "utc"), "there is no time zone 'utc'", "did you mean UTC?"),
    (Span(timezone=PARIS, holiday="Qqqqqqqqq"), "'Qqqqqqqqq' does not name a public holiday", HOLIDAY),
    (
        Span(timezone=PARIS, holiday="Germany/Easter Monday"),
        "'Germany/Easter Monday' does not name a public holiday",
        f"did you mean DE/…? {HOLIDAY}",
    ),
    (
        Span(timezone=PARIS, holiday="VA-XX/Easter Monday"),
        "VA has no part 'XX' with its own holidays",
        "write VA alone",
    ),
    (
        Span(timezone=PARIS, cron="0 9 * *", duration=HOUR),
        "the cron expression '0 9 * *' has 4 fields",
        f"write five: {FIELDS}",
    ),
    (
        Span(timezone=PARIS, cron="@daily", duration=HOUR),
        "'@daily' is not a cron expression",
        f"write five fields: {FIELDS}",
    ),
    (
        Span(timezone=PARIS, cron="60 9 * * *", duration=HOUR),
        "the cron expression '60 9 * * *' is wrong: Bad minute",
        f"the fields are {FIELDS}",
    ),
    (
        Span("2026-12-01", "2026-12-02", "Atlantis"),
        "there is no time zone 'Atlantis'",
        "did you mean Atlantic/Azores?",
    ),
    (
        Span("2026-12-01", "2026-12-02", "qqqqqqqqqqqqqqq"),
        "there is no time zone 'qqqqqqqqqqqqqqq'",
        "use a name such as Europe/Paris or UTC",
    ),
]


@pytest.mark.parametrize(("span", "says", "remedy"), TOLD)
def test_a_wrong_span(span: Span, says: str, remedy: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        check(span)
    assert (caught.value.message, caught.value.next_step) == (says, remedy)


@pytest.mark.parametrize("key", ["BYHOUR", "BYMINUTE", "BYSECOND"])
def test_a_rule_says_nothing_of_the_time_of_day(key: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        check(rule(f"FREQ=DAILY;{key}=9"))
    assert caught.value.message == f"a recurrence rule may not say {key}"
    assert caught.value.next_step == "the time of day is that of 'from'"


def test_parts_of_a_country_are_listed() -> None:
    with pytest.raises(ScheduleError) as caught:
        check(Span(timezone=PARIS, holiday="DE-XX/Epiphany"))
    assert caught.value.message == "DE has no part 'XX' with its own holidays"
    assert caught.value.next_step.startswith("parts of DE: BB, BE, BW, BY, ")


def test_holidays_of_a_country_or_a_part_of_it_are_listed() -> None:
    with pytest.raises(ScheduleError) as caught:
        check(Span(timezone=PARIS, holiday="DE/Ostermontag"))
    assert caught.value.message == "DE has no public holiday 'Ostermontag'"
    assert caught.value.next_step.startswith(
        "did you mean Easter Monday? these are known: Ascension Day, Christmas Day, "
    )
    with pytest.raises(ScheduleError) as caught:
        check(Span(timezone=PARIS, holiday="DE-BY/Qqqqqq"))
    assert caught.value.message == "DE-BY has no public holiday 'Qqqqqq'"
    assert caught.value.next_step.startswith("these are known: All Saints' Day, Ascension Day, ")


@pytest.mark.parametrize(
    ("text", "says", "remedy"),
    [
        ("", "'' is not a duration", "write a number and a unit: 90s, 15m, 2h, 7d or 1h30m"),
        ("-1h", "'-1h' is not a duration", "write a number and a unit: 90s, 15m, 2h, 7d or 1h30m"),
        ("36525d1s", "'36525d1s' is more than a century", "write 36525d or less"),
    ],
)
def test_a_wrong_duration(text: str, says: str, remedy: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        duration(text)
    assert (caught.value.message, caught.value.next_step) == (says, remedy)


def test_a_century_is_a_duration() -> None:
    assert duration("36525d") == timedelta(days=36_525)


def test_a_wrong_instant() -> None:
    examples = "write 2026-12-01T09:00 with a timezone, or with an offset 2026-12-01T09:00+01:00"
    for text, zone_name, says, remedy in (
        ("tomorrow", None, "'tomorrow' is not a date and time", examples),
        ("1969-12-31", "UTC", "'1969-12-31' is too far away", "write a year from 1970 to 2200"),
        (
            "2026-12-01",
            None,
            "'2026-12-01' does not say where the clock hangs",
            "add a timezone such as Europe/Paris, or an offset: 2026-12-01T00:00Z",
        ),
        (
            "2026-12-01T09:00",
            None,
            "'2026-12-01T09:00' does not say where the clock hangs",
            "add a timezone such as Europe/Paris, or an offset: 2026-12-01T09:00Z",
        ),
    ):
        with pytest.raises(ScheduleError) as caught:
            instant(text, zone_name)
        assert (caught.value.message, caught.value.next_step) == (says, remedy)
    with pytest.raises(ScheduleError, match="is not a date and time: month must be in") as caught:
        instant("2026-13-01", "UTC")
    assert caught.value.next_step == examples


@pytest.mark.parametrize(
    ("value", "says", "remedy"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00+00:00 has an offset", "pass a wall time without one"),
        (datetime(1, 1, 1), "0001-01-01T00:00:00 is too far away", "years go up to 2200"),
        (datetime(9999, 1, 1), "9999-01-01T00:00:00 is too far away", "years go up to 2200"),
    ],
)
def test_a_wrong_wall_time(value: datetime, says: str, remedy: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        resolve(value, zone("UTC"))
    assert (caught.value.message, caught.value.next_step) == (says, remedy)


def test_a_moment_that_is_no_instant() -> None:
    with pytest.raises(ScheduleError) as caught:
        rfc3339(datetime(2026, 1, 1))
    assert (caught.value.message, caught.value.next_step) == (
        "2026-01-01T00:00:00 has no offset",
        "give one, such as Z for UTC",
    )
    with pytest.raises(ScheduleError) as caught:
        utc("9999-12-31T23:59-01:00")
    assert (caught.value.message, caught.value.next_step) == (
        "9999-12-31T23:59:00-01:00 is no date in UTC",
        "give a moment of our time",
    )


def test_the_first_and_the_last_year() -> None:
    assert wall("1970-01-01") == datetime(1970, 1, 1)
    assert wall("2200-12-31") == datetime(2200, 12, 31)


def test_a_zone_that_lies_on_the_other_side_of_greenwich_is_not_proposed() -> None:
    with pytest.raises(ScheduleError) as caught:
        zone("GMT+7")
    assert "Etc/" not in caught.value.next_step


# Just right


@pytest.mark.parametrize(
    "span",
    [
        Span("2026-12-01", "2027-12-01", PARIS, "yearly"),  # it ends when it starts again
        Span(timezone=PARIS, holiday="DE/Easter Monday", opens=offset("-299d")),
        Span(timezone=PARIS, holiday="DE/Easter Monday", opens=offset("-300d"), closes=offset("0d")),
        Span("2026-12-01", "2026-12-02", PARIS, "FREQ=DAILY"),
        Span(timezone=PARIS, cron="* * * * *", duration=timedelta(minutes=1)),
        Span("2026-12-01", "2026-12-02", "UTC"),
        Span("1999-12-01", "1999-12-02", PARIS, "FREQ=DAILY;UNTIL=20001231"),  # it has happened long ago
    ],
)
def test_a_span_at_the_border_is_sound(span: Span) -> None:
    check(span)


def test_an_until_that_is_a_date_includes_the_whole_day() -> None:
    span = Span("2026-12-01T23:59:59", "2026-12-02T00:00", "UTC", "FREQ=DAILY;UNTIL=20261203")
    found = windows(span, utc("2026-01-01T00:00Z"), utc("2028-01-01T00:00Z"))
    assert [rfc3339(one.start)[:10] for one in found] == ["2026-12-01", "2026-12-02", "2026-12-03"]


def test_a_counted_rule_ends_after_its_count_whenever_it_is_asked() -> None:
    span = Span("2026-12-01", "2026-12-02", "UTC", "FREQ=DAILY;COUNT=30")
    assert list(windows(span, utc("2027-06-01T00:00Z"), utc("2028-01-01T00:00Z"))) == []
    assert len(list(windows(span, utc("2026-01-01T00:00Z"), utc("2028-01-01T00:00Z")))) == 30


def test_every_other_year_stays_every_other_year_however_late_it_is_asked() -> None:
    span = Span("2026-12-01", "2026-12-02", "UTC", "FREQ=YEARLY;INTERVAL=2")
    for first in ("2031", "2032"):
        found = windows(span, utc(f"{first}-01-01T00:00Z"), utc("2036-01-01T00:00Z"))
        assert [rfc3339(one.start)[:10] for one in found] == ["2032-12-01", "2034-12-01"]


def test_what_repeats_goes_on_to_the_year_2200() -> None:
    for repeat in ("yearly", "FREQ=YEARLY"):
        span = Span("2026-12-01", "2026-12-02", "UTC", repeat)
        found = list(windows(span, utc("2199-01-01T00:00Z"), utc("2300-01-01T00:00Z")))
        assert [rfc3339(one.start)[:10] for one in found] == ["2199-12-01", "2200-12-01"]


def test_a_holiday_is_known_to_the_end_of_its_table() -> None:
    span = Span(timezone="UTC", holiday="DE/Easter Monday")
    found = list(windows(span, utc("2098-01-01T00:00Z"), utc("2200-01-01T00:00Z")))
    assert [rfc3339(one.start)[:10] for one in found] == ["2098-04-21", "2099-04-13", "2100-03-29"]


def test_an_estimated_feast_keeps_its_name() -> None:
    span = Span(timezone="UTC", holiday="TR/Eid al-Fitr")
    check(span)
    found = windows(span, utc("2026-01-01T00:00Z"), utc("2028-01-01T00:00Z"))
    assert [rfc3339(one.start)[:10] for one in found] == ["2026-03-20", "2027-03-09"]
