"""How is a moment written for people: on their clock first, and in UTC beside it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from reconciler.schedule import rfc3339

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Clocks:
    """A page's two clocks: a zone's and UTC, as they stand at the moment `now` (UTC)."""

    zone: ZoneInfo
    now: datetime

    @property
    def told(self) -> str:
        """Which clocks the page's times are written on."""
        return "Times are in UTC." if self.zone.key == "UTC" else "Times are written on the page's clock and in UTC."

    @property
    def name(self) -> str:
        """The zone, with how far it is from UTC now."""
        return f"{self.zone.key} ({offset(self.now.astimezone(self.zone))})" if self.zone.key != "UTC" else "UTC"

    def local(self, moment: datetime) -> datetime:
        """The moment on the zone's clock."""
        return moment.astimezone(self.zone)

    def both(self, moment: datetime) -> str:
        """The moment on both clocks, in full."""
        here = self.local(moment)
        if self.zone.key == "UTC":
            return f"{_date(here)}, {here:%H:%M} UTC"
        there = moment.astimezone(UTC)
        day = "" if there.date() == here.date() else f"{there:%a} {there.day} {there:%b}, "
        return f"{_date(here)}, {here:%H:%M %Z} ({day}{there:%H:%M} UTC)"

    def time(self, moment: datetime, text: str) -> Markup:
        """A text that stands for a moment, with both clocks when somebody points at it."""
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            rfc3339(moment.replace(microsecond=0)), self.both(moment), text
        )

    def age(self, moment: datetime) -> Markup:
        """How long ago it was: `7 h`."""
        return self.time(moment, length(self.now - moment))

    def length(self, moment: datetime) -> str:
        """How far away it is, plain: `3 h`."""
        return length(moment - self.now)

    def when(self, moment: datetime) -> Markup:
        """The moment, as short as it is clear today: `10:31`, `Wed 08:22`, `1 Dec 14:00`, `3 Feb 2024`."""
        return self.time(moment, self.short(moment))

    def short(self, moment: datetime) -> str:
        """As `when`, plain."""
        here, today = self.local(moment), self.local(self.now)
        days = (here.date() - today.date()).days
        if days == 0:
            return f"{here:%H:%M}"
        if -7 < days < 7:
            return f"{here:%a %H:%M}"
        if here.year == today.year or abs(days) < 180:
            return f"{here.day} {here:%b %H:%M}"
        return f"{here.day} {here:%b %Y}"

    def full(self, moment: datetime) -> Markup:
        """Both clocks in writing, where people decide by it."""
        return self.time(moment, self.both(moment))

    def utc(self, moment: datetime) -> str:
        """The time in UTC, with its day where that is another one: `09:31 UTC`; '' where the page's clock says so."""
        if self.zone.key == "UTC":
            return ""
        here, there = self.local(moment), moment.astimezone(UTC)
        return f"{'' if there.date() == here.date() else f'{there:%a} '}{there:%H:%M} UTC"

    def date(self, moment: datetime) -> str:
        """The day, plain: `26 Oct`."""
        here = self.local(moment)
        return f"{here.day} {here:%b}"

    def day(self, moment: datetime) -> str:
        """The heading of a day: `Today, Tue 24 Nov`."""
        here, today = self.local(moment), self.local(self.now)
        said = _date(here) if here.year != today.year else _date(here).rpartition(" ")[0]
        return f"Today, {said}" if here.date() == today.date() else said


def _date(moment: datetime) -> str:
    return f"{moment:%a} {moment.day} {moment:%b %Y}"


def offset(moment: datetime) -> str:
    """How far a clock is from UTC: `UTC+1`, `UTC+5:30`."""
    away = moment.utcoffset() or timedelta()
    sign = "-" if away < timedelta() else "+"
    hours, rest = divmod(abs(away), _HOUR)
    return f"UTC{sign}{hours}{f':{rest // _MINUTE:02d}' if rest else ''}"


def length(time: timedelta) -> str:
    """A length of time as people say it: `40 s`, `11 min`, `7 h`, `4 d`. What lies ahead has the same words."""
    time = abs(time)
    if time < _MINUTE:
        return f"{int(time.total_seconds())} s"
    if time < 2 * _HOUR:
        return f"{time // _MINUTE} min"
    if time < 2 * _DAY:
        return f"{time // _HOUR} h"
    return f"{time // _DAY} d"
