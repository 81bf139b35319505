"""What does a check find, before anybody knows in which line it stands?

Checks work on values; `parse` and whoever reads manifests later turn what they find into complaints with a place.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.manifest.complaints import Severity
from reconciler.manifest.walk import Field


def may_be_secret(field: Field) -> bool:
    """Whether a reference to a secret belongs there: a person may have pasted the value itself."""
    return "secrets" in field or field[:2] == ("spec", "to")


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
