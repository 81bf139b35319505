"""What is there to say of a branch, with it and without it? Values; how they are found is asked in `reviewing`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.engine.unfolding import Future, Happening
from reconciler.manifest import Complaint
from reconciler.model.output import Edge
from reconciler.model.plan import ApplyTriggers, Deploy, Refused, Waiting
from reconciler.model.version import Version
from reconciler.views.scene import Scene

_Deploys = dict[tuple[Any, ...], Happening]


@dataclass(frozen=True, slots=True)
class Made:
    """A version that is made, and the content before it."""

    version: Version
    before: Version | None
    migrations_at: str = ""
    """`file:line`; so is the next."""
    secrets_at: str = ""

    @property
    def migrations(self) -> tuple[str, ...]:
        """One-way steps that are new."""
        known = set(self.before.migrations) if self.before else set()
        return tuple(one for one in self.version.migrations if one not in known)

    @property
    def secrets(self) -> Iterator[str]:
        """Secrets that come, go or move, by reference."""
        was = {one.name: one.source for one in self.before.secrets} if self.before else {}
        becomes = {one.name: one.source for one in self.version.secrets}
        for name in sorted({*was, *becomes}):
            if name not in was:
                yield f"{name} is new, from {becomes[name]}"
            elif name not in becomes:
                yield f"{name} goes (it came from {was[name]})"
            elif was[name] != becomes[name]:
                yield f"{name} moves from {was[name]} to {becomes[name]}"


@dataclass(slots=True)
class Side:
    """What is so with or without the branch."""

    commit: str
    scene: Scene
    future: Future
    edges: list[Edge]
    complaints: list[Complaint]
    versions: frozenset[str]
    """Ids of all that there are."""
    content: dict[str, str | None]
    """By app, the version that is asked for."""
    withdrawn: frozenset[str]
    placed: frozenset[tuple[str, str]]
    """Where apps are declared to run, by app and environment."""
    zones: dict[tuple[str, str], str]
    """The clocks of release trains, by app and environment."""
    season_zones: dict[str, str | None]
    files: frozenset[str]
    cut_at: datetime | None = None

    def deploys(self) -> _Deploys:
        """Every deployment by what it is and when."""
        found: _Deploys = {}
        for one in self.future.happenings:
            action = one.action
            if isinstance(action, Deploy):
                key = (one.at, action.app, action.environment, action.cause, action.subject.fingerprint)
                found.setdefault(key, one)
        return found


@dataclass(slots=True)
class Review:
    """What the branch brings: facts in a fixed order."""

    base: str
    head: str
    at: datetime
    until: datetime
    before: Side
    after: Side
    made: list[Made]
    """The versions that are made, in order of app and number."""
    taken_back: list[tuple[Version, Any]]
    """Versions that the branch withdraws by reverting, and what is recorded of that."""
    places: dict[tuple[str, str], str]
    """`file:line` of the entry of an app in an environment."""
    diff: str
    """Of the manifests, as `git diff` prints it."""
    cut: bool

    @property
    def comes(self) -> list[Happening]:
        """Deployments that happen with the branch alone, in order of time."""
        known = self.before.deploys()
        return [one for key, one in self.after.deploys().items() if key not in known]

    @property
    def goes(self) -> list[Happening]:
        """Deployments that happen without the branch alone."""
        known = self.after.deploys()
        return [one for key, one in self.before.deploys().items() if key not in known]

    @property
    def triggers(self) -> list[ApplyTriggers]:
        """Trigger settings that are handed over."""
        known, after = ([one.action for one in side.future.happenings] for side in (self.before, self.after))
        return [one for one in after if isinstance(one, ApplyTriggers) and one not in known]

    @property
    def refused(self) -> list[Refused]:
        """What rules stop with the branch alone."""
        known = set(self.before.future.left.refused)
        return [one for one in dict.fromkeys(self.after.future.left.refused) if one not in known]

    @property
    def waiting(self) -> list[Waiting]:
        """What is still held back at the end, with the branch alone."""
        known = {(one.app, one.environment, one.waits_for) for one in self.before.future.left.waiting}
        after = self.after.future.left.waiting
        return [one for one in after if (one.app, one.environment, one.waits_for) not in known]

    @property
    def edges(self) -> tuple[list[Edge], list[Edge]]:
        """Entries of the calendar that come, and those that go."""
        return _but(self.after.edges, self.before.edges), _but(self.before.edges, self.after.edges)

    @property
    def errors(self) -> list[Complaint]:
        """Mistakes in the manifests."""
        return [one for one in self.after.complaints if one.severity == "error"]

    @property
    def warnings(self) -> list[Complaint]:
        """What may not mean what it says, with the branch alone."""
        known = {(one.path, one.message) for one in self.before.complaints}
        several = [one for one in self.after.complaints if one.severity == "warning"]
        return [one for one in several if (one.path, one.message) not in known]

    @property
    def removed(self) -> list[tuple[str, str]]:
        """Apps and environments that they leave."""
        return sorted(self.before.placed - self.after.placed)

    def season_zone(self, at: datetime, app: str, environment: str) -> str | None:
        """The clocks of the season that begins or ends somewhere at a moment."""
        here = (at, app, environment)
        several = [one for one in (*self.after.edges, *self.before.edges) if one.cause.startswith("season")]
        names = [one.name for one in several if (one.at, one.app, one.environment) == here]
        zones = self.before.season_zones | self.after.season_zones
        return next((zones[name] for name in names if name in zones), None)

    @property
    def fails(self) -> bool:
        """Whether it must not be merged as it is: a mistake, or a rule that stops what it asks for."""
        return bool(self.errors) or any(one.rule != "withdrawn" for one in self.refused)


def _but(several: list[Edge], known: list[Edge]) -> list[Edge]:
    there = {(one.at, one.cause, one.app, one.environment, one.name, one.detail) for one in known}
    return [one for one in several if (one.at, one.cause, one.app, one.environment, one.name, one.detail) not in there]
