"""What stands above an environment: what does it wait for, and is it frozen now or soon?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler import schedule
from reconciler.model.entry import EnvironmentEntry
from reconciler.model.environment import LATEST, EnvironmentSpec
from reconciler.schedule import spell
from reconciler.views.scene import Scene

FREEZES_AHEAD = timedelta(days=14)
"""How far ahead a freeze is told above its environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A freeze of an environment, now or soon."""

    name: str
    start: datetime
    until: datetime
    whole: bool
    """Whether it concerns every app."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What stands above an environment."""

    gates: str
    """What it waits for, in a few words."""
    frozen: Frozen | None = None


def headings(scene: Scene, environments: Sequence[str], now: datetime) -> dict[str, Column]:
    """What stands above each of these environments at `now` (UTC)."""
    return {
        name: Column(gates=gates_of(scene.environments[name].spec), frozen=_frozen(scene, name, now))
        for name in environments
    }


def _frozen(scene: Scene, environment: str, now: datetime) -> Frozen | None:
    found = [
        Frozen(name=freeze.name, start=window.start, until=window.until, whole=freeze.spec.apps is None)
        for freeze in scene.freezes
        if environment in freeze.spec.environments
        for window in schedule.windows(freeze.spec.span, now, now + FREEZES_AHEAD)
    ]
    return min(found, key=lambda one: (not one.whole, one.start), default=None)


def gates_of(spec: EnvironmentSpec, entry: EnvironmentEntry | None = None) -> str:
    """What an environment waits for, in a few words; `entry` is what an app says of it in place of that."""
    gates = entry.gates if entry is not None and entry.gates is not None else spec.gates
    when = entry.when if entry is not None and entry.when is not None else spec.when
    track = entry.track if entry is not None and entry.track is not None else spec.track
    said: list[str] = []
    if gates is not None and gates.mode == "enforced":
        said += [f"soak {spell(gates.soak)}"] if gates.soak else []
        said += [_approvals(gates.approvals)] if gates.approvals else []
        said += ["checks"] if gates.checks else []
        said += ["signed"] if gates.signed else []
    said += ["train"] if when is not None else []
    return ", ".join(said) or ("every merge" if track == LATEST else f"from {track}")


def _approvals(wanted: int | dict[str, int]) -> str:
    if isinstance(wanted, int):
        return "1 approval" if wanted == 1 else f"{wanted} approvals"
    return "approval by " + ", ".join(wanted)
