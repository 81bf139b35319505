"""`/ui/apps/NAME/compare`: how do two versions differ, by section and file, and who changed what?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Connection

from reconciler.api.access import Actor, Reader
from reconciler.api.context import Context, context
from reconciler.api.dashboard import following, rendering, wording
from reconciler.api.dashboard.patches import MOST_FILES, Patch, Piece, marks, patches, whole
from reconciler.api.dashboard.rendering import Page
from reconciler.model.comparison import SECTIONS, ChangedBy, Comparison
from reconciler.model.version import Version
from reconciler.store import commits, versions
from reconciler.views import comparison, matrix, resolving
from reconciler.views.comparison import compared
from reconciler.views.scene import scene_of

router = APIRouter(include_in_schema=False)
Given = Annotated[Context, Depends(context)]
Reference = Annotated[str, Query(max_length=200)]
Nth = Annotated[int, Query(ge=0, le=MOST_FILES)]
CHOICE = 50
"""Versions that can be chosen from."""
TITLES = {
    "config": "Config", "bindings": "Bindings", "secrets": "Secret references", "migrations": "Migrations",
    "image": "Image", "name": "Name",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One key that differs. `before` and `after` are empty where there is none."""

    kind: Literal["add", "del", "edit"]
    key: str
    before: tuple[Piece, ...]
    after: tuple[Piece, ...]
    by: ChangedBy | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A section."""

    name: str
    title: str
    rows: tuple[Row, ...]
    keys: int
    """How many there are in either version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two versions."""

    version: Version
    runs: tuple[str, ...]
    commit: Any


@router.get("/ui/apps/{app}/compare")
def page(
    app: str, request: Request, given: Given, actor: Reader, a: Reference = "", b: Reference = "", whole: Nth = 0
) -> Response:
    """Two versions: unless they are named, what runs at the end of the chain and the newest. Of the file that is the
    `whole`th, lines that are the same are shown as well."""
    return rendering.kept(request, given, actor, lambda connection: _page(app, given, actor, a, b, whole, connection))


def _page(app: str, given: Context, actor: Actor, a: str, b: str, nth: int, connection: Connection) -> Page:
    resolving.declared_app(connection, app)
    newest = versions.newest(connection, app, CHOICE)
    runs = rendering.runs_along(connection, app)
    after = resolving.version(connection, app, b) if b else (newest[0] if newest else None)
    before = resolving.version(connection, app, a) if a else _running(connection, app, runs, after)
    values: dict[str, Any] = {"app": app, "newest": newest, "runs": runs, "before": None, "first": after}
    if before is not None and after is not None:
        found = compared(connection, before, after, given.mirror)
        subjects = commits.subjects(connection, [before.commit, after.commit])
        values |= {
            "before": Side(version=before, runs=tuple(runs.get(before.id, ())), commit=subjects.get(before.commit)),
            "after": Side(version=after, runs=tuple(runs.get(after.id, ())), commit=subjects.get(after.commit)),
            "found": found,
            "sections": [_part(found, name, before, after) for name in SECTIONS],
            "patches": _patches(found, before, after, given.mirror, nth),
            "counts": _counts(found),
            "people": _people(found),
            "one_way": [name for name in found.section("migrations").added if after.number > before.number],
        }
    return Page(
        template="compare.html",
        actor=actor,
        daemon=following.look(given, connection),
        path=rendering.path_of(app, "compare"),
        values=values,
    )


def _patches(found: Comparison, before: Version, after: Version, mirror: Path, nth: int) -> list[Patch]:
    shown = list(patches(found.code.diff or "", found.code.files))
    if 0 < nth <= len(shown):
        change = shown[nth - 1].change
        shown[nth - 1] = whole(comparison.whole(before, after, change, mirror) or "", change) or shown[nth - 1]
    return shown


def _running(connection: Connection, app: str, runs: dict[str, list[str]], after: Version | None) -> Version | None:
    """What runs furthest along the chain; where that is the other one, the version before it; None before the first."""
    chain = matrix.in_order(scene_of(connection))
    places = {place: version for version, there in runs.items() for place in there}
    last = next((places[place] for place in reversed(chain) if place in places), None)
    if last is not None and (after is None or last != after.id):
        return versions.by_id(connection, [last]).get(last)
    return next(iter(versions.newest(connection, app, 1, after.number)), None) if after is not None else None


def _part(found: Comparison, name: str, before: Version, after: Version) -> Part:
    keys = {*_keys(name, before), *_keys(name, after)}
    rows = tuple(sorted(_rows(found, name), key=lambda row: row.key))
    return Part(name=name, title=TITLES[name], rows=rows, keys=len(keys))


def _keys(section: str, version: Version) -> list[str]:
    match section:
        case "config":
            return list(version.config)
        case "bindings":
            return [one.name for one in version.bindings]
        case "secrets":
            return [one.name for one in version.secrets]
        case "migrations":
            return list(version.migrations)
        case _:
            return [section] if getattr(version, section) else []


def _rows(found: Comparison, name: str) -> Iterator[Row]:
    section, by = found.section(name), found.changed_by.get(name, {})
    for key, value in section.added.items():
        yield Row(kind="add", key=key, before=(), after=(Piece(wording.value(value)),), by=by.get(key))
    for key, value in section.deleted.items():
        yield Row(kind="del", key=key, before=(Piece(wording.value(value)),), after=(), by=by.get(key))
    for key, edit in section.changed.items():
        old, new = wording.value(edit.before), wording.value(edit.after)
        before, after = marks(old, new) or ((Piece(old, True),), (Piece(new, True),))
        yield Row(kind="edit", key=key, before=before, after=after, by=by.get(key))


def _counts(found: Comparison) -> dict[str, int]:
    sections = [found.section(name) for name in SECTIONS]
    files = [one.kind for one in found.code.files]
    return {
        "add": sum(len(one.added) for one in sections) + files.count("added"),
        "del": sum(len(one.deleted) for one in sections) + files.count("deleted"),
        "edit": sum(len(one.changed) for one in sections) + files.count("changed") + files.count("renamed"),
    }


def _people(found: Comparison) -> dict[str, int]:
    """In how many versions, by how many people."""
    keys = [who for by in found.changed_by.values() for who in by.values()]
    everybody = [*keys, *(who for one in found.code.files for who in one.by)]
    return {"versions": len({who.version for who in everybody}), "people": len({who.email for who in everybody})}
