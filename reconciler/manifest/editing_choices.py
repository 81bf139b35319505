"""How is a choice about one app in one environment written into its manifest?

A pin, a split, tracking again, a change planned for later, a pause: each puts one entry of `environments` into
another state and leaves the rest of the file as it is. Whether the choice is wise, or the version exists, is not asked
here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.errors import ManifestError, NotSo
from reconciler.manifest.editing import change, document
from reconciler.words import plain

CHOICES = ("track", "version", "traffic", "experiment")
"""What excludes each other in an entry."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the choice stands: the manifest of `app` is document `ordinal`, counted from 0, of the file `path`."""

    path: str
    ordinal: int
    app: str
    environment: str


def pin(data: bytes, place: Place, version: str) -> bytes:
    """The file with this version in place of what the entry tracked, pinned, split or tried.

    All functions of this module give the same bytes when nothing has to change. They raise NotSo when the document
    is not this app's manifest or the app is not in this environment, and what `change` raises.
    """
    return _changed(data, place, lambda entry: _choose(entry, "version", version))


def split(data: bytes, place: Place, shares: Iterable[tuple[str, float]]) -> bytes:
    """The file with this split, versions with their percentages, in place of the entry's choice."""
    traffic = [{"version": version, "percent": _number(percent)} for version, percent in shares]
    return _changed(data, place, lambda entry: _choose(entry, "traffic", traffic))


def track(data: bytes, place: Place, source: str | None = None) -> bytes:
    """The file with the entry tracking again: `source` (`latest`, or an environment), or the environment's default."""
    return _changed(data, place, lambda entry: _choose(entry, "track", source))


def plan(data: bytes, place: Place, at: str, timezone: str | None, version: str) -> bytes:
    """The file with this version from `at` on: a wall time with its zone, or an instant with an offset and None.

    The change is put behind those that the entry's `schedule` has; one that is there is not put twice.
    """
    added = {"at": at} | ({} if timezone is None else {"timezone": timezone}) | {"version": version}

    def planned(entry: dict[str, Any]) -> dict[str, Any]:
        there = list(entry.get("schedule") or ())
        return entry if added in there else entry | {"schedule": [*there, added]}

    return _changed(data, place, planned)


def pause(data: bytes, place: Place, by: str, reason: str, until: str, timezone: str | None = None) -> bytes:
    """The file with the entry paused until then, in place of another pause."""
    asked = {"by": by, "reason": reason, "until": until} | ({} if timezone is None else {"timezone": timezone})
    return _changed(data, place, lambda entry: entry | {"pause": asked})


def resume(data: bytes, place: Place) -> bytes:
    """The file without the entry's pause."""
    return _changed(data, place, lambda entry: {key: value for key, value in entry.items() if key != "pause"})


def _choose(entry: dict[str, Any], choice: str, value: Any) -> dict[str, Any]:
    kept = {key: one for key, one in entry.items() if key not in CHOICES}
    return kept if value is None else kept | {choice: value}


def _changed(data: bytes, place: Place, to: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    wanted = document(place.path, data, place.ordinal)
    entries = _entries(wanted, place)
    entry = entries[place.environment]
    if not isinstance(entry, dict | None):
        raise ManifestError(
            f"{plain(place.path)}: the entry of {plain(place.environment[:100])} is no mapping",
            "correct the manifest first",
        )
    asked = to(entry or {})
    if asked == (entry or {}):
        return data
    wanted["spec"]["environments"] = entries | {place.environment: asked}
    return change(place.path, data, place.ordinal, wanted)


def _entries(manifest: Any, place: Place) -> dict[str, Any]:
    """The entries by environment; a plain list of names has empty ones."""
    kind = manifest.get("kind") if isinstance(manifest, dict) else None
    metadata, spec = (manifest.get(key) if kind else None for key in ("metadata", "spec"))
    name = metadata.get("name") if isinstance(metadata, dict) else None
    here, app, environment = plain(place.path), plain(place.app[:100]), plain(place.environment[:100])
    if kind == "AppSet":
        raise NotSo(
            f"{app} is one of the apps of an AppSet in {here}, whose entries hold for all of them",
            f"Change the AppSet, or give {app} a manifest of its own.",
        )
    if kind != "App" or name != place.app or not isinstance(spec, dict):
        raise NotSo(f"Document {place.ordinal} of {here} is not the manifest of {app}", "Look where it is declared.")
    entries = spec.get("environments")
    if isinstance(entries, list) and all(isinstance(one, str) for one in entries):
        entries = {one: {} for one in entries}
    if not isinstance(entries, dict) or place.environment not in entries:
        raise NotSo(
            f"{app} does not run in {environment}, as {here} has it", f"Add {environment} to its environments first."
        )
    return entries


def _number(percent: float) -> float:
    return int(percent) if percent == int(percent) else percent
