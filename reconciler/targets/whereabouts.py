"""Does what a target releases lie in the daemon's own data directory?

Where several daemons share a store, each carries deployments out, and each has a data directory of its own: what one of
them releases there the others neither see nor replace. So a target that releases to a place on the daemon's machine may
say which it is: `releases_to`, a path. One that does not say so releases to somewhere that all daemons reach.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reconciler.targets.base import Target

_OVERWRITTEN = "what is released to one of them would overwrite what runs in the other"


def within(target: Target, data: Path) -> Path | None:
    """The place in the data directory that the target releases to, links followed; None where it is elsewhere."""
    place = _place(target)
    return place if place is not None and place.is_relative_to(_real(data)) else None


def in_each_others_way(targets: Mapping[str, Target], ours: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Environments whose target releases to where another one does, or into the reconciler's own files; and how.

    Here links are followed and the data directory is known: what manifests alone do not tell (`manifest.sharing`).
    """
    places = {name: place for name, one in sorted(targets.items()) if (place := _place(one)) is not None}
    # What lies in a directory of ours is ours; the data directory itself holds releases too.
    for name, place in places.items():
        if place == _real(ours[0]) or any(place.is_relative_to(_real(own)) for own in ours[1:]):
            yield name, f"{place} is the reconciler's own: what is released there would damage it"
    names = list(places)
    for at, name in enumerate(names):
        for other in names[:at]:
            if places[name].is_relative_to(places[other]) or places[other].is_relative_to(places[name]):
                yield name, f"it releases to {places[name]}, and {other} to {places[other]}: {_OVERWRITTEN}"
                break


def _place(target: Target) -> Path | None:
    said = getattr(target, "releases_to", None)
    return _real(said) if isinstance(said, Path) else None


def _real(path: Path) -> Path:
    # Not `Path.resolve`: it raises for links that lead in a circle.
    return Path(os.path.realpath(path))
