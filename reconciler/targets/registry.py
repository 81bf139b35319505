"""Which targets are there, and how is one made?

Targets are found by the entry point group `reconciler.targets`, ours through the same door as a stranger's:
when the first one is asked for, and each loaded only when it is used. A plug-in that is broken harms nobody
who does not use it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, cast

from reconciler.errors import PersonNeeded, ReconcilerError
from reconciler.targets.base import GROUP, Target, TargetType
from reconciler.words import instead

DEFAULT = "directory"
"""The target of an Environment that names none."""
INSTALL = "install the package that brings it, or correct spec.target.type of the Environment"


def installed() -> list[metadata.EntryPoint]:
    """Every target that installed packages bring; one whose metadata cannot be read is passed over."""
    found: list[metadata.EntryPoint] = []
    for package in metadata.distributions():
        try:
            found += package.entry_points.select(group=GROUP)
        except Exception:  # noqa: BLE001, S112 - a stranger's broken metadata must not hide the others
            continue
    return found


class Registry:
    """The targets by name. `points` is for tests; by default, what is installed."""

    def __init__(self, points: Iterable[metadata.EntryPoint] | None = None) -> None:
        self._given = None if points is None else list(points)
        self._points: dict[str, list[metadata.EntryPoint]] | None = None
        self._loaded: dict[str, TargetType] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """The types that spec.target may name, sorted."""
        return sorted(self._by_name())

    def check(self, target: Mapping[str, Any]) -> list[str]:
        """What is wrong with an Environment's `spec.target`, one sentence each; empty when nothing is."""
        try:
            name, settings = _split(target)
            kind = self.type(name)
        except PersonNeeded as wrong:
            return [str(wrong)]
        try:
            return [str(complaint) for complaint in kind.check(settings)]
        except Exception as wrong:  # noqa: BLE001 - a stranger's code
            return [f"the target {name} could not check its settings: {_what(wrong)}"]

    def make(self, environment: str, target: Mapping[str, Any], data: Path) -> Target:
        """The target that an Environment's `spec.target` describes. Raises PersonNeeded."""
        name, settings = _split(target)
        kind = self.type(name)
        try:
            made = kind(environment, settings, data)
        except ReconcilerError:
            raise
        except Exception as wrong:
            raise PersonNeeded(f"the target {name} could not be made: {_what(wrong)}", INSTALL) from wrong
        if not isinstance(made, Target):
            raise PersonNeeded(f"what the target {name} made lacks methods of a target", INSTALL)
        return made

    def apart(self, target: Mapping[str, Any]) -> bool:
        """Whether the target that is described says that it may be called in another process. Raises PersonNeeded."""
        return getattr(self.type(_split(target)[0]), "apart", False) is True

    def type(self, name: str) -> TargetType:
        """What makes targets of this type. Raises PersonNeeded when it is unknown or cannot be loaded."""
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = _load(name, self._point(name))
            return self._loaded[name]

    def _point(self, name: str) -> metadata.EntryPoint:
        points = self._by_name().get(name)
        if not points:
            raise PersonNeeded(f"there is no target of type {name[:100]!a}: {instead(name, self.names())}", INSTALL)
        if len({point.value for point in points}) > 1:
            both = " and ".join(sorted({point.value for point in points}))
            raise PersonNeeded(f"two packages bring a target of type {name}: {both}", "remove one of them")
        return points[0]

    def _by_name(self) -> dict[str, list[metadata.EntryPoint]]:
        if self._points is None:
            self._points = {}
            for point in installed() if self._given is None else self._given:
                self._points.setdefault(point.name, []).append(point)
        return self._points


def _split(target: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    settings = dict(target)
    name = settings.pop("type", DEFAULT)
    if not isinstance(name, str):
        raise PersonNeeded("type is not a text", "name a target, such as directory or exec")
    return name, settings


def _load(name: str, point: metadata.EntryPoint) -> TargetType:
    try:
        loaded = point.load()
    except (Exception, SystemExit) as wrong:
        raise PersonNeeded(f"the target {name} ({point.value}) cannot be loaded: {_what(wrong)}", INSTALL) from wrong
    if not callable(loaded) or not callable(getattr(loaded, "check", None)):
        raise PersonNeeded(f"{point.value} is not a target: it cannot be called, or has no `check`", INSTALL)
    return cast("TargetType", loaded)


def _what(wrong: BaseException) -> str:
    return f"{type(wrong).__name__}: {str(wrong)[:300]}"
