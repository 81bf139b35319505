"""What do targets say that they run?

Asked of many at once; nothing is written. What is made of it is the question of `adopting`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.deployment import Place
from reconciler.model.environment import Environment
from reconciler.model.shape import build
from reconciler.targets import strangers
from reconciler.targets.base import Observed, Target
from reconciler.targets.observing import observed, sees

Making = Callable[[str, Mapping[str, Any]], Target]


@dataclass(frozen=True, slots=True)
class Sight:
    """What a target says that it runs of an app; `trouble` where it could not be asked."""

    observed: Observed | None = None
    trouble: str = ""
    hearsay: bool = False
    """Whether it only repeats what it was told: what another daemon carried out it need not know."""

    @property
    def deployment(self) -> str | None:
        """The deployment that put it there, where the target can tell."""
        return self.observed.deployment if self.observed else None

    @property
    def shares(self) -> dict[str, float]:
        """The versions and their percentages."""
        return {part.version: part.percent for part in self.observed.traffic} if self.observed else {}

    @property
    def settings(self) -> dict[str, Mapping[str, Any]]:
        """The settings that versions were given there, as far as the target can tell."""
        running = self.observed.traffic if self.observed else ()
        return {part.version: part.config for part in running if part.config is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An app in an environment that does not run what is recorded; in words for people."""

    app: str
    environment: str
    recorded: str
    runs: str


@dataclass(slots=True)
class Adopted:
    """What came of it."""

    same: int = 0
    """Places that run what is recorded."""
    others: list[Finding] = field(default_factory=list)
    gone: list[Finding] = field(default_factory=list)
    """Places where something is recorded, and nothing runs."""
    unheard: list[Finding] = field(default_factory=list)
    """Places whose target only repeats what it was told, and was not told here of what is recorded."""
    unknown: list[Finding] = field(default_factory=list)
    """Places whose target could not be asked; `runs` says why."""


def look(
    making: Making, environments: Mapping[str, Environment], wanted: Iterable[Place], workers: int
) -> dict[Place, Sight]:
    """What targets say that they run. An environment that git does not have has no target, and is left out."""

    def one(place: Place) -> Sight:
        app, environment = place
        try:
            target = making(environment, environments[environment].spec.target)
            return Sight(observed(target, app, closely=False), hearsay=not sees(target))
        except Exception as error:  # noqa: BLE001 - a target is a stranger's code
            return Sight(trouble=strangers.complaint(error))

    asked = [place for place in wanted if place[1] in environments]
    build()
    with ThreadPoolExecutor(workers, thread_name_prefix="look") as threads:
        return dict(zip(asked, threads.map(one, asked), strict=True))
