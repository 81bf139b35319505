"""Which tables are free for so many people at a time?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

SEATS = {"window": 2, "corner": 4, "round": 6, "long": 12}


def free_tables(taken: Iterable[Mapping[str, str]], time: str, people: int) -> list[str]:
    """Names of the free tables, the smallest that fits first."""
    occupied = {booking["table"] for booking in taken if booking["time"] == time}
    fitting = [table for table, seats in SEATS.items() if seats >= people and table not in occupied]
    return sorted(fitting, key=SEATS.__getitem__)
