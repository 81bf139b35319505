"""How are figures drawn: where do bars and lines of a small plot lie, and what does it say to whoever cannot see it?

Coordinates alone; templates draw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from reconciler.model.figures import Figures, Measured

SECONDS = (86_400.0, 3_600.0, 60.0, 1.0)
TENTH = 0.1
"""A length of time is written to a tenth of a second."""
WIDTH, BOTTOM, TOP = 300.0, 70.0, 9.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar; `bad`: something of it failed."""

    x: float
    y: float
    width: float
    height: float
    bad: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One figure over its period."""

    id: str
    title: str
    value: str
    unit: str
    change: str
    """Against the period before, '' where there is nothing to compare."""
    note: str
    top: str
    """What the upper line stands for."""
    said: str
    """The plot in words."""
    bars: tuple[Bar, ...] = ()
    path: str = ""
    dots: tuple[tuple[float, float], ...] = ()
    numbers: tuple[tuple[Figures, str], ...] = ()
    """Each step's beginning and value, for the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What is plotted, and how it is written."""

    id: str
    title: str
    unit: str
    of: Callable[[Figures], float | None]
    write: Callable[[float | None], str]
    note: Callable[[Figures], str]
    bars: bool = False
    units: tuple[float, ...] = (1.0,)
    """In whole ones of which the upper line is, the largest that fits."""
    least: float = 0.0
    """The smallest that is written as something."""
    per_step: Callable[[Figures], float | None] | None = None
    """What a step of the series counts, where that is not `of`."""


def plot(kind: Kind, measured: Measured) -> Plot:
    """A figure of a period."""
    now, before = kind.of(measured.figures), kind.of(measured.earlier)
    each = kind.per_step or kind.of
    values = [each(one) for one in measured.series]
    highest = _round_up(max((value for value in values if value is not None), default=0.0), kind.units, kind.least)
    known = [value for value in values if value is not None]
    step = f"each of {len(values)} steps"
    said = f"{kind.title}: no value yet"
    if known:
        said = f"{kind.title} in {step}, between {kind.write(min(known))} and {kind.write(max(known))}"
    places = _places(values, highest)
    return Plot(
        id=kind.id,
        title=kind.title,
        value=kind.write(now),
        unit=kind.unit,
        change=_change(now, before, kind.write),
        note=kind.note(measured.figures),
        top=kind.write(highest) if known else "",
        said=said,
        bars=_bars(values, highest, measured.series) if kind.bars else (),
        path="" if kind.bars else _path(places),
        dots=() if kind.bars else tuple(place for place in places if place is not None),
        numbers=tuple((one, kind.write(value)) for one, value in zip(measured.series, values, strict=True)),
    )


def _round_up(value: float, units: Sequence[float], least: float = 0.0) -> float:
    """To a number that reads well, and not as nothing."""
    if value <= 0:
        return 1.0
    value = max(value, least)
    unit = next((unit for unit in units if value >= unit), units[-1])
    size = 10.0 ** floor(log10(value / unit)) * unit
    return next(nice * size for nice in (1, 2, 3, 4, 5, 6, 8, 10) if nice * size >= value * 0.999)


def _change(now: float | None, before: float | None, write: Callable[[float | None], str]) -> str:
    if now is None or before is None:
        return ""
    if write(now) == write(before):
        return f"= {write(before)}"
    return f"{'↑' if now > before else '↓'} from {write(before)}"


def _y(value: float, highest: float) -> float:
    return round(BOTTOM - value / highest * (BOTTOM - TOP), 1)


def _places(values: Sequence[float | None], highest: float) -> list[tuple[float, float] | None]:
    width = WIDTH / max(1, len(values))
    return [
        None if value is None else (round((number + 0.5) * width, 1), _y(value, highest))
        for number, value in enumerate(values)
    ]


def _path(places: Sequence[tuple[float, float] | None]) -> str:
    """A line through what is known; where nothing is, it has a gap."""
    found, pen = [], "M"
    for place in places:
        if place is None:
            pen = "M"
            continue
        found.append(f"{pen}{place[0]:g} {place[1]:g}")
        pen = "L"
    return "".join(found)


def _bars(values: Sequence[float | None], highest: float, series: Sequence[Figures]) -> tuple[Bar, ...]:
    width = WIDTH / max(1, len(values))
    found = []
    for number, (value, one) in enumerate(zip(values, series, strict=True)):
        y = _y(value or 0.0, highest)
        found.append(
            Bar(
                x=round(number * width + width * 0.1, 1),
                y=y,
                width=round(width * 0.8, 1),
                height=round(BOTTOM - y, 1),
                bad=one.failed > 0,
            )
        )
    return tuple(found)


def meter(value: float, highest: float) -> int:
    """A share of the highest, in whole percent."""
    return ceil(100 * value / highest) if highest > 0 else 0
