"""How long is '1h30m', and how is a length of time written?

A day is 24 hours here; that a calendar day may be longer is the business of `zones`.
"""

from __future__ import annotations

import re
from datetime import timedelta
from operator import mul

from reconciler.errors import ScheduleError
from reconciler.words import quoted

_PARTS = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?", re.ASCII)
_MOST_DIGITS = 10
"""Of a century in seconds. What has more is not made a number first: that takes long, or cannot be done."""
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
LONGEST = timedelta(days=36_525)


def duration(text: str) -> timedelta:
    """The length that `text` means: '90s', '15m', '2h', '7d', or a sum from large to small like '1h30m'.

    Raises ScheduleError for anything else, a sign included, and for more than a century.
    """
    found = _PARTS.fullmatch(text)
    if not text or not found:
        raise ScheduleError(f"{quoted(text)} is not a duration", "write a number and a unit: 90s, 15m, 2h, 7d or 1h30m")
    counts = [(part or "").lstrip("0") or "0" for part in found.groups()]
    many = any(len(count) > _MOST_DIGITS for count in counts)
    if many or (seconds := sum(map(mul, map(int, counts), _UNITS.values()))) > LONGEST.total_seconds():
        raise ScheduleError(f"{quoted(text)} is more than a century", f"write {LONGEST.days}d or less")
    return timedelta(seconds=seconds)


def backoff(first: timedelta, failures: int, longest: timedelta = timedelta(minutes=10)) -> timedelta:
    """How long to wait after this many failures: the first pause, doubled each time, up to the longest."""
    doubled: int = 2 ** min(max(failures - 1, 0), 20)
    return min(first * doubled, max(longest, first))


def offset(text: str) -> timedelta:
    """A duration with an optional sign, '-3d' or '+1d': before or after some moment. Raises ScheduleError."""
    length = duration(text[1:] if text[:1] in ("+", "-") else text)
    return -length if text.startswith("-") else length


def spell(length: timedelta) -> str:
    """`length` as text that `offset` reads back: '1h30m', '-3d', '0s'. Fractions of a second are left out."""
    rest = abs(length) // timedelta(seconds=1)
    sign = "-" if length < timedelta() and rest else ""
    parts = []
    for unit, size in _UNITS.items():
        count, rest = divmod(rest, size)
        parts.append(f"{count}{unit}" if count else "")
    return sign + ("".join(parts) or "0s")
