"""What stands in the agenda: each change once, however many apps it concerns, and what a freeze does to it?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from reconciler import freezing
from reconciler.api.dashboard.month import Point
from reconciler.model.output import Edge
from reconciler.model.shape import Labels
from reconciler.views.scene import Scene

LASTING = ("season-start", "season-end", "freeze-start", "freeze-end")
"""What is drawn as a bar."""
SIGNS = {
    "season-start": "season", "season-end": "season", "freeze-start": "frozen", "freeze-end": "frozen",
    "train": "train", "schedule": "clock", "experiment-end": "clock", "pause-end": "paused",
}  # fmt: skip
NAMED = 3
"""Apps of one change that are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change, of one app or of many whose change at that moment reads the same."""

    at: datetime
    cause: str
    name: str
    environment: str
    apps: tuple[str, ...]
    detail: str
    cancel: str
    frozen: tuple[str, ...]
    """Freezes that hold then, and do not let it pass."""
    passing: tuple[str, ...]
    """Freezes that hold then, and let it pass."""

    @property
    def sign(self) -> str:
        """Its picture."""
        return SIGNS.get(self.cause, "clock")

    @property
    def named(self) -> str:
        """The apps that it concerns, in a few words."""
        several = len(self.apps) - NAMED
        return ", ".join(self.apps[:NAMED]) + (f" and {several:,} more" if several > 0 else "")

    @property
    def point(self) -> Point:
        """What it is in the calendar's month."""
        what = "train" if self.cause == "train" else self.cause
        short = f"{what} {self.apps[0] if len(self.apps) == 1 else f'of {len(self.apps):,} apps'}"
        said = f"{short}, frozen" if self.frozen else short
        state = "is-wait" if self.cause == "schedule" else ""
        return Point(at=self.at, label=said, state=state, frozen=bool(self.frozen))


def entries(edges: Iterable[Edge], scene: Scene, labels: Mapping[str, Labels]) -> list[Entry]:
    """The changes, in order of time. `labels` are those of the apps, as far as freezes ask for them."""
    grouped: dict[_Reads, list[Edge]] = {}
    for edge in edges:
        grouped.setdefault(_reads(edge, scene, labels.get(edge.app, {})), []).append(edge)
    return [_entry(reads, several) for reads, several in grouped.items()]


class _Reads(NamedTuple):
    """All that is told of a change besides its app: apps of which that is the same stand together."""

    at: datetime
    cause: str
    name: str
    environment: str
    detail: str
    cancel: str
    frozen: tuple[str, ...]
    passing: tuple[str, ...]


def _reads(edge: Edge, scene: Scene, labels: Labels) -> _Reads:
    change = edge.at, edge.cause, edge.name, edge.environment, edge.detail, edge.cancel
    return _Reads(*change, *_freezes(edge, scene, labels))


def _entry(reads: _Reads, several: list[Edge]) -> Entry:
    return Entry(
        at=reads.at,
        cause=reads.cause,
        name=reads.name,
        environment=reads.environment,
        apps=tuple(edge.app for edge in several if edge.app),
        detail=reads.detail,
        cancel=reads.cancel,
        frozen=reads.frozen,
        passing=reads.passing,
    )


def _freezes(edge: Edge, scene: Scene, labels: Labels) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if edge.cause.startswith(("freeze", "pause")):
        return (), ()
    here = freezing.concerning(scene.freezes, edge.app, labels, edge.environment)
    kind = "season" if edge.cause.startswith("season") else "schedule" if edge.cause == "schedule" else "promotion"
    holding = freezing.active(here, edge.at)
    passing = tuple(one.name for one in holding if kind in one.allow or kind == "season")
    return tuple(one.name for one in holding if one.name not in passing), passing
