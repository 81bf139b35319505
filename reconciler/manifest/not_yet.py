"""Which parts of a manifest are understood and not yet carried out?

To accept a gate and let everything pass would be worse than to refuse it. So these are checked like the rest, and
then refused. Whoever carries one of them out removes its row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.manifest.problems import Problem
from reconciler.manifest.walk import Field

ANY = "*"

_ENTRY = tuple(("spec", "environments", ANY, part) for part in ("gates", "rollout", "when", "experiment"))

NOT_YET: dict[str, tuple[Field, ...]] = {
    "Freeze": (("kind",),),
    "Group": (("kind",),),
    "Environment": (("spec", "gates"), ("spec", "rollout"), ("spec", "when")),
    "App": _ENTRY,
    "AppSet": tuple(("spec", "template", *field) for field in _ENTRY),
}
"""Fields by kind; `kind` stands for the whole manifest, and the star for every key."""


def check(kind: str, name: str, document: Any) -> Iterator[Problem]:
    """A problem for each part that is there, is not empty, and is not yet carried out."""
    for pattern in NOT_YET.get(kind, ()):
        for field, value in _found(document, pattern, ()):
            if value:
                what = f"kind {kind}" if field == ("kind",) else str(field[-1])
                yield Problem(kind, name, field, f"{what} is not yet carried out", "leave it out for now")


def _found(value: Any, pattern: Field, above: Field) -> Iterator[tuple[Field, Any]]:
    if not pattern:
        yield above, value
    elif isinstance(value, dict):
        for key in value if pattern[0] == ANY else [pattern[0]]:
            if key in value:
                yield from _found(value[key], pattern[1:], (*above, key))
