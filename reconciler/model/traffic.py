"""How is traffic shared between versions: as a person declares it, and as it is recorded?"""

from collections.abc import Iterable
from typing import Annotated, Protocol, TypeVar

from pydantic import AfterValidator, Field

from reconciler.model.references import Reference
from reconciler.model.shape import refusal, shape

Percent = Annotated[float, Field(strict=True, ge=0, le=100, allow_inf_nan=False)]


@shape
class Share:
    """One version's part of the traffic, in percent."""

    version: Reference
    """A name, `v12`, a digest prefix of 8 or more, or `commit:<sha>`."""
    percent: Percent
    """0 is allowed, for a smoke test by header."""


@shape
class Allotment:
    """One recorded version's part of the traffic, in percent."""

    version: str
    number: int
    name: str | None = None
    percent: float


def _whole(traffic: tuple[Share, ...]) -> tuple[Share, ...]:
    total = sum(share.percent for share in traffic)
    if abs(total - 100) > 1e-9:
        raise refusal(f"the percentages add up to {total:g}, not to 100", "correct them")
    if len({share.version for share in traffic}) != len(traffic):
        raise refusal("a version stands twice in this split", "add its shares up")
    return traffic


Traffic = Annotated[tuple[Share, ...], Field(min_length=1, max_length=20), AfterValidator(_whole)]
"""Shares that add up to 100."""


class Part(Protocol):
    """A version's part of the traffic, in any of the shapes that it has."""

    @property
    def percent(self) -> float: ...
    @property
    def number(self) -> int: ...


_Part = TypeVar("_Part", bound=Part)


def largest(traffic: Iterable[_Part]) -> _Part | None:
    """The part with the largest share; of equal ones that of the newer version. None where there is none."""
    return max(traffic, key=lambda part: (part.percent, part.number), default=None)


class _Versioned(Protocol):
    @property
    def version(self) -> str: ...


def versions_in(traffic: Iterable[_Versioned]) -> frozenset[str]:
    """Ids of the versions of a split."""
    return frozenset(part.version for part in traffic)


def at_most_one(**choices: object) -> None:
    """Refuse more than one of the named choices."""
    given = [name for name, value in choices.items() if value is not None]
    if len(given) > 1:
        raise refusal(f"{' and '.join(given)} exclude each other", "give at most one", given[-1])
