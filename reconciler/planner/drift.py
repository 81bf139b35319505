"""Is what a target sees running what the newest deployment left there, and if not, what is different?

Compares values; who asks the target, and what follows from the answer, is not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.model.deployment import Allotment
from reconciler.model.version import label, spoken

LONGEST = 500
"""So many letters of what is different are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a deployment that completed left in an environment; an empty traffic was a retirement."""

    deployment: str
    number: int
    traffic: tuple[Allotment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a target sees running."""

    deployment: str | None
    traffic: Mapping[str, float]
    """Shares by version."""
    changed: Sequence[str] = ()
    """What else is different, a short sentence each."""


def difference(left: Left, seen: Seen | None) -> str:
    """What is different, in words; empty where nothing is. `seen` is None where nothing runs."""
    if seen is None:
        return f"nothing runs there instead of {spoken(left.traffic)}" if left.traffic else ""
    if not left.traffic:
        return f"{_spoken(left, seen)} runs there, which deployment {left.number} retired"
    found = []
    if dict(seen.traffic) != {part.version: float(part.percent) for part in left.traffic}:
        found.append(f"{_spoken(left, seen)} runs there instead of {spoken(left.traffic)}")
    found += seen.changed
    if seen.deployment != left.deployment and not seen.changed:
        what = f"deployment {seen.deployment[:40]}" if seen.deployment else "something that no one deployment left"
        found.append(f"{what} runs there instead of deployment {left.deployment}")
    return "; ".join(found)[:LONGEST]


def _spoken(left: Left, seen: Seen) -> str:
    if not seen.traffic:
        return "no known version"
    names = {part.version: label(part.number, part.name) for part in left.traffic}
    shares = sorted(
        (names.get(version, version.removeprefix("sha256:")[:12]), percent) for version, percent in seen.traffic.items()
    )
    if len(shares) == 1 and shares[0][1] == 100:
        return shares[0][0]
    return ", ".join(f"{name} {percent:g} %" for name, percent in shares)
