"""Which apps does a person look for, and what does git declare of each?

Candidates come from the store, page by page; where a state is asked for, how each stands decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from reconciler.model.output import Standing
from reconciler.store import apps
from reconciler.views.pictures import pictures
from reconciler.views.scene import Scene
from reconciler.views.standings import standings

_IS: Mapping[str, Callable[[Standing], bool]] = {
    "approval": lambda one: any(wait.waits_for == "approval" for wait in one.waiting),
    "held": lambda one: one.held is not None,
    "drifted": lambda one: one.drift is not None,
    "paused": lambda one: one.paused is not None,
}
"""States of which the store knows traces alone."""


def looked_for(connection: Connection, which: apps.Filter, after: str, now: datetime) -> tuple[list[Any], str | None]:
    """Rows of apps that pass a filter at `now` (UTC), and the name behind which to look for more; None: no more.

    Where most candidates do not pass, a page may have fewer than were asked for, or none.
    """
    rows = apps.listed(connection, replace(which, limit=which.limit + 1), after)
    last = rows[which.limit - 1].name if len(rows) > which.limit else None
    rows = rows[: which.limit]
    passes = _IS.get(which.state or "")
    if passes is not None:
        several = pictures(connection, [row.name for row in rows], now)
        stand = {one.name: [*standings(one, now)] for one in several}
        rows = [row for row in rows if any(map(passes, _there(stand.get(row.name, []), which.environment)))]
    return rows, last


def _there(found: list[Standing], environment: str | None) -> list[Standing]:
    return [one for one in found if environment in (None, one.environment)]


def app_facts(row: Any, scene: Scene) -> dict[str, Any]:
    """What git declares of an app, or declared before it left, by the names that it is shown with."""
    document = row.document
    metadata, spec = document["metadata"], document["spec"]
    entries = spec.get("environments") or {}
    return {
        "name": row.name,
        "owner": spec.get("owner"),
        "labels": metadata.get("labels") or {},
        "environments": tuple(sorted(entries, key=lambda name: (scene.depth(name), name))),
        "path": row.path,
        "bundle": row.bundle,
        "depends_on": tuple(spec.get("depends_on") or ()),
        "content": row.content,
        "removed": row.removed,
        "complaints": tuple(row.complaints or ()),
    }
