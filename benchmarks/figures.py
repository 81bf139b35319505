"""What is one figure of a benchmark, is its target met, and how are the figures of several runs kept together?

How they are shown belongs to `documents` and `plots`.
"""

from __future__ import annotations

import json
import operator
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

Section = Literal["targets", "shown", "faces", "stores", "peers", "bare", "costs"]
_SENSES = {"≤": operator.le, "<": operator.lt, "≥": operator.ge, ">": operator.gt}


def today() -> str:
    """The day, UTC, as a figure has it."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of a table.

    `value` and `limit` have the same unit: seconds (s), megabytes (MB), bytes (B), deployments or commits in a second
    (/s), or a plain count (''). `bound` is compared with value / limit where `per` is 'L' or '×', with the value
    itself where it is ''. `sound` is false when the work that was timed was not really done.
    """

    section: Section
    name: str
    size: int
    """App-environments in the repository; items for a peer; 0 where it does not matter."""
    what: str
    value: float
    unit: str
    limit: float | None = None
    against: str = ""
    """What the limit is, where the table does not say."""
    sense: str = "≤"
    bound: float | None = None
    per: str = ""
    sound: bool = True
    cpu: float | None = None
    """Seconds of processor, for a process of its own."""
    memory: float | None = None
    """Its most, in MB."""
    day: str = field(default_factory=today)

    @property
    def ratio(self) -> float | None:
        """How the value compares with its limit."""
        return self.value / self.limit if self.limit else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if not self.sound:
            return False
        if self.bound is None:
            return None
        measured = self.ratio if self.per else self.value
        return measured is not None and bool(_SENSES[self.sense](measured, self.bound))

    @property
    def target(self) -> str:
        """The target in words."""
        if self.bound is None:
            return ""
        if self.per:
            return f"{self.sense} {self.bound:g} {self.per}"
        return f"{self.sense} {shown(self.bound, self.unit)}"


def shown(value: float, unit: str) -> str:
    """A value as people read it."""
    if unit == "s":
        if value >= 100:
            return f"{value:,.0f} s"
        if value >= 1:
            return f"{value:.3g} s"
        return f"{value * 1e3:.3g} ms" if value >= 1e-3 else f"{value * 1e6:.0f} µs"
    number = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
    return f"{number}{unit}" if unit.startswith("/") else f"{number} {unit}".strip()


@dataclass
class Times:
    """Seconds of several runs of the same thing."""

    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def p95(self) -> float:
        return sorted(self.values)[max(round(len(self.values) * 0.95) - 1, 0)]


def seconds(step: Callable[[], object]) -> float:
    """How long a step takes."""
    begun = time.perf_counter()
    step()
    return time.perf_counter() - begun


@dataclass
class Record:
    """The figures of this and of earlier runs: what is measured again takes the place of what was."""

    path: Path
    machine: str = ""
    figures: list[Figure] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path) -> Record:
        """What was kept; empty when nothing was."""
        if not path.exists():
            return cls(path)
        kept = json.loads(path.read_text("utf-8"))
        return cls(path, kept["machine"], [Figure(**one) for one in kept["figures"]])

    def put(self, found: Iterable[Figure]) -> None:
        """Take what was measured in, in the place of what the same part said of the same size before."""
        found = list(found)
        replaced = {(one.section, one.name, one.size) for one in found}
        kept = [one for one in self.figures if (one.section, one.name, one.size) not in replaced]
        self.figures = sorted([*kept, *found], key=_order)

    def save(self) -> None:
        """Keep them, one a line, so that a difference can be read."""
        lines = ",\n".join(json.dumps(_written(one), ensure_ascii=False) for one in self.figures)
        head = json.dumps(self.machine, ensure_ascii=False)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(f'{{"machine": {head}, "figures": [\n{lines}\n]}}\n', "utf-8")

    def of(self, section: Section, name: str = "", size: int | None = None, what: str = "") -> list[Figure]:
        """Figures by where they stand; `what` is how they begin."""
        return [
            one
            for one in self.figures
            if one.section == section
            and name in ("", one.name)
            and size in (None, one.size)
            and one.what.startswith(what)
        ]


def _written(one: Figure) -> dict[str, object]:
    rounded = {key: float(f"{value:.5g}") if isinstance(value, float) else value for key, value in asdict(one).items()}
    return {
        key: value for key, value in rounded.items() if value not in (None, "") and (key, value) != ("sound", True)
    } | {"unit": one.unit}


def _order(one: Figure) -> tuple[str, str, int, int]:
    letters = one.name.rstrip("0123456789")
    return one.section, letters, int(one.name[len(letters) :] or 0), one.size


def derived(figures: Sequence[Figure]) -> list[Figure]:
    """What compares sizes with each other: the growth of B1, and of a push."""

    def median(name: str, size: int) -> Figure | None:
        return next((one for one in figures if one.section == "targets" and (one.name, one.size) == (name, size)), None)

    found = []
    small, large = median("B1", 10_000), median("B1", 100_000)
    if small and large:
        found.append(
            Figure(
                section="targets",
                name="B2",
                size=100_000,
                what="growth of B1 from 10,000",
                value=large.value,
                unit="s",
                limit=small.value,
                against="B1 at 10,000",
                bound=1.5,
                per="×",
            )
        )
    small, large = median("B3", 100), median("B3", 100_000)
    if small and large:
        found.append(
            Figure(
                section="shown",
                name="push",
                size=100_000,
                what="push → completed, beside the same at 100",
                value=large.value,
                unit="s",
                limit=small.value,
                against="the figure at 100",
                bound=1.5,
                per="×",
            )
        )
    return found
