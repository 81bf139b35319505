"""Which apps does a change of a Season, an Environment, a Freeze or a Group concern, and who is named for what follows?

A season lies over many placements without being part of their manifests: the commit that changed it becomes the
newest touch of each placement that it covers. How much of what runs such a commit changes at once is weighed as if it
stood in the manifests of the apps.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from reconciler import schedule
from reconciler.engine.commit import Arrival
from reconciler.engine.declaring import Concerned
from reconciler.engine.marks import placement_row, touch_row
from reconciler.engine.sights import Place
from reconciler.model.season import Season
from reconciler.model.version import canonical
from reconciler.planner.noting import Meaning, Revert, entry_meaning
from reconciler.store import declared, running
from reconciler.views.scene import SEASON

OVERLAY = ("config", "version", "traffic", "priority")
"""What of a season is laid over apps while it holds."""


@dataclass(slots=True)
class Touching:
    """Rows that a commit's change of seasons and environments adds."""

    apps: set[str] = field(default_factory=set)
    placements: list[dict[str, Any]] = field(default_factory=list)
    touches: list[dict[str, Any]] = field(default_factory=list)
    beneath: dict[Place, list[tuple[str, str, str]]] = field(default_factory=dict)
    """What becomes another for an app in an environment without a change of its entry: what it is, before and after."""
    changed: set[Place] = field(default_factory=set)
    """Where that changes at once what runs."""
    left: int = 0
    """How much of that has left git: it is not among what git declares."""

    def lay(self, places: Iterable[Place], source: str, before: Any, after: Any) -> None:
        """Something that is not in their entries changes for these."""
        texts = canonical(before), canonical(after)
        for place in places:
            self.beneath.setdefault(place, []).append((source, *texts))

    def weighed(self, arrival: Arrival) -> list[dict[str, Any]]:
        """What all of this touches, where it waits for an acknowledgement: taken back, it need not wait any more."""
        changed = Meaning(look="changed")
        return [touch_row(arrival, *place, *self.marks(place), changed) for place in sorted(self.changed)]

    def marks(self, place: Place) -> tuple[str, str]:
        """All that changes beneath an entry, before and after: back as it was before, they are the same the other way
        round."""
        several = sorted(self.beneath[place])
        return _digest([(name, was) for name, was, _ in several]), _digest([(name, now) for name, _, now in several])


def season_touches(connection: Connection, arrival: Arrival, concerned: Concerned, revert: Revert | None) -> Touching:
    """What follows from the seasons and environments that a commit changed."""
    touching = Touching()
    if arrival.first:
        return touching
    for name, (before, after) in sorted(concerned.seasons.items()):
        _season(connection, arrival, name, before, after, revert, touching)
    for environment in sorted(concerned.environments):
        apps = declared.apps_in(connection, environment)
        # Another target is a newer word about what failed in the old place; other rules for the environment are not.
        changed = Meaning(look="changed" if environment in concerned.moved else "environment")
        touched = _touch_placements(connection, arrival, apps, {environment}, changed, touching)
        # Nothing of what left git is touched, but whether it goes on running is the environment's word too.
        touching.apps |= set(apps)
        if environment in concerned.moved:  # all that runs there is to run in another place
            touching.touches += [
                touch_row(arrival, row["app"], environment, row["entry"], row["entry"], changed)
                for row in touching.placements
                if row["environment"] == environment
            ]
            touching.lay(touched, "target", *concerned.moved[environment])
            touching.changed |= set(touched)
        if environment in concerned.tracks:
            others = running.others_than(connection, environment, concerned.tracks[environment][1])
            touching.lay(touched, "track", *concerned.tracks[environment])
            touching.changed |= {(app, environment) for app in others} & set(touched)
        if environment in concerned.prunes:
            left = [(app, environment) for app in running.left_behind(connection, environment)]
            prunes = concerned.prunes[environment]
            touching.lay(left, "prune", not prunes, prunes)
            if prunes:
                touching.changed |= set(left)
                touching.left += len(left)
    touching.apps |= concerned.grouped
    for environment in sorted(concerned.thawed):
        # What waits for a freeze, or for an edge that one may move, has a moment at which it is looked at again.
        touching.apps |= set(declared.apps_with_a_moment(connection, environment))
    return touching


def _season(
    connection: Connection,
    arrival: Arrival,
    name: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    revert: Revert | None,
    touching: Touching,
) -> None:
    key = f"season/{name}"
    digests = _digest_of(before), _digest_of(after)
    meaning = entry_meaning("", key, digests[1], revert)
    if meaning.look == "changed":
        meaning = Meaning(look="season")
    touching.touches.append(touch_row(arrival, "", key, *digests, meaning))
    places: list[set[Place]] = []
    holding: list[Any] = []
    for document in (before, after):
        season = SEASON.validate_python(document) if document is not None else None
        covered = _covered(connection, season) if season else ()
        environments = set(season.spec.environments) if season else set()
        places.append(set(_touch_placements(connection, arrival, covered, environments, meaning, touching)))
        holds = season is not None and schedule.active(season.spec.span, arrival.now)
        holding.append({name: (document or {})["spec"].get(name) for name in OVERLAY} if holds else None)
    touching.lay(places[0] | places[1], key, *digests)
    if holding[0] != holding[1]:
        touching.changed |= {place for one, overlay in zip(places, holding, strict=True) if overlay for place in one}
    elif holding[0] is not None:
        touching.changed |= places[0] ^ places[1]


def _digest_of(document: dict[str, Any] | None) -> str | None:
    return _digest(document) if document is not None else None


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def _covered(connection: Connection, season: Season) -> list[str]:
    if isinstance(season.spec.apps, dict):
        return declared.apps_with_labels(connection, season.spec.apps)
    return list(season.spec.apps)


def _touch_placements(
    connection: Connection,
    arrival: Arrival,
    apps: Iterable[str],
    environments: set[str],
    meaning: Meaning,
    touching: Touching,
) -> list[Place]:
    """Where these apps are placed in these environments: all that is touched there."""
    rows = {(row["app"], row["environment"]) for row in touching.placements}
    found: list[Place] = []
    for app, placed in declared.placements(connection, apps).items():
        for environment, row in placed.items():
            if environment not in environments or not row.declared:
                continue
            found.append((app, environment))
            touching.apps.add(app)
            if (app, environment) not in rows:
                touching.placements.append(placement_row(app, environment, row.entry, arrival, meaning))
    return found
