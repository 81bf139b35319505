"""Is what a target is told right, and if not, what is wrong with it?

A target declares its settings as a shape (see `reconciler.model.shape`); this reads them and words the
complaints. Which settings a target has is its own affair.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from reconciler.errors import PersonNeeded
from reconciler.words import instead

T = TypeVar("T")


def read(declared: type[T], settings: Mapping[str, Any], target: str) -> T:
    """The settings as a value of the shape `declared`. Raises PersonNeeded with every complaint at once."""
    value, complaints = _read(declared, settings)
    if value is None:
        raise PersonNeeded(
            f"the settings of the target {target} are wrong: {'; '.join(complaints)}",
            "correct spec.target of the Environment",
        )
    return value


def check(declared: type[T], settings: Mapping[str, Any]) -> list[str]:
    """What is wrong with the settings, one sentence each; empty when nothing is."""
    return _read(declared, settings)[1]


def _read(declared: type[T], settings: Mapping[str, Any]) -> tuple[T | None, list[str]]:
    try:
        return TypeAdapter(declared).validate_python(dict(settings)), []
    except ValidationError as wrong:
        return None, [_complaint(declared, error) for error in wrong.errors(include_url=False)]


def _complaint(declared: type[Any], error: ErrorDetails) -> str:
    place = ".".join(str(part) for part in error["loc"])[:100]
    if error["type"] == "unexpected_keyword_argument":
        known = [known.name for known in dataclasses.fields(declared)]
        return f"{place} is unknown: {instead(place, known)}"
    if error["type"] == "missing":
        return f"{place} is missing"
    message, remedy = error["msg"], error.get("ctx", {}).get("remedy", "")
    return f"{place}: {message[:1].lower()}{message[1:]}" + (f" ({remedy})" if remedy else "")
