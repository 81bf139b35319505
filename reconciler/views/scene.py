"""Which environments, seasons and freezes are in force, and which apps?

What git declares, read from the store as nouns.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection

from reconciler.model.app import App
from reconciler.model.environment import LATEST, Environment
from reconciler.model.season import Freeze, Season
from reconciler.store import declared

APP = TypeAdapter(App)
ENVIRONMENT = TypeAdapter(Environment)
SEASON = TypeAdapter(Season)
FREEZE = TypeAdapter(Freeze)


@dataclass(frozen=True, slots=True)
class Scene:
    """What all apps share: the environments, seasons and freezes in force."""

    environments: Mapping[str, Environment]
    seasons: Sequence[Season] = ()
    freezes: Sequence[Freeze] = ()

    def depth(self, environment: str) -> int:
        """How far along the chain an environment is: what tracks the branch comes first."""
        seen: list[str] = []
        while environment in self.environments and environment not in seen:
            seen.append(environment)
            environment = self.environments[environment].spec.track
        return len(seen) if environment == LATEST else len(seen) + 1


def scene_of(connection: Connection) -> Scene:
    """What is in force for all apps."""
    return Scene(declared_environments(connection), declared_seasons(connection), declared_freezes(connection))


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


def declared_freezes(connection: Connection) -> list[Freeze]:
    """Every Freeze in force."""
    return [FREEZE.validate_python(document) for document in declared.documents(connection, "Freeze").values()]


def manifests(connection: Connection, names: Sequence[str]) -> dict[str, App | None]:
    """The manifests of apps, None for one that has left git."""
    return manifests_of(declared.apps(connection, names))


def manifests_of(rows: Mapping[str, Any]) -> dict[str, App | None]:
    """The manifests that rows of apps hold."""
    return {name: None if row.removed else APP.validate_python(row.document) for name, row in rows.items()}
