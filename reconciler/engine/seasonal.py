"""Which apps does a change of a Season, an Environment, a Freeze or a Group concern, and who is named for what follows?

A season lies over many placements without being part of their manifests: the commit that changed it becomes the
newest touch of each placement that it covers. How much of what runs such a commit changes at once is weighed as if it
stood in the manifests of the apps.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection

from reconciler import schedule
from reconciler.desired import place
from reconciler.engine.commit import Arrival
from reconciler.engine.contents import Asked
from reconciler.engine.declaring import Concerned, target_of
from reconciler.engine.marks import placement_row, touch_row
from reconciler.engine.touching import Touching, digest
from reconciler.model.deployment import Place
from reconciler.model.season import Season
from reconciler.planner.noting import Meaning, Revert, entry_meaning
from reconciler.store import declared, running
from reconciler.views.scene import ENVIRONMENT, SEASON, declared_seasons

OVERLAY = ("config", "version", "traffic", "priority")
"""What of a season is laid over apps while it holds."""


def season_touches(connection: Connection, arrival: Arrival, concerned: Concerned, revert: Revert | None) -> Touching:
    """What follows from the seasons and environments that a commit changed."""
    touching = Touching()
    if arrival.first:
        return touching
    for name, (before, after) in sorted(concerned.seasons.items()):
        _season(connection, arrival, name, before, after, revert, touching)
    for name, (before, after) in sorted(concerned.environments.items()):
        _environment(connection, arrival, name, before, after, revert, touching)
    touching.apps |= concerned.grouped
    for environment in sorted(concerned.thawed):
        # What waits for a freeze, or for an edge that one may move, has a moment at which it is looked at again.
        touching.apps |= set(declared.apps_with_a_moment(connection, environment))
    return touching


def _environment(
    connection: Connection,
    arrival: Arrival,
    name: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    revert: Revert | None,
    touching: Touching,
) -> None:
    meaning, _ = _noted(arrival, f"environment/{name}", before, after, revert, Meaning(look="changed"), touching)
    made = ENVIRONMENT.validate_python(after) if after else None
    apps = declared.apps_in(connection, name)
    # One that was taken out of git and is back is compared with what runs there.
    asked = made if before is None or target_of(before) != target_of(after) else None
    elsewhere = running.in_another_place(connection, name, place(asked)) if asked else []
    moves = asked is not None and (before is not None or bool(elsewhere))
    # Another target is a newer word about what failed in the old place; other rules for the environment are not.
    look = Meaning(look="changed" if moves else "environment")
    touched = set(_touch_placements(connection, arrival, apps, {name}, look, touching))
    # Nothing of what left git is touched, but whether it goes on running is the environment's word too.
    touching.apps |= set(apps)
    changed = {(app, name) for app in elsewhere}
    if moves:  # all that runs there is to run in another place
        touching.touches += [
            touch_row(arrival, row["app"], name, row["entry"], row["entry"], look)
            for row in touching.placements
            if row["environment"] == name
        ]
    if made is not None and _spec(before).get("track") != _spec(after).get("track"):
        changed |= {(app, name) for app in running.others_than(connection, name, made.spec.track)}
    told = [{key: _spec(document).get(key) for key in ("target", "track")} for document in (before, after)]
    touching.lay(touched, "environment", *told)
    pruned = [bool(_spec(document).get("prune")) for document in (before, after)]
    left = {(app, name) for app in running.left_behind(connection, name)} if pruned[0] != pruned[1] else set()
    touching.lay(left, "prune", *pruned)
    if meaning.look == "reverted":
        return
    touching.changed |= changed & touched
    if pruned[1]:
        touching.changed |= left
        touching.left += len(left)


def _spec(document: dict[str, Any] | None) -> dict[str, Any]:
    return (document or {}).get("spec") or {}


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
    meaning, digests = _noted(arrival, key, before, after, revert, Meaning(look="season"), touching)
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
    if meaning.look == "reverted":
        return
    if holding[0] != holding[1]:
        touching.changed |= {place for one, overlay in zip(places, holding, strict=True) if overlay for place in one}
    elif holding[0] is not None:
        touching.changed |= places[0] ^ places[1]


def relabelled(connection: Connection, arrival: Arrival, asked: Sequence[Asked], touching: Touching) -> None:
    """Apps that other labels bring under a season that holds, or out of it: the same as if the season named them."""
    holding = [
        season
        for season in declared_seasons(connection)
        if isinstance(season.spec.apps, dict) and schedule.active(season.spec.span, arrival.now)
    ]
    for one in asked if holding else ():
        before, after = (_labels(text) for text in (one.before and one.before.document, one.row["document"]))
        if before is None or after is None or before == after:
            continue
        moved = [season for season in holding if season.covers(one.name, before) != season.covers(one.name, after)]
        there = {where for season in moved for where in season.spec.environments} & set(one.entries)
        places = {(one.name, where) for where in there}
        touching.lay(places, "labels", before, after)
        touching.changed |= places


def _labels(text: str | None) -> dict[str, str] | None:
    return (from_json(text).get("metadata") or {}).get("labels") or {} if text else None


def _noted(
    arrival: Arrival,
    key: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    revert: Revert | None,
    plain: Meaning,
    touching: Touching,
) -> tuple[Meaning, tuple[str | None, str | None]]:
    """Note the change of a document that all apps share: what it means, `plain` where it puts nothing back, and the
    digests of what it was and is."""
    was, now = (digest(one) if one is not None else None for one in (before, after))
    meaning = entry_meaning("", key, now, revert)
    meaning = meaning if meaning.look == "reverted" else plain
    touching.touches.append(touch_row(arrival, "", key, was, now, meaning))
    return meaning, (was, now)


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
