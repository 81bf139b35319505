"""Which Environments would put their releases into one directory, so that one overwrites what runs in the other?

Told by what is written alone, for targets of the type `directory`: where the data directory lies is not known here, so
an absolute path and one below the data directory are taken for two places. What else is wrong with a path is told by
the target.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from reconciler.manifest.problems import Problem
from reconciler.model.app import App
from reconciler.model.environment import Environment

_TYPE = "directory"
_Place = tuple[str, ...]
"""The steps of a path; the first is `/` for an absolute one, and else empty."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Two Environments that are in each other's way; `second` is declared after `first`."""

    first: str
    second: str
    first_place: _Place
    second_place: _Place

    @property
    def problem(self) -> Problem:
        """What is said of it, at the target of the second one."""
        first, second = _shown(self.first_place), _shown(self.second_place)
        if self.first_place == self.second_place:
            message = f"{first} is the directory of the environment {self.first} too"
        elif _inside(self.second_place, self.first_place):
            message = f"this directory, {second}, lies inside {first}, that of the environment {self.first}"
        else:
            message = f"{first}, the directory of the environment {self.first}, lies inside this one, {second}"
        message += ": what is released to one of them would overwrite what runs in the other"
        remedy = "give each environment a target.path of its own, such as releases/ and its name"
        return Problem("Environment", self.second, ("spec", "target"), message, remedy, at_key=True)

    def concerns(self, app: App) -> bool:
        """Whether a deployment of this app could overwrite what the other environment runs, or be overwritten."""
        places = {self.first: self.first_place, self.second: self.second_place}
        here = [name for name in places if name in app.spec.environments]
        if self.first_place == self.second_place:
            return len(here) == len(places)
        outer, inner = sorted(places, key=lambda name: len(places[name]))
        return inner in here or (outer in here and places[inner][len(places[outer])] == app.name)


def shared(environments: Mapping[str, Environment]) -> Sequence[Shared]:
    """Every two Environments whose directories are the same, or lie one inside the other; in order of declaration."""
    return _among(tuple((name, place) for name, one in environments.items() if (place := _place(one)) is not None))


@lru_cache(maxsize=16)
def _among(named: tuple[tuple[str, _Place], ...]) -> tuple[Shared, ...]:
    """It is asked twice in every turn, and hardly ever another one."""
    places = dict(named)
    by_place: dict[_Place, list[str]] = {}
    for name, place in places.items():
        by_place.setdefault(place, []).append(name)
    order = {name: at for at, name in enumerate(places)}
    pairs = {
        (min(name, other, key=order.__getitem__), max(name, other, key=order.__getitem__))
        for name, place in places.items()
        for length in range(1, len(place) + 1)
        for other in by_place.get(place[:length], ())
        if other != name
    }
    several = sorted(pairs, key=lambda pair: (order[pair[1]], order[pair[0]]))
    return tuple(Shared(first, second, places[first], places[second]) for first, second in several)


def check_shared(environments: Mapping[str, Environment]) -> Iterator[Problem]:
    """Environments whose target is in the way of one that is declared before them: each is told of the first alone."""
    told: set[str] = set()
    for one in shared(environments):
        if one.second not in told:
            told.add(one.second)
            yield one.problem


def _place(environment: Environment) -> _Place | None:
    """Where releases are put; None for another type of target, and for a path that the target refuses."""
    target = environment.spec.target
    if target.get("type", _TYPE) != _TYPE:
        return None
    path = target.get("path")
    path = f"releases/{environment.name}" if path is None else path
    if not isinstance(path, str) or not path.strip() or ".." in path.split("/"):
        return None
    steps = (step for step in path.split("/") if step not in ("", "."))
    return ("/" if path.startswith("/") else "", *steps)


def _inside(place: _Place, other: _Place) -> bool:
    return place[: len(other)] == other


def _shown(place: _Place) -> str:
    return (place[0] + "/".join(place[1:])) or "the data directory itself"
