"""What is wrong between the manifests of a whole commit: what names nothing, goes round in circles, or collides?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from reconciler import manifest
from reconciler.manifest import Complaint, Known, Problem
from reconciler.manifest.places import Places
from reconciler.manifest.text import read as reading
from reconciler.model.app import App
from reconciler.model.environment import Environment
from reconciler.model.season import Season
from reconciler.model.sets import AppSet
from reconciler.store import declared, manifest_files, versions
from reconciler.targets.registry import Registry
from reconciler.views.scene import (
    declared_alerts,
    declared_environments,
    declared_freezes,
    declared_groups,
    declared_seasons,
    in_order,
    manifests,
)
from reconciler.words import counted

if TYPE_CHECKING:
    from reconciler.cli.checking import Read

_Field = tuple[str | int, ...]


def complaints(connection: Connection, found: Read, now: datetime) -> Iterator[Complaint]:
    """Complaints about what only the whole shows, in files that are sound by themselves."""
    for one, problem in manifest.check_twice(one for one in found.declarations if one.kind != "App"):
        yield _complaint(problem, found.contents[one.path], one.path, one.ordinal)
    for problem in _problems(connection, found, now):
        row = next(iter(declared.named(connection, problem.kind, [problem.name]).get(problem.name, [])), None)
        # A file that broke keeps what it declared: its lines are other ones by now, and it has its own complaints.
        if row is not None and row.path in found.contents:
            yield _complaint(problem, found.contents[row.path], row.path, row.ordinal)


def _complaint(problem: Problem, data: bytes, path: str, ordinal: int) -> Complaint:
    line, column = Places(reading(data)).find(ordinal, problem.field, problem.at_key)
    return Complaint(path, line, column, problem.message, problem.remedy, problem.severity)


def _problems(connection: Connection, found: Read, now: datetime) -> Iterator[Problem]:
    environments, seasons = declared_environments(connection), declared_seasons(connection)
    known = _known(connection, environments)
    apps = {name: app for name, app in manifests(connection, declared.app_names(connection)).items() if app is not None}
    yield from manifest.check_environments(environments, known.unread)
    yield from _targets(environments)
    yield from manifest.check_shared(in_order(environments))
    needs = declared.depends_on(connection, list(apps))
    for name, app in apps.items():
        yield from manifest.check_depends(name, _needed(needs))
        yield from manifest.check_sense(app, known)
        yield from _missing_versions(connection, app, "App", name, _references(app))
    yield from _unreleasable(connection, found)
    for season in seasons:
        yield from manifest.check_season(season, known)
        for name, app in apps.items():
            if season.covers(name, app.metadata.labels):
                yield from _missing_versions(connection, app, "Season", season.name, _of_season(season))
    for alert in declared_alerts(connection):
        yield from manifest.check_season(alert, known)
    for group in declared_groups(connection):
        yield from manifest.check_group(group, apps, known)
    labels = {name: app.metadata.labels for name, app in apps.items()}
    yield from manifest.check_seasons(seasons, labels, now)
    yield from manifest.check_freezes(seasons, declared_freezes(connection), labels, now)
    for one in found.declarations:
        if isinstance(one.manifest, AppSet):
            yield from manifest.check_expand(one.manifest, found.directories)


def _known(connection: Connection, environments: Mapping[str, Environment]) -> Known:
    broken = any(manifest_files.everywhere(connection).values())
    apps = set(declared.known_names(connection))
    resources = {name: one["spec"]["type"] for name, one in declared.documents(connection, "Resource").items()}
    return Known(
        environments=environments,
        # In a file that cannot be read there may be anything.
        is_app=(lambda _name: True) if broken else apps.__contains__,
        resource=resources.get,
        names=lambda kind: {"App": apps, "Resource": resources}.get(kind, set()),
    )


def _needed(needs: Mapping[str, list[str]]) -> Callable[[str], list[str]]:
    return lambda name: needs.get(name, [])


def _targets(environments: Mapping[str, Environment]) -> Iterator[Problem]:
    registry = Registry()
    for name, environment in environments.items():
        for sentence in registry.check(environment.spec.target):
            yield Problem("Environment", name, _of_target(sentence, environment.spec.target), sentence, at_key=True)


def _of_target(sentence: str, target: Mapping[str, Any]) -> _Field:
    """The key that a target's complaint begins with, where it does; else the target as a whole."""
    begins = re.match(r"(?:entry \d+ of )?([\w-]+)", sentence)
    return ("spec", "target", begins[1]) if begins and begins[1] in target else ("spec", "target")


def _unreleasable(connection: Connection, found: Read) -> Iterator[Problem]:
    """Apps whose bundles hold what every target refuses: else that would be told when it is deployed."""
    for row in manifest_files.naming(connection, found.unreleasable):
        (message, remedy), *others = found.unreleasable[row.bundle]
        more = f"; so with {counted(len(others), 'other')}" if others else ""
        yield Problem("App", row.name, ("spec", "bundle"), f"{message}{more}", remedy)


def _references(app: App) -> Iterator[tuple[_Field, str]]:
    """Every version that an App's entries name, with its place."""
    for name, entry in app.spec.environments.items():
        here: _Field = ("spec", "environments", name)
        yield from _named((*here,), entry)
        if entry.experiment is not None:
            yield (*here, "experiment", "control"), entry.experiment.control
            yield (*here, "experiment", "variant"), entry.experiment.variant
        for number, item in enumerate(entry.schedule):
            yield from _named((*here, "schedule", number), item)


def _of_season(season: Season) -> Iterator[tuple[_Field, str]]:
    return _named(("spec",), season.spec)


def _named(here: _Field, spec: Any) -> Iterator[tuple[_Field, str]]:
    if spec.version is not None:
        yield (*here, "version"), spec.version
    for number, share in enumerate(spec.traffic or ()):
        yield (*here, "traffic", number, "version"), share.version


def _missing_versions(
    connection: Connection, app: App, kind: str, name: str, references: Iterator[tuple[_Field, str]]
) -> Iterator[Problem]:
    for field, reference in references:
        if versions.find(connection, app.name, reference) is None:
            message = f"{app.name} has no version {reference}"
            remedy = "the history here does not publish it; a number is written like v12"
            yield Problem(kind, name, field, message, remedy)
