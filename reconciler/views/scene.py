"""Which environments, seasons, freezes and groups are in force, and which apps?

What git declares, read from the store as nouns.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection

from reconciler.model.alert import Alert
from reconciler.model.app import App
from reconciler.model.environment import LATEST, Environment
from reconciler.model.season import Freeze, Season
from reconciler.model.sets import Group
from reconciler.store import declared

APP = TypeAdapter(App)
ENVIRONMENT = TypeAdapter(Environment)
SEASON = TypeAdapter(Season)
FREEZE = TypeAdapter(Freeze)
GROUP = TypeAdapter(Group)
ALERT = TypeAdapter(Alert)


@dataclass(frozen=True, slots=True)
class Scene:
    """What all apps share: the environments, seasons, freezes and groups in force."""

    environments: Mapping[str, Environment]
    seasons: Sequence[Season] = ()
    freezes: Sequence[Freeze] = ()
    groups: Sequence[Group] = ()

    def depth(self, environment: str) -> int:
        """How far along the chain an environment is: what tracks the branch comes first."""
        seen: list[str] = []
        while environment in self.environments and environment not in seen:
            seen.append(environment)
            environment = self.environments[environment].spec.track
        return len(seen) if environment == LATEST else len(seen) + 1


def scene_of(connection: Connection) -> Scene:
    """What is in force for all apps."""
    texts = declared.texts_of(connection, ("Environment", "Season", "Freeze", "Group"))
    return Scene(
        {name: _environment(text) for name, text in texts["Environment"].items()},
        [SEASON.validate_python(json.loads(text)) for text in texts["Season"].values()],
        [FREEZE.validate_python(json.loads(text)) for text in texts["Freeze"].values()],
        [GROUP.validate_python(json.loads(text)) for _, text in sorted(texts["Group"].items())],
    )


def declared_environments(connection: Connection) -> dict[str, Environment]:
    """Every Environment in force."""
    return {name: _environment(text) for name, text in declared.texts(connection, "Environment").items()}


def in_order(environments: Mapping[str, Environment]) -> dict[str, Environment]:
    """Environments in force, in order of declaration: they are read from the last one to the first."""
    return dict(reversed(list(environments.items())))


@lru_cache(maxsize=256)
def _environment(text: str) -> Environment:
    """Environments are few and asked for in every turn; the text is all that the value depends on."""
    return ENVIRONMENT.validate_python(json.loads(text))


def declared_seasons(connection: Connection) -> list[Season]:
    """Every Season in force."""
    return [SEASON.validate_python(document) for document in declared.documents(connection, "Season").values()]


def declared_freezes(connection: Connection) -> list[Freeze]:
    """Every Freeze in force."""
    return [FREEZE.validate_python(document) for document in declared.documents(connection, "Freeze").values()]


def declared_groups(connection: Connection) -> list[Group]:
    """Every Group in force, in order of their names."""
    return [GROUP.validate_python(found) for _, found in sorted(declared.documents(connection, "Group").items())]


def declared_alerts(connection: Connection) -> list[Alert]:
    """Every Alert in force, in order of their names."""
    return [_alert(text) for _, text in sorted(declared.texts(connection, "Alert").items())]


@lru_cache(maxsize=256)
def _alert(text: str) -> Alert:
    return ALERT.validate_python(json.loads(text))


def manifests(connection: Connection, names: Sequence[str]) -> dict[str, App | None]:
    """The manifests of apps, None for one that has left git."""
    return manifests_of(declared.apps(connection, names))


def manifests_of(rows: Mapping[str, Any]) -> dict[str, App | None]:
    """The manifests that rows of apps hold."""
    return {name: None if row.removed else APP.validate_python(row.document) for name, row in rows.items()}
