"""What is the plan of these apps, with everything read fresh from the store?

Reads the declared and the recorded side and asks the planner. Used by the daemon's turn and, in a transaction
that is rolled back, by the dry run: the plan that is shown is made by the code that carries it out.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection

from reconciler.desired import Desired, desired
from reconciler.model.app import App
from reconciler.model.entry import EnvironmentEntry, ScheduleEntry
from reconciler.model.environment import Environment
from reconciler.model.plan import Plan
from reconciler.model.season import Season
from reconciler.planner.plan import plan
from reconciler.planner.recorded import RecordedApp
from reconciler.store import declared
from reconciler.store.recorded import load

APP = TypeAdapter(App)
ENVIRONMENT = TypeAdapter(Environment)
SEASON = TypeAdapter(Season)


def declared_environments(connection: Connection) -> dict[str, Environment]:
    """Every Environment in force."""
    return {name: _environment(text) for name, text in declared.texts(connection, "Environment").items()}


@lru_cache(maxsize=256)
def _environment(text: str) -> Environment:
    """Environments are few and asked for in every turn; the text is all that the value depends on."""
    return ENVIRONMENT.validate_python(json.loads(text))


def declared_seasons(connection: Connection) -> list[Season]:
    """Every Season in force."""
    return [SEASON.validate_python(document) for document in declared.documents(connection, "Season").values()]


def plan_apps(
    connection: Connection, names: Sequence[str], environments: Mapping[str, Environment], now: datetime
) -> Iterator[dict[str, Plan]]:
    """The plans of these apps at `now` (UTC) by name, in groups: what others depend on comes in an earlier one.

    Read lazily: the caller writes a group's intents down before it asks for the next.
    """
    seasons = declared_seasons(connection)
    for group in _in_order(connection, names):
        yield _group(connection, group, environments, seasons, now)


def _group(
    connection: Connection,
    names: Sequence[str],
    environments: Mapping[str, Environment],
    seasons: Sequence[Season],
    now: datetime,
) -> dict[str, Plan]:
    rows = declared.apps(connection, names)
    apps = manifests_of(rows)
    wanted = {name: wanted_of(app, environments, seasons, now) for name, app in apps.items()}
    references = {name: references_of(app, seasons) for name, app in apps.items() if app}
    recorded = load(connection, names, references, rows)
    return {
        name: plan(apps.get(name), wanted.get(name, {}), environments, _known(recorded, name), now) for name in names
    }


def _known(recorded: Mapping[str, RecordedApp], name: str) -> RecordedApp:
    return recorded.get(name) or RecordedApp(app=name, content=None, content_touch=None)


def manifests(connection: Connection, names: Sequence[str]) -> dict[str, App | None]:
    """The manifests of apps, None for one that has left git."""
    return manifests_of(declared.apps(connection, names))


def manifests_of(rows: Mapping[str, Any]) -> dict[str, App | None]:
    """The manifests that rows of apps hold."""
    return {name: None if row.removed else APP.validate_python(row.document) for name, row in rows.items()}


def wanted_of(
    app: App | None, environments: Mapping[str, Environment], seasons: Sequence[Season], now: datetime
) -> dict[str, Desired]:
    """What should run of an app in each of its environments."""
    if app is None:
        return {}
    known = [environments[name] for name in app.spec.environments if name in environments]
    return {environment.name: desired(app, environment, environments, seasons, now) for environment in known}


def references_of(app: App, seasons: Sequence[Season]) -> set[str]:
    """Every version reference that can concern an app."""
    found: set[str | None] = set()
    for entry in app.spec.environments.values():
        parts: list[EnvironmentEntry | ScheduleEntry] = [entry, *entry.schedule]
        for part in parts:
            found.add(part.version)
            found.update(share.version for share in part.traffic or ())
    for season in seasons:
        if season.covers(app.name, app.metadata.labels):
            found.add(season.spec.version)
            found.update(share.version for share in season.spec.traffic or ())
    return {reference for reference in found if reference}


def _in_order(connection: Connection, names: Sequence[str]) -> Iterator[list[str]]:
    """The names in groups, so that an app stands in a later group than what it depends on."""
    needs = declared.depends_on(connection, names) if len(names) > 1 else {}
    left = set(names)
    while left:
        ready = [
            name for name in names if name in left and not any(on in left and on != name for on in needs.get(name, []))
        ]
        group = ready or sorted(left)  # a cycle has been complained about: any order will do
        yield group
        left -= set(group)
