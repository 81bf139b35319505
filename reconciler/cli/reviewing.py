"""What would merging a branch do? Everything that a reviewer should know, as facts.

The future is played twice, from the base alone and from the base with the branch merged: what differs is the branch's
doing. Approvals and checks of gates are taken to be given as soon as they are asked for, and that is said. How it is
shown is asked in `reviewed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.cli import checking, linking
from reconciler.cli.findings import Made, Review, Side
from reconciler.cli.worktree import Taken
from reconciler.engine.unfolding import brought_up, future
from reconciler.errors import NotSo
from reconciler.git.patches import files_diff
from reconciler.manifest import Complaint
from reconciler.model.app import App
from reconciler.model.version import Version
from reconciler.store import commits, complaining, declared, manifest_files, versions
from reconciler.views.forecast import forecast
from reconciler.views.scene import Scene, manifests, scene_of
from reconciler.views.sources import Sources

if TYPE_CHECKING:
    from reconciler.drafting.scratch import Scratch
    from reconciler.engine.rehearsing import Rehearsal

AHEAD = timedelta(days=30)
"""How far deployments are looked ahead, unless somebody says otherwise."""
CALENDAR = timedelta(days=400)
"""How far the calendar is compared: what comes every year comes into it once."""
PAST = timedelta(days=90)
"""So long ago the base is taken to have been merged where nothing is recorded: by now it has passed its gates."""
MOST_FILES = 200
MOST_PLACES = 500


def review(
    rehearse: Callable[[], AbstractContextManager[Rehearsal]],
    branch: Scratch,
    root: str,
    refs: tuple[str | None, str],
    at: datetime,
    until: datetime | None,
) -> Review:
    """What merging `refs[1]` at `at` (UTC) does; `refs[0]` None: into what has been noted. Raises NotSo."""
    base, head = refs
    until = until or at + AHEAD
    with rehearse() as played:
        begun = take_base(played, branch, base, at)
        if begun is None:
            raise NotSo("there is nothing that it could be merged into yet", "name the branch with --base")
        before = side(played, branch, root, at, until, begun)
    with rehearse() as played:
        take_base(played, branch, base, at)
        target = branch.merged(begun, head)
        played.following.looking.require_path(target)
        played.note(target, at)
        here = Sources(played.transaction.connection, played.following.objects)
        new, back = _made(played, before, here), _taken_back(played, before)
        after = side(played, branch, root, at, until, target)
        diff, cut = manifests_diff(played, before, after, branch.git_dir)
        places = {
            (app, where): here.place("App", app, "spec", "environments", where) for app, where in _spoken_of(after)
        }
    return Review(begun, head, at, until, before, after, new, back, places, diff, cut)


def _spoken_of(after: Side) -> set[tuple[str, str]]:
    left = after.future.left
    refused = {(one.app, one.environment) for one in left.refused[:MOST_PLACES]}
    return refused | {(one.app, one.environment) for one in left.waiting[:MOST_PLACES]}


def take_base(played: Rehearsal, branch: Scratch, base: str | None, at: datetime) -> str | None:
    """Let the base be released; the commit that is then in force. None: there is nothing yet."""
    noted = played.noted
    if base is not None and (noted is None or branch.descends(base, noted)):
        since = at - PAST if noted is None else at
        played.note(base, since)
        brought_up(played, since, at)
    for _plan in played.settle(at):
        continue
    return played.noted


def complaints(played: Rehearsal, branch: Scratch, root: str, commit: str, at: datetime) -> list[Complaint]:
    """Everything that is wrong with the manifests of the commit in force, in order of place."""
    connection, objects = played.transaction.connection, played.following.objects
    read = checking.read(connection, objects, Taken(branch.git_dir, commit, commit, root, None))
    told = [Complaint(**row) for row in complaining.complaints(connection)]
    return sorted({*told, *read.warnings, *linking.complaints(connection, read, at)})


def side(played: Rehearsal, branch: Scratch, root: str, at: datetime, until: datetime, commit: str) -> Side:
    """What is so from now on, at the commit that is in force."""
    connection, objects = played.transaction.connection, played.following.objects
    told = complaints(played, branch, root, commit, at)
    names = declared.app_names(connection)
    edges = forecast(connection, names, at, at + CALENDAR, objects).edges
    known = versions.ids(connection)
    content = {row.name: row.content for row in declared.apps(connection, names).values()}
    scene, apps = scene_of(connection), manifests(connection, names)
    files = frozenset(manifest_files.everywhere(connection))
    played.look_at_all_that_matters(at)
    unfolded = future(played, at, until, assume=True, objects=objects)
    return Side(
        commit=commit,
        scene=scene,
        future=unfolded,
        edges=edges,
        complaints=told,
        versions=known,
        content=content,
        withdrawn=frozenset(commits.withdrawals(connection)),
        placed=frozenset((name, where) for name, app in apps.items() if app for where in app.spec.environments),
        zones=_zones(apps, scene),
        season_zones={season.name: season.spec.timezone for season in scene.seasons},
        files=files,
        cut_at=played.cut_at,
    )


def _taken_back(played: Rehearsal, before: Side) -> list[tuple[Version, Any]]:
    """Versions that are withdrawn now and were not before."""
    connection = played.transaction.connection
    rows = {key: row for key, row in commits.withdrawals(connection).items() if key not in before.withdrawn}
    found = versions.by_id(connection, rows).values()
    return [(one, rows[one.id]) for one in sorted(found, key=_by_number)]


def _zones(apps: Mapping[str, App | None], scene: Scene) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for name, app in apps.items():
        for where, entry in app.spec.environments.items() if app else ():
            place = scene.environments.get(where)
            train = entry.when or (place.spec.when if place else None)
            if train is not None and train.timezone:
                found[name, where] = train.timezone
    return found


def _made(played: Rehearsal, before: Side, here: Sources) -> list[Made]:
    """The versions that are there now and were not before, in order of app and number."""
    connection = played.transaction.connection
    ids = versions.ids(connection) - before.versions
    new = sorted(versions.by_id(connection, ids).values(), key=_by_number)
    asked = {one.app: before.content.get(one.app) for one in new}
    known = versions.by_id(connection, [key for key in asked.values() if key is not None])
    last = {app: known.get(key or "") for app, key in asked.items()}
    found: list[Made] = []
    for one in new:
        found.append(
            Made(
                version=one,
                before=last.get(one.app),
                migrations_at=here.place("App", one.app, "spec", "migrations"),
                secrets_at=here.place("App", one.app, "spec", "secrets"),
            )
        )
        last[one.app] = one
    return found


def _by_number(version: Version) -> tuple[str, int]:
    return version.app, version.number


def manifests_diff(played: Rehearsal, before: Side, after: Side, git_dir: Path) -> tuple[str, bool]:
    """How the manifests differ, and whether that was cut."""
    objects, known = played.following.objects, before.files | after.files
    trees = [objects.commit(side.commit).tree for side in (before, after)]
    changed = sorted(change.path for change in objects.diff(*trees) if change.path in known)
    said, cut = files_diff(before.commit, after.commit, changed[:MOST_FILES], git_dir)
    return said, cut or len(changed) > MOST_FILES
