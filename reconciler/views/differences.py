"""What does a deployment change where it is made: which versions, and which settings of the app, key by key?

Settings are compared as the app sees them: the version's own with every layer over them. Secrets are references.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from reconciler.desired import effective
from reconciler.model.deployment import Allotment, Deployment, Subject
from reconciler.model.shown import Changed, Effect
from reconciler.model.traffic import largest
from reconciler.model.version import Version, canonical
from reconciler.store import versions

LONGEST = 80
"""Letters of a value that are shown in a sentence."""


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Changed, ...]:
    """The settings that differ, in order of their names."""
    return tuple(
        Changed(key=key, before=before.get(key), after=after.get(key), had=key in before, has=key in after)
        for key in sorted({*before, *after})
        if (key in before) != (key in after) or before.get(key) != after.get(key)
    )


def effect(before: Deployment | None, subject: Subject, known: Mapping[str, Version]) -> Effect:
    """What releasing `subject` changes where `before` ran; of a split, the version with the largest share tells."""
    was = settings(before.traffic, before.config, known) if before is not None else {}
    return Effect(
        versions_before=before.traffic if before is not None else (),
        config=changed(was, settings(subject.traffic, subject.config, known)),
    )


def settings(traffic: tuple[Allotment, ...], layers: Mapping[str, Any], known: Mapping[str, Version]) -> dict[str, Any]:
    """The settings that the app sees; none where nothing runs."""
    leading = largest(traffic)
    if leading is None:
        return {}
    version = known.get(leading.version)
    return effective(version.config if version is not None else {}, layers)


def known_versions(connection: Connection, several: Iterable[tuple[Allotment, ...]]) -> dict[str, Version]:
    """The versions of these splits by id."""
    return versions.by_id(connection, {part.version for traffic in several for part in traffic})


def spelled(differences: Iterable[Changed]) -> Iterator[str]:
    """Each difference in words, long values cut."""
    for one in differences:
        if not one.had:
            yield f"{one.key} = {brief(one.after)}"
        elif not one.has:
            yield f"{one.key} goes"
        else:
            yield f"{one.key}: {brief(one.before)} → {brief(one.after)}"


def brief(value: Any) -> str:
    """A value as JSON, cut where it is long."""
    text = canonical(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
