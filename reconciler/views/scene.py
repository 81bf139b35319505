"""Which environments, seasons, freezes and groups are in force, and which apps?

What git declares, read from the store as nouns.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Connection

from reconciler.model.alert import Alert
from reconciler.model.app import App
from reconciler.model.environment import LATEST, Environment
from reconciler.model.season import Freeze, Season
from reconciler.model.sets import Group
from reconciler.store import declared

_T = TypeVar("_T")

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
        {name: _value(ENVIRONMENT, text) for name, text in texts["Environment"].items()},
        [_value(SEASON, text) for text in texts["Season"].values()],
        [_value(FREEZE, text) for text in texts["Freeze"].values()],
        [_value(GROUP, text) for _, text in sorted(texts["Group"].items())],
    )


def declared_environments(connection: Connection) -> dict[str, Environment]:
    """Every Environment in force."""
    return {name: _value(ENVIRONMENT, text) for name, text in declared.texts(connection, "Environment").items()}


def in_order(environments: Mapping[str, Environment]) -> dict[str, Environment]:
    """Environments in force, in order of declaration: they are read from the last one to the first."""
    return dict(reversed(list(environments.items())))


@lru_cache(maxsize=4096)
def _value(kind: TypeAdapter[_T], text: str) -> _T:
    """What all apps share is asked for in every turn; the text is all that the value depends on."""
    return kind.validate_python(json.loads(text))


def declared_seasons(connection: Connection) -> list[Season]:
    """Every Season in force."""
    return [_value(SEASON, text) for text in declared.texts(connection, "Season").values()]


def declared_freezes(connection: Connection) -> list[Freeze]:
    """Every Freeze in force."""
    return [_value(FREEZE, text) for text in declared.texts(connection, "Freeze").values()]


def declared_groups(connection: Connection) -> list[Group]:
    """Every Group in force, in order of their names."""
    return [_value(GROUP, text) for _, text in sorted(declared.texts(connection, "Group").items())]


def declared_alerts(connection: Connection) -> list[Alert]:
    """Every Alert in force, in order of their names."""
    return [_value(ALERT, text) for _, text in sorted(declared.texts(connection, "Alert").items())]


def manifests(connection: Connection, names: Sequence[str]) -> dict[str, App | None]:
    """The manifests of apps, None for one that has left git."""
    return manifests_of(declared.apps(connection, names))


def manifests_of(rows: Mapping[str, Any]) -> dict[str, App | None]:
    """The manifests that rows of apps hold."""
    return {name: None if row.removed else APP.validate_python(row.document) for name, row in rows.items()}
