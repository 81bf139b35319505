"""Is what a target is told right, and if not, what is wrong with it?

A target declares its settings as a shape (see `reconciler.model.shape`); this reads them and words the
complaints. Which settings a target has is its own affair.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from reconciler.errors import PersonNeeded
from reconciler.words import instead

T = TypeVar("T")
_UNKNOWN = "unexpected_keyword_argument"


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
        return None, list(_complaints(declared, dict(settings), wrong.errors(include_url=False)))


def _complaints(declared: type[Any], settings: dict[str, Any], errors: list[ErrorDetails]) -> Iterator[str]:
    """Every complaint, in the words that manifests' own fields have, beginning with the key or the entry of it."""
    from reconciler.manifest import sentences  # only complaints need it

    known = [known.name for known in dataclasses.fields(declared)]
    others = []
    for error in errors:
        if error["type"] == _UNKNOWN and len(error["loc"]) == 1:
            key = str(error["loc"][0])[:100]
            yield f"{key} is unknown: {instead(key, known)}"
        else:
            others.append(error)
    for one in sentences.problems("", "", settings, others, lambda _field: None):
        key = next((step for step in reversed(one.field) if isinstance(step, str)), "")[:60]
        named = not key or re.search(rf"(?:^|^the key |^entry \d+ of ){re.escape(key)}\b", one.message)
        place = "" if named else f"{'.'.join(str(step) for step in one.field)[:100]}: "
        yield f"{place}{one.message}" + (f" ({one.remedy})" if one.remedy else "")
