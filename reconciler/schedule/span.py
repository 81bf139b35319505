"""What does a season or a freeze declare about when it holds, and what is one time that it does?

    once       start and until
    yearly     start, until, repeat='yearly'
    rule       start, until, repeat=<RRULE of RFC 5545>
    holiday    holiday, opens, closes
    cron       cron, duration

Only the shape lives here: `checks` judges it, `edges` says when it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Shape = Literal["once", "yearly", "rule", "holiday", "cron"]


@dataclass(frozen=True, slots=True)
class Span:
    """When something holds: once, or again and again. All but an instant with an offset needs `timezone`.

    start, until    of the one time or of the first, ISO 8601; half-open, so at `until` it holds no more
    repeat          'yearly': the same wall times each year, until perhaps in the year after. A date that an
                    ordinary year lacks (29 February) means what comes first after it, 1 March at midnight;
                    what thereby has no length is left out that year.
                    Or an RRULE: from each match on, first at `start` or after, for as long on the wall clock
                    as from `start` to `until`. As RFC 5545 says, dates that a month lacks are left out.
    holiday         'DE/Easter Monday' or, for a part of a country, 'DE-BY/Epiphany', by its English name
    opens, closes   from when to when, as offsets from the midnight that begins the holiday (so closes=1d is
                    the end of the day); days in a row of one name whose times meet are one time
    cron, duration  from each match of the five fields on, for `duration` on the wall clock
    """

    start: str | None = None
    until: str | None = None
    timezone: str | None = None
    repeat: str | None = None
    holiday: str | None = None
    opens: timedelta = timedelta()
    closes: timedelta = timedelta(days=1)
    cron: str | None = None
    duration: timedelta | None = None

    @property
    def shape(self) -> Shape:
        """Which of the five shapes this is; `check` finds out whether it is wholly and only that."""
        if self.cron is not None:
            return "cron"
        if self.holiday is not None:
            return "holiday"
        if self.repeat is not None:
            return "yearly" if self.repeat == "yearly" else "rule"
        return "once"


@dataclass(frozen=True, slots=True)
class Window:
    """One time that a span holds, in UTC: from `start` on, no longer at `until`."""

    start: datetime
    until: datetime
