"""Does a store say what git's history alone would come to, and where it does not, why may that be?

Two stores are compared: the one that was written while it happened, and one that was rebuilt. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from reconciler.desired import Desired
from reconciler.model.deployment import EXTERNAL, Place
from reconciler.store import remade
from reconciler.views.planning import wanted_of
from reconciler.views.scene import manifests, scene_of

_OF_TARGETS = {
    "auto-rollback": "something failed here, and git does not know of it",
    "retry": "a person asked for another try, and git does not know of it",
    "repair": "the target had drifted, and git does not know of it",
    EXTERNAL: "it came from outside, and git does not know of it",
}
_ELSE = "commits arrived together, or later than they were made, or something failed in between"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that is not the same in both."""

    what: str
    """A version's or a deployment's place, in words."""
    recorded: str
    rebuilt: str
    why: str


@dataclass(slots=True, kw_only=True)
class Compared:
    """What is equal, and what is not."""

    versions: int = 0
    """Versions that are the same, with their numbers, names and commits."""
    current: int = 0
    """Places whose current deployment has the same cause and traffic."""
    version_differences: list[Difference] = field(default_factory=list)
    current_differences: list[Difference] = field(default_factory=list)


def compare(recorded: Connection, rebuilt: Connection, now: Any) -> Compared:
    """What a recorded store and one that was rebuilt have in common."""
    found = Compared()
    _versions(recorded, rebuilt, found)
    theirs, ours = remade.current(recorded), remade.current(rebuilt)
    asked = remade.asked_by_people(recorded)
    wanted = _wanted(rebuilt, {app for app, _ in {*theirs, *ours}}, now)
    for place in sorted({*theirs, *ours}):
        before, after = theirs.get(place), ours.get(place)
        if _told(before) == _told(after):
            found.current += 1
            continue
        said = _why(before, after, wanted.get(place), asked=place in asked or (place[0], None) in asked)
        what = f"{place[0]} in {place[1]}"
        found.current_differences.append(Difference(what=what, recorded=_told(before), rebuilt=_told(after), why=said))
    return found


def _versions(recorded: Connection, rebuilt: Connection, found: Compared) -> None:
    theirs, ours = remade.versions(recorded), remade.versions(rebuilt)
    first, begun = remade.first_commit(recorded), remade.first_commit(rebuilt)
    heads = remade.commits(rebuilt)
    for key in sorted({*theirs, *ours}):
        before, after = theirs.get(key), ours.get(key)
        if before is not None and after is not None and tuple(before) == tuple(after):
            found.versions += 1
            continue
        if first != begun:
            why = f"the store began with the history at {str(first)[:10]}: older commits were left out then"
        elif before is not None and before.commit not in heads:
            why = "its commit is not on the branch any more"
        else:
            why = "either was changed after it was written: `reconciler audit verify` looks at the store"
        shown = [f"{r.id[:19]} of {str(r.commit)[:10]}" if r is not None else "none" for r in (before, after)]
        what = f"version {key[1]} of {key[0]}"
        found.version_differences.append(Difference(what=what, recorded=shown[0], rebuilt=shown[1], why=why))


def _told(row: Any) -> str:
    if row is None:
        return "nothing"
    several = len(row.traffic) > 1
    parts = [f"v{one['number']}" + (f" {one['percent']:g} %" if several else "") for one in row.traffic]
    settings = f" with {', '.join(sorted(row.config))}" if row.config else ""
    return f"{row.cause}: {', '.join(parts) or 'retired'}{settings}"


def _wanted(connection: Connection, apps: set[str], now: Any) -> Mapping[Place, Desired]:
    scene, names = scene_of(connection), sorted(apps)
    found = manifests(connection, names)
    return {(name, where): one for name in names for where, one in wanted_of(found.get(name), scene, now).items()}


def _why(before: Any, after: Any, wanted: Desired | None, *, asked: bool) -> str:
    if before is not None and before.cause in _OF_TARGETS:
        return _OF_TARGETS[before.cause]
    if wanted is not None and wanted.gates is not None and before is not None:
        return "its gates are passed by people and checks, and git does not know what they said"
    if asked:
        return "a person paused, stopped or went back here, and git does not know of it"
    if before is None and after is not None:
        return "it waits, or has failed every time; from git alone everything goes well at once"
    return _ELSE
