"""Which targets are in use, each made once for as long as its settings stay the same?"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from reconciler.targets.base import Target
from reconciler.targets.registry import Registry


class Targets:
    """Targets by environment, made anew when their settings change. For several threads."""

    def __init__(self, place: Path) -> None:
        """`place` is the daemon's data directory."""
        self._registry = Registry()
        self._place = place
        self._made: dict[str, tuple[Mapping[str, Any], Target]] = {}
        self._lock = threading.Lock()

    def make(self, environment: str, settings: Mapping[str, Any]) -> Target:
        """The target of an environment. Raises PersonNeeded."""
        with self._lock:
            known = self._made.get(environment)
            if known is not None and known[0] == settings:
                return known[1]
            made = self._registry.make(environment, settings, self._place)
            self._made[environment] = (settings, made)
        return made

    def apart(self, settings: Mapping[str, Any]) -> bool:
        """Whether what these settings describe may be called in another process. Raises PersonNeeded."""
        return self._registry.apart(settings)

    def close(self) -> None:
        """Give connections back."""
        with self._lock:
            for _, target in self._made.values():
                with suppress(Exception):  # a stranger's code, and what follows has to be closed too
                    target.close()
            self._made.clear()
