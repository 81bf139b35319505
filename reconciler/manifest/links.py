"""What is wrong between manifests that are each right by themselves?

Small functions over values, for one manifest and what it refers to, so that a changed file needs no look at all the
others. What depends on time is in `overlaps`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler import schedule
from reconciler.desired import Tracked, upstream
from reconciler.manifest.kinds import Manifest
from reconciler.manifest.parse import Declaration
from reconciler.manifest.problems import Problem
from reconciler.manifest.walk import Field
from reconciler.model.alert import Alert
from reconciler.model.app import App
from reconciler.model.entry import EnvironmentEntry
from reconciler.model.environment import LATEST, Environment, Resource
from reconciler.model.references import NUMBER
from reconciler.model.season import Freeze, Season
from reconciler.model.sets import Group
from reconciler.words import listed, meant, plain

_LISTED = 10
LARGEST_GROUP = 200
"""They are planned together, and every deployment of a move names all that moved: what a move records is the square."""


def _no_names(kind: str) -> Iterable[str]:  # noqa: ARG001 - the names of any kind
    return ()


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to refer to.

    `names` gives the names of a kind, for suggestions only: it is asked when a reference is wrong. `unread` are
    Environments that exist and cannot be read: to refer to them is no mistake.
    """

    environments: Mapping[str, Environment]
    is_app: Callable[[str], bool]
    resource: Callable[[str], str | None]
    """The type of a Resource; None where there is none of that name, '' where it exists and cannot be read."""
    names: Callable[[str], Iterable[str]] = _no_names
    unread: Collection[str] = ()

    def is_environment(self, name: str) -> bool:
        """Whether there is an Environment of this name."""
        return name in self.environments or name in self.unread


def known_from(
    declarations: Iterable[Declaration], broken: Iterable[tuple[str, str]] = (), apps: Iterable[str] = ()
) -> Known:
    """Everything that these declarations make known; `apps` are those that AppSets stand for.

    `broken` has kind and name of documents that were not accepted: they exist all the same.
    """
    names: dict[str, set[str]] = {"App": set(apps)}
    environments: dict[str, Environment] = {}
    resources: dict[str, str] = {}
    for one in declarations:
        names.setdefault(one.kind, set()).add(one.name)
        if isinstance(one.manifest, Environment):
            environments[one.name] = one.manifest
        if isinstance(one.manifest, Resource):
            resources[one.name] = one.manifest.spec.type
    for kind, name in broken:
        names.setdefault(kind, set()).add(name)
    resources |= dict.fromkeys(names.get("Resource", set()) - resources.keys(), "")
    return Known(
        environments=environments,
        is_app=names["App"].__contains__,
        resource=resources.get,
        names=lambda kind: names.get(kind, ()),
        unread=names.get("Environment", set()),
    )


def check_app(app: App, known: Known) -> list[Problem]:
    """References of an App to what does not exist, and tracks that go round in a circle."""
    return [*_app_references(app, known), *_tracks(app, known), *_circles(app, known.environments)]


def check_sense(app: App, known: Known) -> list[Problem]:
    """What an App says that cannot be meant so, though it can be carried out.

    Asked of what is still to be merged, and of nothing that is in force or was: that was taken in as it stands, and a
    history that is lived through once more has to come to the same versions.
    """
    return [*_version_name(app), *_binding_types(app, known), *_experiments(app)]


def _version_name(app: App) -> Iterator[Problem]:
    """A reference `v2` is to mean one version, and not one by its name and another one by its number."""
    name = app.spec.version
    if name is not None and (number := NUMBER.match(name)):
        message = f"{name} is how version number {number[1]} is called"
        yield Problem("App", app.name, ("spec", "version"), message, "give another name, such as 2.0 or v2.0")


def _binding_types(app: App, known: Known) -> Iterator[Problem]:
    for at, binding in enumerate(app.spec.bindings):
        found = known.resource(binding.resource)
        if found and found != binding.type:
            message = f"the resource {binding.resource} is of type {found}, not {binding.type}"
            remedy = f"write type: {found}, or name another resource"
            yield Problem("App", app.name, ("spec", "bindings", at, "type"), message, remedy)


def _experiments(app: App) -> Iterator[Problem]:
    for name, entry in app.spec.environments.items():
        tried = entry.experiment
        if tried is not None and tried.control == tried.variant:
            field: Field = ("spec", "environments", name, "experiment", "variant")
            message = f"{tried.variant} is compared with itself"
            yield Problem("App", app.name, field, message, "name the version that is tried")


def check_season(season: Season | Freeze | Group | Alert, known: Known) -> list[Problem]:
    """References of a Season, a Freeze, a Group or an Alert to what does not exist."""
    spec = season.spec
    found = [
        _unknown(season, "environment", name, ("spec", "environments", at), known.environments)
        for at, name in enumerate(spec.environments or ())
        if not known.is_environment(name)
    ]
    names = spec.apps if isinstance(spec.apps, tuple) else ()
    found += [
        _unknown(season, "app", name, ("spec", "apps", at), known.names("App"))
        for at, name in enumerate(names)
        if not known.is_app(name)
    ]
    return found


def check_group(group: Group, apps: Mapping[str, App], known: Known) -> list[Problem]:
    """References of a Group to what does not exist, apps named twice, too many, and members that it cannot move."""
    found = check_season(group, known)
    if len(group.spec.apps) > LARGEST_GROUP:
        message = f"a group of {len(group.spec.apps)} apps is too large: {LARGEST_GROUP} are planned together well"
        found.append(Problem("Group", group.name, ("spec", "apps"), message, "make several groups of it"))
    before = set[str]()
    for at, name in enumerate(group.spec.apps):
        field: Field = ("spec", "apps", at)
        app = apps.get(name)
        if name in before:
            found.append(Problem("Group", group.name, field, f"{name} stands here twice", "remove one of the two"))
        elif app is not None and not any(one in app.spec.environments for one in group.spec.environments):
            message = f"{name} is in none of {listed(group.spec.environments)}, so this group never moves it"
            remedy = f"it is in {listed(list(app.spec.environments))}"
            found.append(Problem("Group", group.name, field, message, remedy))
        before.add(name)
    return found


def check_environments(environments: Mapping[str, Environment], unread: Collection[str] = ()) -> list[Problem]:
    """Environments whose `track` names none, or leads back to themselves; `unread` exist and cannot be read."""
    found: list[Problem] = []
    follows = {name: environment.spec.track for name, environment in environments.items()}
    for name, environment in environments.items():
        track = environment.spec.track
        if track != LATEST and track not in environments and track not in unread:
            found.append(_unknown(environment, "environment", track, ("spec", "track"), [*environments, LATEST]))
        elif circle := _circle(name, follows):
            message = f"this track leads back to itself: {' → '.join(circle)}"
            found.append(Problem("Environment", name, ("spec", "track"), message, "let one of them track latest"))
    return found


def check_depends(app_name: str, depends: Callable[[str], Sequence[str]]) -> list[Problem]:
    """A circle of `depends_on` that leads back to this App; `depends` gives what an App names there."""
    came_from: dict[str, str] = {}
    ahead = [app_name]
    while ahead:
        here = ahead.pop()
        for other in depends(here):
            if other == app_name:
                way = [here]
                while way[-1] != app_name:
                    way.append(came_from[way[-1]])
                return [_depends_on_itself(app_name, [*reversed(way), app_name], depends)]
            if other not in came_from:
                came_from[other] = here
                ahead.append(other)
    return []


def check_twice(declarations: Iterable[Declaration]) -> list[tuple[Declaration, Problem]]:
    """Declarations whose kind and name an earlier one (by path, then by place in the file) has already."""
    first: dict[tuple[str, str], Declaration] = {}
    found = []
    for one in sorted(declarations, key=lambda one: (one.path, one.ordinal)):
        earlier = first.setdefault((one.kind, one.name), one)
        if earlier is not one:
            where = "this file" if earlier.path == one.path else plain(earlier.path)
            message = f"{one.kind} {one.name} is declared in {where} already"
            problem = Problem(one.kind, one.name, ("metadata", "name"), message, "rename or remove one of the two")
            found.append((one, problem))
    return found


def _app_references(app: App, known: Known) -> Iterator[Problem]:
    for at, name in enumerate(app.spec.depends_on):
        if not known.is_app(name):
            yield _unknown(app, "app", name, ("spec", "depends_on", at), known.names("App"))
    for at, binding in enumerate(app.spec.bindings):
        if known.resource(binding.resource) is None:
            field: Field = ("spec", "bindings", at, "resource")
            yield _unknown(app, "resource", binding.resource, field, known.names("Resource"))
    for name in app.spec.environments:
        if not known.is_environment(name):
            yield _unknown(app, "environment", name, ("spec", "environments", name), known.environments, at_key=True)


def _tracks(app: App, known: Known) -> Iterator[Problem]:
    """What entries track by name, which the app itself must be in; an Environment's own track may pass it by."""
    for name, entry in app.spec.environments.items():
        here: Field = ("spec", "environments", name)
        named = [((*here, "track"), entry.track)]
        named += [((*here, "schedule", at, "track"), item.track) for at, item in enumerate(entry.schedule)]
        for field, track in named:
            if track is None or track == LATEST or track in app.spec.environments:
                continue
            if known.is_environment(track):
                message = f"{app.name} is not in the environment {track}, so nothing completes there"
                remedy = f"add it to environments, or track {listed([LATEST, *app.spec.environments])}"
                yield Problem("App", app.name, field, message, remedy.replace(" and ", " or "))
            else:
                yield _unknown(app, "environment", track, field, [*known.environments, LATEST])


def _circles(app: App, environments: Mapping[str, Environment]) -> Iterator[Problem]:
    """Circles in what an App's entries track, now or from a moment of their schedules on."""
    entries = app.spec.environments
    moments = {schedule.instant(item.at, item.timezone) for entry in entries.values() for item in entry.schedule}
    for moment in (None, *sorted(moments)):
        follows = {name: _followed(app, name, environments, moment) for name in entries}
        for name, entry in entries.items():
            circle = _circle(name, follows)
            # A circle of Environments' own tracks is theirs, and not said again for every app.
            if circle and (entry.track or any(item.track for item in entry.schedule)):
                since = f" from {schedule.to_the_second(moment)} on" if moment else ""
                message = f"this track leads back to itself{since}: {' → '.join(circle)}"
                field: Field = ("spec", "environments", name, "track")
                yield Problem("App", app.name, field, message, "let one of them track latest")
                return


def _followed(app: App, name: str, environments: Mapping[str, Environment], moment: datetime | None) -> str | None:
    """The environment that an entry tracks from a moment on (None: before all of them), None for no other."""
    pinned, track = _in_force(app.spec.environments[name], moment)
    if pinned or track is not None:
        return track if track in app.spec.environments else None
    own = environments[name].spec.track if name in environments else LATEST
    followed = upstream(app, own, environments)
    return followed.environment if isinstance(followed, Tracked) else None


def _in_force(entry: EnvironmentEntry, moment: datetime | None) -> tuple[bool, str | None]:
    """Whether an entry names versions from a moment on, and else what it tracks by name."""
    chosen = [entry.track, entry.version or entry.traffic]
    passed = [item for item in entry.schedule if moment and schedule.instant(item.at, item.timezone) <= moment]
    if passed and (passed[-1].track or passed[-1].version or passed[-1].traffic):
        chosen = [passed[-1].track, passed[-1].version or passed[-1].traffic]
    return bool(chosen[1]), str(chosen[0]) if chosen[0] else None


def _circle(start: str, follows: Mapping[str, str | None]) -> list[str]:
    """The way from a name back to itself; [] when it ends, or goes round without coming back."""
    way = [start]
    here = follows.get(start)
    while here is not None and here not in way:
        way.append(here)
        here = follows.get(here)
    return [*way, start] if here == start else []


def _depends_on_itself(app_name: str, way: list[str], depends: Callable[[str], Sequence[str]]) -> Problem:
    at = list(depends(app_name)).index(way[1])
    message = f"{app_name} depends on itself: {' → '.join(way)}"
    return Problem("App", app_name, ("spec", "depends_on", at), message, "remove one of these dependencies")


def _unknown(
    manifest: Manifest,
    what: str,
    name: str,
    field: Field,
    known: Iterable[str],
    at_key: bool = False,
) -> Problem:
    names = sorted(known)
    few = f"there are {listed(names)}" if 1 < len(names) <= _LISTED else f"declare the {what} first"
    remedy = meant(name, names, few)
    return Problem(manifest.kind, manifest.name, field, f"there is no {what} {name}", remedy, at_key=at_key)
