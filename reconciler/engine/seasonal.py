"""Which apps does a change of a Season, an Environment, a Freeze or a Group concern, and who is named for what follows?

A season lies over many placements without being part of their manifests: the commit that changed it becomes the
newest touch of each placement that it covers.
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
from reconciler.model.season import Season
from reconciler.model.version import canonical
from reconciler.planner.noting import Meaning, Revert, entry_meaning
from reconciler.store import declared
from reconciler.views.scene import SEASON


@dataclass(slots=True)
class Touching:
    """Rows that a commit's change of seasons and environments adds."""

    apps: set[str] = field(default_factory=set)
    placements: list[dict[str, Any]] = field(default_factory=list)
    touches: list[dict[str, Any]] = field(default_factory=list)
    changed: int = 0


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
        count = _touch_placements(connection, arrival, apps, {environment}, changed, touching)
        # Nothing of what left git is touched, but whether it goes on running is the environment's word too.
        touching.apps |= set(apps)
        if environment in concerned.moved:  # all that runs there is to run in another place
            touching.changed += count
            touching.touches += [
                touch_row(arrival, row["app"], environment, row["entry"], row["entry"], changed)
                for row in touching.placements
                if row["environment"] == environment
            ]
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
    digests = (_digest(before), _digest(after))
    meaning = entry_meaning("", key, digests[1], revert)
    if meaning.look == "changed":
        meaning = Meaning(look="season")
    touching.touches.append(touch_row(arrival, "", key, *digests, meaning))
    for document in (before, after):
        if document is None:
            continue
        season = SEASON.validate_python(document)
        apps = _covered(connection, season)
        count = _touch_placements(connection, arrival, apps, set(season.spec.environments), meaning, touching)
        if schedule.active(season.spec.span, arrival.now):
            touching.changed = max(touching.changed, count)


def _digest(document: dict[str, Any] | None) -> str | None:
    if document is None:
        return None
    return hashlib.sha256(canonical(document).encode("utf-8", "surrogatepass")).hexdigest()


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
) -> int:
    rows = {(row["app"], row["environment"]) for row in touching.placements}
    count = 0
    for app, placed in declared.placements(connection, apps).items():
        for environment, row in placed.items():
            if environment not in environments or not row.declared:
                continue
            count += 1
            touching.apps.add(app)
            if (app, environment) not in rows:
                touching.placements.append(placement_row(app, environment, row.entry, arrival, meaning))
    return count
