"""What would merging a branch do? Everything that a reviewer should know, as facts.

The future is played twice, from the base alone and from the base with the branch merged: what differs is the branch's
doing. Approvals and checks of gates are taken to be given as soon as they are asked for, and that is said. How it is
shown is asked in `reviewed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from reconciler.cli import checking, comparing, linking
from reconciler.cli.unfolding import Future, Happening, brought_up, future
from reconciler.cli.worktree import Taken
from reconciler.errors import NotSo
from reconciler.manifest import Complaint
from reconciler.model.app import App
from reconciler.model.output import Edge
from reconciler.model.plan import ApplyTriggers, Deploy, Refused, Waiting
from reconciler.model.version import Version
from reconciler.store import attention, declared, tables, versions
from reconciler.views.forecast import forecast
from reconciler.views.scene import Scene, manifests, scene_of
from reconciler.views.sources import Sources

if TYPE_CHECKING:
    from reconciler.cli.rehearsing import Rehearsal
    from reconciler.cli.scratch import Scratch

AHEAD = timedelta(days=30)
"""How far deployments are looked ahead, unless somebody says otherwise."""
CALENDAR = timedelta(days=400)
"""How far the calendar is compared: what comes every year comes into it once."""
PAST = timedelta(days=90)
"""So long ago the base is taken to have been merged where nothing is recorded: by now it has passed its gates."""
MOST_FILES = 200
MOST_PLACES = 500
_Deploys = dict[tuple[Any, ...], Happening]


@dataclass(frozen=True, slots=True)
class Made:
    """A version that is made, and the content before it."""

    version: Version
    before: Version | None
    place: str
    """`file:line` of its App."""
    migrations_at: str = ""
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
    versions: dict[str, Version]
    content: dict[str, str | None]
    """By app, the version that is asked for."""
    withdrawn: dict[str, Any]
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
        known = {(one.app, one.environment, one.rule) for one in self._refused(self.before)}
        return [one for one in self._refused(self.after) if (one.app, one.environment, one.rule) not in known]

    def _refused(self, side: Side) -> list[Refused]:
        return list(dict.fromkeys(side.future.left.refused))

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
    def taken_back(self) -> list[tuple[Version, Any]]:
        """Versions that the branch withdraws by reverting, and the words on it."""
        new = {key: row for key, row in self.after.withdrawn.items() if key not in self.before.withdrawn}
        known = self.after.versions | self.before.versions
        found = [(known[key], row) for key, row in new.items() if key in known]
        return sorted(found, key=lambda pair: (pair[0].app, pair[0].number))

    @property
    def removed(self) -> list[tuple[str, str]]:
        """Apps and environments that they leave."""
        return sorted(self.before.placed - self.after.placed)

    @property
    def fails(self) -> bool:
        """Whether it must not be merged as it is: a mistake, or a rule that stops what it asks for."""
        return bool(self.errors) or any(one.rule != "withdrawn" for one in self.refused)


def _but(several: list[Edge], known: list[Edge]) -> list[Edge]:
    there = {(one.at, one.cause, one.app, one.environment, one.name, one.detail) for one in known}
    return [one for one in several if (one.at, one.cause, one.app, one.environment, one.name, one.detail) not in there]


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
        played.following.require_path(target)
        played.note(target, at)
        here = Sources(played.transaction.connection, played.following.objects)
        known = versions_of(played)
        new = made(before, {key: one for key, one in known.items() if key not in before.versions}, here)
        after = side(played, branch, root, at, until, target)
        diff, cut = manifests_diff(played, before, after, branch.git_dir)
        places = {
            (app, where): here.place("App", app, "spec", "environments", where) for app, where in _spoken_of(after)
        }
    return Review(begun, head, at, until, before, after, new, places, diff, cut)


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


def side(played: Rehearsal, branch: Scratch, root: str, at: datetime, until: datetime, commit: str) -> Side:
    """What is so from now on, at the commit that is in force."""
    connection, objects = played.transaction.connection, played.following.objects
    tree = Taken(branch.git_dir, commit, commit, root, None)
    read = checking.read(connection, objects, tree)
    told = [Complaint(**row) for row in declared.complaints(connection)]
    told += [*read.warnings, *linking.complaints(connection, read, at)]
    names = declared.app_names(connection)
    edges = forecast(connection, names, at, at + CALENDAR, objects)
    known, content = versions_of(played), {row.name: row.content for row in declared.apps(connection, names).values()}
    withdrawn = {row.version: row for row in connection.execute(select(tables.withdrawals))}
    scene, apps = scene_of(connection), manifests(connection, names)
    files = frozenset(attention.manifest_files(connection))
    played.look_at_all_that_matters(at)
    unfolded = future(played, at, until, assume=True, objects=objects)
    return Side(
        commit=commit,
        scene=scene,
        future=unfolded,
        edges=edges,
        complaints=sorted(set(told)),
        versions=known,
        content=content,
        withdrawn=withdrawn,
        placed=frozenset((name, where) for name, app in apps.items() if app for where in app.spec.environments),
        zones=_zones(apps, scene),
        season_zones={season.name: season.spec.timezone for season in scene.seasons},
        files=files,
        cut_at=played.cut_at,
    )


def versions_of(played: Rehearsal) -> dict[str, Version]:
    connection = played.transaction.connection
    return versions.by_id(connection, list(connection.scalars(select(tables.versions.c.id))))


def _zones(apps: Mapping[str, App | None], scene: Scene) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for name, app in apps.items():
        for where, entry in app.spec.environments.items() if app else ():
            place = scene.environments.get(where)
            train = entry.when or (place.spec.when if place else None)
            if train is not None and train.timezone:
                found[name, where] = train.timezone
    return found


def made(before: Side, new_ones: Mapping[str, Version], here: Sources) -> list[Made]:
    """The versions that are there with the branch alone, in order of app and number."""
    new = sorted(new_ones.values(), key=_by_number)
    last = {app: before.versions.get(key or "") for app, key in before.content.items()}
    found: list[Made] = []
    for one in new:
        found.append(
            Made(
                version=one,
                before=last.get(one.app),
                place=here.place("App", one.app),
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
    said, cut = comparing.files_diff(before.commit, after.commit, changed[:MOST_FILES], git_dir)
    return said, cut or len(changed) > MOST_FILES
