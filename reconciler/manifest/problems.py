"""What does a check find, before anybody knows in which line it stands?

Checks work on values; `parse` and whoever reads manifests later turn what they find into complaints with a place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.manifest.complaints import Severity
from reconciler.manifest.walk import Field
from reconciler.schedule import complaints as wording


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of one manifest. `at_key` points at the key rather than at its value."""

    kind: str
    name: str
    field: Field
    message: str
    remedy: str = ""
    severity: Severity = "error"
    at_key: bool = False


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, ignoring case, `_` and `-`; None when nothing is like it."""
    plain = {_plain(name): name for name in known}
    found = wording.nearest(_plain(word), plain)
    return plain[found] if found is not None else None


def _plain(word: str) -> str:
    return word.replace("_", "").replace("-", "")


def meant(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A remedy that names the nearest known word, or else `otherwise`."""
    found = nearest(word, known)
    return f"did you mean {found}?" if found is not None else otherwise


def listed(words: Iterable[str]) -> str:
    """Words as a person lists them: 'a, b and c'."""
    several = list(words)
    return f"{', '.join(several[:-1])} and {several[-1]}" if len(several) > 1 else "".join(several)
