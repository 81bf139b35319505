"""Where apps run in the simulation: targets with a memory of their own, and what they do to whoever calls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from reconciler.errors import AttemptFailed, TryAgainLater
from reconciler.model.app import Triggers
from reconciler.model.gates import Check
from reconciler.model.release import Release
from reconciler.targets.acts import Act, of_release
from reconciler.targets.base import Observed, Running, Work
from reconciler.targets.checks import CheckResult
from tests.simulation.moments import Moments, current
from tests.simulation.repository import Repository

Place = tuple[str, str]
"""An app and an environment."""
TROUBLES = ("later", "fails", "hangs", "slow", "slow after", "answer lost", "dies after")


@dataclass(frozen=True, slots=True)
class Runs:
    """What runs in a place, and which act put it there."""

    act: Act
    traffic: tuple[tuple[str, float], ...]


class Estate:
    """All targets, and what they did. `trouble` is how likely a call meets some, and which kinds there are."""

    def __init__(self, moments: Moments, repository: Repository, random: Random) -> None:
        self.runs: dict[Place, Runs] = {}
        self.effects: Counter[tuple[str, tuple[tuple[str, float], ...]]] = Counter()
        self.refused = 0
        self.trouble = 0.0
        self.kinds: tuple[str, ...] = TROUBLES
        self._moments = moments
        self._repository = repository
        self._random = random

    def target(self, environment: str, _settings: Mapping[str, Any]) -> SimulatedTarget:
        """The target of an environment."""
        return SimulatedTarget(self, environment)

    def check(self, check: Check, release: Release, work: Work, _data: Any, version: str | None = None) -> CheckResult:
        """Run a check, as `reconciler.targets.checks.run_check`."""
        self._moments.sleep(self._random.uniform(1, 120))
        if work.stop.is_set():
            return CheckResult(check.name, "stopped", "stopped")
        if self._random.random() < self.trouble / 2:
            return CheckResult(check.name, "later", "does not know yet")
        part = next((one for one in release.traffic if one.version == version), release.largest)
        flawed = part is not None and "flawed" in self.content(part.bundle)
        return CheckResult(check.name, "failed" if flawed else "passed", "flawed" if flawed else "passed")

    def content(self, bundle: str | None) -> str:
        """The page in a bundle."""
        pages = [one.id for one in self._repository.list(bundle or "") if one.path == "index.html"] if bundle else []
        return self._repository.objects[pages[0]][1].decode() if pages else ""

    def meets(self) -> str:
        """Which trouble a call meets, or ''."""
        return self._random.choice(self.kinds) if self._random.random() < self.trouble else ""

    def takes(self, place: Place, release: Release) -> None:
        """What happens in one instant: refuse an older act, or make it so. Raises Superseded."""
        act = of_release(release)
        traffic = tuple((part.version, float(part.percent)) for part in release.traffic)
        before = self.runs.get(place)
        if before is not None:
            try:
                act.refuse_older_than(before.act)
            except Exception:
                self.refused += 1
                raise
        if before is None or before.traffic != traffic or before.act.deployment != act.deployment:
            self.effects[release.deployment, traffic] += 1
            self._moments.say("target", f"{place[0]} in {place[1]} runs {release.number} {_shown(traffic)}")
        self.runs[place] = Runs(act, traffic)

    def takes_time(self, work: Work, seconds: float, step: float = 60.0) -> None:
        """Let time pass; whoever is told to stop does so soon. Raises Aborted."""
        while seconds > 0:
            work.go_on()
            self._moments.sleep(min(seconds, step))
            seconds -= step
        work.go_on()

    def somewhat(self, least: float, most: float) -> float:
        """Some seconds."""
        return self._random.uniform(least, most)


class SimulatedTarget:
    """As `reconciler.targets.base.Target`."""

    def __init__(self, estate: Estate, environment: str) -> None:
        self._estate = estate
        self._environment = environment

    def deploy(self, release: Release, work: Work) -> None:
        """Make it run, after a while, with trouble before or after."""
        estate, trouble = self._estate, self._estate.meets()
        estate.takes_time(work, estate.somewhat(0.2, 20))
        _before(estate, trouble, work)
        for part in release.traffic:
            if "bad" in estate.content(part.bundle):
                raise AttemptFailed("it does not start", "look at its page")
        estate.takes((release.app, self._environment), release)
        _after(estate, trouble)

    def retire(self, release: Release, work: Work) -> None:
        """Make it run no longer."""
        trouble = self._estate.meets()
        self._estate.takes_time(work, self._estate.somewhat(0.2, 5))
        _before(self._estate, trouble, work)
        self._estate.takes((release.app, self._environment), release)
        _after(self._estate, trouble)

    def triggers(self, app: str, triggers: Triggers, work: Work) -> None:
        """Take them."""
        self._estate.takes_time(work, self._estate.somewhat(0.1, 2))
        if self._estate.meets():
            raise TryAgainLater("busy", "")

    def observe(self, app: str) -> Observed | None:
        """What runs."""
        found = self._estate.runs.get((app, self._environment))
        if found is None or not found.traffic:
            return None
        return Observed(found.act.deployment, tuple(Running(*part) for part in found.traffic))

    def close(self) -> None:
        """Nothing is open."""


def _before(estate: Estate, trouble: str, work: Work) -> None:
    if trouble == "later":
        raise TryAgainLater("the machine is busy", "")
    if trouble == "fails":
        raise AttemptFailed("it broke on the way", "")
    if trouble == "hangs":
        estate.takes_time(work, estate.somewhat(600, 7200))
        raise AttemptFailed("it hung", "")
    if trouble == "slow":
        estate.takes_time(work, estate.somewhat(60, 3600))


def _after(estate: Estate, trouble: str) -> None:
    moments = estate._moments
    if trouble == "slow after":
        moments.sleep(estate.somewhat(60, 3600))
    elif trouble == "answer lost":
        raise AttemptFailed("the connection broke", "")
    elif trouble == "dies after":
        process = current().process
        process.kill()
        process.check()


def _shown(traffic: tuple[tuple[str, float], ...]) -> str:
    return " ".join(f"{version[7:15]}:{percent:g}" for version, percent in traffic) or "nothing"
