"""What of the words of a stranger's code can be recorded and shown?

A target may be anybody's: its errors, lines and sights may hold what no database takes, or be without end. Whatever of
them goes on to the store goes through here first.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.errors import ReconcilerError
from reconciler.targets.base import Observed

LONGEST = 1 << 20
"""Characters that are kept of one text; the whole output of a command, which is said at once, is shorter."""
_NUL, _CUT = "␀", " … cut short"


def text(what: object) -> str:
    """The text of something, such as an error, which may break over saying it.

    NUL, which PostgreSQL does not take, becomes ␀; what has no UTF-8, such as a name of a file in another encoding,
    becomes an escape.
    """
    try:
        found = str(what)
    except Exception as wrong:  # noqa: BLE001 - a stranger's text
        return f"what it says cannot be shown: {type(wrong).__name__}"
    found = found[:LONGEST]
    if not found.isprintable():  # else it holds neither
        found = found.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", _NUL)
    return found if len(found) < LONGEST else found[: LONGEST - len(_CUT)] + _CUT


def complaint(error: BaseException) -> str:
    """What an error complains about, and what helps where it knows; one that is none of ours is named."""
    said = text(error)
    return said if isinstance(error, ReconcilerError) else f"{type(error).__name__}: {said}"


def sight(found: Observed | None) -> Observed | None:
    """What is seen of an app, in texts that can be recorded."""
    if found is None:
        return None
    return replace(
        found,
        deployment=None if found.deployment is None else text(found.deployment),
        traffic=tuple(replace(one, version=text(one.version)) for one in found.traffic),
        changed=tuple(map(text, found.changed)),
    )
