"""What has a command already carried out, as far as its exit status tells?

A command cannot be asked what runs, so each attempt leaves a receipt in the data directory: before it
begins and after it ended. A beginning without an end means that the daemon was killed meanwhile.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.release import Release
from reconciler.targets import acts, durable
from reconciler.targets.acts import Act
from reconciler.targets.base import Observed, Running, settings_of

_LONGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Receipt:
    """An app's last attempt and what was completed before or by it."""

    completed: Observed | None = None
    begun: Observed | None = None
    ended: bool = True
    act: Act = field(default_factory=Act)
    """Where the last attempt stands in the order of all."""

    def covers(self, release: Release) -> bool:
        """Whether this very release was the last attempt, and completed."""
        return self.ended and self.begun == self.completed == asked(release)


def asked(release: Release) -> Observed:
    """What will be seen once a release is carried out."""
    running = (Running(part.version, part.percent, part.config) for part in release.traffic)
    shares = sorted(running, key=lambda one: one.version)
    return Observed(release.deployment, tuple(shares))


def load(path: str) -> Receipt:
    """The receipt; an empty one when none can be read, so that the command runs again rather than not."""
    try:
        found = json.loads(durable.load(path, _LONGEST) or b"{}")
        return Receipt(
            completed=_observed(found.get("completed")),
            begun=_observed(found.get("begun")),
            ended=bool(found.get("ended", True)),
            act=acts.read(found.get("act")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Receipt()


def save(path: str, receipt: Receipt) -> None:
    """Replace the receipt, durably. Raises OSError."""
    written = {
        "completed": _plain(receipt.completed),
        "begun": _plain(receipt.begun),
        "ended": receipt.ended,
        "act": receipt.act.plain(),
    }
    os.makedirs(os.path.dirname(path), exist_ok=True)
    durable.replace(path, json.dumps(written).encode())
    durable.settle([os.path.dirname(path)])


def _plain(observed: Observed | None) -> dict[str, Any] | None:
    if observed is None:
        return None
    shares = [{"version": one.version, "percent": one.percent, "config": one.config} for one in observed.traffic]
    return {"deployment": observed.deployment, "traffic": shares}


def _observed(plain: dict[str, Any] | None) -> Observed | None:
    if plain is None:
        return None
    shares = tuple(Running(str(one["version"]), float(one["percent"]), settings_of(one)) for one in plain["traffic"])
    return Observed(str(plain["deployment"]), shares)
