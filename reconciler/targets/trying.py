"""With what does the contract try a target: where it stands, how often it acted, what it raised?

What is expected of a target is said in `contract`; what it is handed is made by `rehearsal`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from reconciler.errors import Superseded, TryAgainLater
from reconciler.model.release import Release
from reconciler.targets.base import Target, TargetType, Work
from reconciler.targets.rehearsal import Killed, Rehearsal

E = TypeVar("E", bound=BaseException)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a target is tried: nothing runs there yet."""

    type: TargetType
    settings: Mapping[str, Any]
    data: Path
    """A directory of the test's own. Beside it lies nothing that the target may change."""
    effects: Callable[[], int] | None = None
    """How often a deployment was carried out, as the outside sees it. Without it, unpacking is counted."""
    refuses_older: bool = True
    """Whether an act with lower numbers than one that took effect does nothing, as a deployment must be carried out
    once although several daemons carry out deployments. A target that cannot tell hands the numbers on."""

    def target(self) -> Target:
        """A new object that looks at the same place, as after a restart."""
        return self.type("live", self.settings, self.data)


class Counted:
    """A rehearsal that knows how often something was carried out."""

    def __init__(self, place: Place) -> None:
        self._effects = place.effects
        self._unpacked = 0

    def work(self) -> Work:
        lent = Rehearsal().work()

        def unpack(tree: str, folder: Path) -> None:
            self._unpacked += 1
            lent.unpack(tree, folder)

        return Work(unpack, lent.stop, lent.say, lent.environ)

    def effects(self) -> int:
        return self._unpacked if self._effects is None else self._effects()


class Countdown:
    """Kills at the n-th touch."""

    def __init__(self, left: int) -> None:
        self._left = left

    def __call__(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed


def deploy(place: Place, wanted: Release) -> None:
    """Deploy as a daemon does that has just started."""
    place.target().deploy(wanted, Rehearsal().work())


def seen(place: Place, app: str = "booking") -> tuple[str | None, dict[int, float]]:
    """The deployment that runs, and the shares by version number."""
    observed = place.target().observe(app)
    assert observed is not None, f"nothing runs of {app}"
    shares = {int(one.version.removeprefix("sha256:"), 16): one.percent for one in observed.traffic}
    assert len(shares) == len(observed.traffic)
    return observed.deployment, shares


def around(place: Place) -> set[str]:
    """What lies beside the data directory: nothing of it is the target's."""
    return {path.name for path in place.data.parent.iterdir()} - {place.data.name}


def raised(kind: type[E], call: Callable[[], object]) -> E:
    """What a call raises, which must be of this kind."""
    try:
        call()
    except kind as wrong:
        return wrong
    raise AssertionError(f"no {kind.__name__} was raised")


def tried(call: Callable[[], object]) -> str:
    """How a call for which others may have been quicker ended: `done`, `later` or `superseded`."""
    try:
        call()
    except TryAgainLater:
        return "later"
    except Superseded:
        return "superseded"
    return "done"


def refused(place: Place, older: Release) -> None:
    """An act that comes too late is refused, where the target can tell."""
    act = place.target().deploy if older.traffic else place.target().retire
    how = tried(lambda: act(older, Rehearsal().work()))
    assert not place.refuses_older or how == "superseded"


def dies(call: Callable[[], object]) -> bool:
    """Whether the call was killed before it returned."""
    try:
        call()
    except Killed:
        return True
    return False
