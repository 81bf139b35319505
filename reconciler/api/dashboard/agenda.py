"""What stands in the agenda: each change once, however many apps it concerns, and what a freeze does to it?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

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
    """One change, of one app or of many at the same moment."""

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
        """The same in the month."""
        what = "train" if self.cause == "train" else self.cause
        short = f"{what} {self.apps[0] if len(self.apps) == 1 else f'of {len(self.apps):,} apps'}"
        said = f"{short}, frozen" if self.frozen else short
        state = "is-wait" if self.cause == "schedule" else ""
        return Point(at=self.at, label=said, state=state, frozen=bool(self.frozen))


def entries(edges: Iterable[Edge], scene: Scene, labels: Mapping[str, Labels]) -> list[Entry]:
    """The changes, in order of time. `labels` are those of the apps, as far as freezes ask for them."""
    grouped: dict[tuple[datetime, str, str, str, str], list[Edge]] = {}
    for edge in edges:
        # What two apps come to may differ: a schedule's entries are each app's own.
        own = edge.app if edge.cause in ("schedule", "experiment-end") else ""
        grouped.setdefault((edge.at, edge.cause, edge.name, edge.environment, own), []).append(edge)
    return [_entry(several, scene, labels) for several in grouped.values()]


def _entry(several: list[Edge], scene: Scene, labels: Mapping[str, Labels]) -> Entry:
    first = several[0]
    apps = tuple(edge.app for edge in several if edge.app)
    details = {edge.detail for edge in several}
    frozen, passing = _freezes(first, scene, labels.get(first.app, {}))
    return Entry(
        at=first.at,
        cause=first.cause,
        name=first.name,
        environment=first.environment,
        apps=apps,
        detail=first.detail if len(details) == 1 else f"{first.app}: {first.detail}",
        cancel=first.cancel,
        frozen=frozen,
        passing=passing,
    )


def _freezes(edge: Edge, scene: Scene, labels: Labels) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if edge.cause.startswith(("freeze", "pause")):
        return (), ()
    here = freezing.concerning(scene.freezes, edge.app, labels, edge.environment)
    kind = "season" if edge.cause.startswith("season") else "schedule" if edge.cause == "schedule" else "promotion"
    holding = freezing.active(here, edge.at)
    passing = tuple(one.name for one in holding if kind in one.allow or kind == "season")
    return tuple(one.name for one in holding if one.name not in passing), passing
