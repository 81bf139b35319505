"""What is refused of a season or freeze, and which remedy is named."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.errors import ScheduleError
from reconciler.schedule import Span, check, offset

PARIS = "Europe/Paris"
DAY = ("2026-12-01", "2026-12-02", PARIS)
HOUR = timedelta(hours=1)

SOUND = [
    Span("2026-12-01T00:00+01:00", "2026-12-02T00:00Z"),
    Span(*DAY),
    Span(*DAY, repeat="yearly"),
    Span("2026-12-01", "2027-12-01", PARIS, repeat="yearly"),
    Span(*DAY, repeat="FREQ=DAILY"),
    Span("2026-12-04", "2026-12-11", PARIS, repeat="FREQ=WEEKLY;BYDAY=FR"),
    Span(*DAY, repeat="FREQ=YEARLY;BYMONTH=1,3;BYMONTHDAY=-1;WKST=SU;BYSETPOS=-1"),
    Span(timezone=PARIS, holiday="DE/Easter Monday"),
    Span(timezone=PARIS, holiday="FR/Easter Monday", opens=offset("-40d"), closes=offset("+12h")),
    Span(timezone=PARIS, cron="0 * * * *", duration=HOUR),
    Span(timezone=PARIS, cron="0 18 * * FRI", duration=62 * HOUR),
]

WRONG = [
    # span, what the complaint says, what the remedy says
    (Span(), "'from' is missing", "from: 2026"),
    (Span("2026-12-01", timezone=PARIS), "'until' is missing", "until: 2027"),
    (Span("2026-12-01", "2026-12-02"), "where the clock hangs", "add a timezone"),
    (Span("2026-12-02", "2026-12-01", PARIS), "ends .* before it starts", "later than 'from'"),
    (Span("2026-12-01", "2026-12-01", PARIS), "or at once", "later than 'from'"),
    (Span("2026-03-29T02:10", "2026-03-29T02:50", PARIS), "or at once", "later than 'from'"),
    (
        Span("2026-12-01", "2026-12-02", "Europe/Pari"),
        "no time zone 'Europe/Pari'",
        "did you mean Europe/Paris",
    ),
    (Span("2026-12-01", "2026-12-02", repeat="yearly"), "'timezone' is missing", "timezone: Europe/Paris"),
    (Span("2026-12-01T00:00Z", "2026-12-02", PARIS, "yearly"), "'from' has an offset", "add a timezone"),
    (Span("2026-12-01", "2025-12-24", PARIS, "yearly"), "before it starts", "over New Year"),
    (Span("2026-12-01", "2027-12-02", PARIS, "yearly"), "starts again at 2027-12-01", "make it shorter"),
    (Span(*DAY, repeat="monthly"), "not a repetition", "FREQ=WEEKLY"),
    (Span(*DAY, repeat="FREQ=HOURLY"), "FREQ='HOURLY' is wrong", "YEARLY, MONTHLY, WEEKLY, DAILY"),
    (Span(*DAY, repeat="INTERVAL=2"), "says no FREQ", "write one of"),
    (Span(*DAY, repeat="FREQ=DAILY;INTERVAL=0"), "INTERVAL='0' is wrong", "from 1 to"),
    (Span(*DAY, repeat="FREQ=DAILY;INTERVAL=-1"), "INTERVAL='-1' is wrong", "from 1 to"),
    (Span(*DAY, repeat="FREQ=DAILY;COUNT=1000000"), "COUNT=", "from 1 to 1000"),
    (Span(*DAY, repeat="FREQ=DAILY;COUNT=2;UNTIL=20271231"), "COUNT and UNTIL", "one of the two"),
    (Span(*DAY, repeat="FREQ=DAILY;FREQ=DAILY"), "FREQ twice", "once"),
    (Span(*DAY, repeat="FREQ=DAILY;UNTIL=20261399"), "no date", "20271231"),
    (Span(*DAY, repeat="FREQ=DAILY;UNTIL=tomorrow"), "UNTIL=", "20271231"),
    (Span(*DAY, repeat="FREQ=DAILY;UNTIL=19691231"), "too far away", "1970"),
    (Span(*DAY, repeat="FREQ=DAILY;UNTIL=20261130"), "never happens", "correct the rule"),
    (Span(*DAY, repeat="FREQ=DAILY;BYHOUR=9"), "may not say BYHOUR", "'from'"),
    (Span(*DAY, repeat="FREQ=DAILY;BYDAYS=MO"), "has no 'BYDAYS'", "did you mean BYDAY"),
    (Span(*DAY, repeat="FREQ=DAILY;BYEASTER=0"), "has no 'BYEASTER'", ""),
    (Span(*DAY, repeat="FREQ=DAILY;BYDAY=XX"), "BYDAY='XX' is wrong", "MO,TU"),
    (Span(*DAY, repeat="FREQ=WEEKLY;BYDAY=1MO"), "counts weekdays", "MONTHLY"),
    (Span(*DAY, repeat="FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), "never happens", "correct the rule"),
    (Span(*DAY, repeat="FREQ=DAILY;INTERVAL=7;BYDAY=MO"), "never happens", "correct the rule"),
    (Span("2026-12-01", "2026-12-03", PARIS, "FREQ=DAILY"), "starts again at 2026-12-02", "make it shorter"),
    (Span("2027-01-01", "2027-01-03", PARIS, "FREQ=MONTHLY;BYMONTHDAY=1,-1"), "starts again at", "shorter"),
    (Span(*DAY, repeat="FREQ=DAILY;" * 100), "not a repetition", "FREQ=WEEKLY"),
    (Span(holiday="DE/Easter Monday"), "'timezone' is missing", "timezone:"),
    (
        Span(timezone=PARIS, holiday="DE/Ostermontag"),
        "no public holiday 'Ostermontag'",
        "did you mean Easter Monday",
    ),
    (Span(timezone=PARIS, holiday="DE/Thanksgiving"), "no public holiday", "German Unity Day"),
    (Span(timezone=PARIS, holiday="Germany/Easter Monday"), "does not name", "did you mean DE/"),
    (Span(timezone=PARIS, holiday="de/Easter Monday"), "does not name", "did you mean DE/"),
    (Span(timezone=PARIS, holiday="XX/Easter Monday"), "country 'XX'", "DE/Easter Monday"),
    (Span(timezone=PARIS, holiday="DE-XX/Epiphany"), "no part 'XX'", "BY"),
    (Span(timezone=PARIS, holiday="DE-__init__/Epiphany"), "no part", "BY"),
    (Span(timezone=PARIS, holiday="Easter"), "does not name", "DE/Easter Monday"),
    (Span(timezone=PARIS, holiday="../DE/Easter Monday"), "does not name", "DE/Easter Monday"),
    (Span(timezone=PARIS, holiday="DE/" + "x" * 10_000), "does not name", ""),
    (Span(timezone=PARIS, holiday="DE/Easter Monday", opens=2 * 24 * HOUR), "before it starts", "later"),
    (
        Span(timezone=PARIS, holiday="DE/Easter Monday", opens=offset("-360d")),
        "reaches from -360d",
        "within 300d",
    ),
    (Span(timezone=PARIS, cron="0 18 * * fri"), "'duration' is missing", "duration: 2h"),
    (Span(timezone=PARIS, cron="0 18 * * fri", duration=timedelta()), "'duration' is nothing", "2h"),
    (Span(timezone=PARIS, cron="0 18 * * fri", duration=169 * HOUR), "starts again at", "make it shorter"),
    (Span(timezone=PARIS, cron="0 0 1,31 * *", duration=25 * HOUR), "starts again at", "make it shorter"),
    (Span(timezone=PARIS, cron="0 0 18 * * fri", duration=HOUR), "6 fields", "write five"),
    (Span(timezone=PARIS, cron="0 0 */31 * mon#5", duration=HOUR), "never happens", "correct the rule"),
    (Span(cron="0 18 * * fri", duration=HOUR), "'timezone' is missing", "timezone:"),
    (Span(*DAY, cron="0 18 * * fri", duration=HOUR), "'from' does not go together with 'cron'", "or"),
    (Span(*DAY, holiday="DE/Easter Monday"), "'from' does not go together with 'holiday'", "or"),
    (Span(*DAY, duration=HOUR), "'duration' does not go together", "or"),
    (Span(*DAY, opens=HOUR), "the holiday's from and until' does not go", "or"),
    (Span(timezone=PARIS, repeat="yearly", cron="0 18 * * fri", duration=HOUR), "'repeat' does not go", "or"),
]


@pytest.mark.parametrize("span", SOUND)
def test_a_sound_span_passes(span: Span) -> None:
    check(span)


@pytest.mark.parametrize(("span", "says", "remedy"), WRONG)
def test_a_wrong_span_is_refused_with_a_remedy(span: Span, says: str, remedy: str) -> None:
    with pytest.raises(ScheduleError, match=says) as caught:
        check(span)
    assert remedy in caught.value.next_step
    assert caught.value.next_step
    assert len(str(caught.value)) < 600
