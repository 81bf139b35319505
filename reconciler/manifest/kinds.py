"""Which kinds of manifest are there, and how does a document become one?

Everything that reads or describes manifests goes through this one table.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from reconciler.model.alert import Alert
from reconciler.model.app import App
from reconciler.model.environment import Environment, Resource
from reconciler.model.season import Freeze, Season
from reconciler.model.sets import AppSet, Group

Manifest = App | AppSet | Environment | Season | Freeze | Group | Resource | Alert

KINDS: dict[str, type[Manifest]] = {
    "Alert": Alert,
    "App": App,
    "AppSet": AppSet,
    "Environment": Environment,
    "Freeze": Freeze,
    "Group": Group,
    "Resource": Resource,
    "Season": Season,
}


@cache
def adapter(kind: str) -> TypeAdapter[Manifest]:
    """What checks documents of a kind. Raises KeyError for an unknown one."""
    return TypeAdapter(KINDS[kind])


def decode(kind: str, document: Any) -> Manifest:
    """The manifest that a document of `kind` declares.

    Quick, since it checks only the shape: meant for documents that `parse` accepted. Raises KeyError for an
    unknown kind and pydantic's ValidationError for a document of another shape.
    """
    return adapter(kind).validate_python(document, by_alias=True, by_name=False)
