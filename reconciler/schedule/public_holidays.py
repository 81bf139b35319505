"""On which dates does a public holiday fall?

The `holidays` package knows; its weekly releases correct moving feasts, so its version belongs beside a
forecast. It ends in the year 2100, and some feasts are tabled for some decades only: after those they do
not occur. Offsets around a holiday and time zones are not known here.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from reconciler.errors import ScheduleError
from reconciler.schedule.zones import FIRST_YEAR, LAST_YEAR
from reconciler.words import nearest, quoted

_REFERENCE = re.compile(r"([A-Z]{2})(?:-([^/]{1,40}))?/([^/]{1,100})", re.ASCII)
_EXAMPLE = "write the country's code and the English name, such as 'DE/Easter Monday' or 'DE-BY/Epiphany'"
_SAMPLE = (2020, 2060)
_LISTED = 20


def dates(reference: str, first_year: int) -> Iterator[date]:
    """The dates of the holiday in order, from `first_year` (rounded down to a decade) up to 2200."""
    for decade in range(max(first_year, FIRST_YEAR) // 10 * 10, LAST_YEAR + 1, 10):
        yield from _dates(reference, decade)


@lru_cache(maxsize=256)
def check_holiday(reference: str) -> None:
    """Raises ScheduleError, with the nearest that exists, for an unknown country, part or holiday."""
    country, part, name = _parts(reference)
    known = {title for title, _ in _named(country, part, *_SAMPLE)}
    if name not in known:
        meant = nearest(name, sorted(known))
        listed = f"these are known: {', '.join(sorted(known)[:_LISTED])}"
        raise ScheduleError(
            f"{country}{'-' + part if part else ''} has no public holiday {quoted(name)}",
            f"did you mean {meant}? {listed}" if meant else listed,
        )


def _parts(reference: str) -> tuple[str, str | None, str]:
    found = _REFERENCE.fullmatch(reference)
    if not found:
        meant = _country_meant(reference.partition("/")[0])
        remedy = f"did you mean {meant}/…? {_EXAMPLE}" if meant else _EXAMPLE
        raise ScheduleError(f"{quoted(reference)} does not name a public holiday", remedy)
    return found[1], found[2], found[3]


@lru_cache(maxsize=4096)
def _dates(reference: str, decade: int) -> tuple[date, ...]:
    country, part, name = _parts(reference)
    years = range(max(decade, FIRST_YEAR), min(decade + 10, LAST_YEAR + 1))
    return tuple(sorted({day for title, day in _named(country, part, years.start, years.stop) if title == name}))


def _named(country: str, part: str | None, first: int, stop: int) -> list[tuple[str, date]]:
    """Every (English name, date) of the years; 'estimated' is left off, so that a feast keeps its name."""
    import holidays

    # Complaints about years without a table go to no user; the filter names the package, not our callers.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"holidays(\.|$)")
    try:
        found = holidays.country_holidays(country, subdiv=part, years=range(first, stop), language="en_US")
    except (NotImplementedError, AttributeError, TypeError):
        raise _unknown_place(country, part) from None
    return [
        (title.replace(" (estimated)", "").replace(", estimated)", ")"), day)
        for day, titles in found.items()
        for title in titles.split("; ")
    ]


def _unknown_place(country: str, part: str | None) -> ScheduleError:
    import holidays

    entity = getattr(holidays, country, None)
    parts = getattr(entity, "subdivisions", ())
    if part is None or entity is None:
        return ScheduleError(f"no public holidays are known of the country {quoted(country)}", _EXAMPLE)
    listed = f"parts of {country}: {', '.join(parts)}" if parts else f"write {country} alone"
    return ScheduleError(f"{country} has no part {quoted(part)} with its own holidays", listed)


def _country_meant(word: str) -> str | None:
    from holidays.registry import COUNTRIES

    codes = {name.casefold(): names[1] for key, names in COUNTRIES.items() for name in (key, *names)}
    close = word.casefold() if word.casefold() in codes else nearest(word.replace(" ", "_"), codes)
    return codes[close] if close else None
