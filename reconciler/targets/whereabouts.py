"""Does what a target releases lie in the daemon's own data directory?

Where several daemons share a store, each carries deployments out, and each has a data directory of its own: what one of
them releases there the others neither see nor replace. So a target that releases to a place on the daemon's machine may
say which it is: `releases_to`, a path. One that does not say so releases to somewhere that all daemons reach.
"""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.targets.base import Target


def within(target: Target, data: Path) -> Path | None:
    """The place in the data directory that the target releases to, links followed; None where it is elsewhere."""
    said = getattr(target, "releases_to", None)
    if not isinstance(said, Path):
        return None
    # Not `Path.resolve`: it raises for links that lead in a circle.
    place, own = Path(os.path.realpath(said)), Path(os.path.realpath(data))
    return place if place.is_relative_to(own) else None
