"""Is this document a manifest, and what is wrong with it as one?

Shape first, then meaning, then what is not yet carried out. A document whose shape is wrong somewhere is judged a
second time without those parts, so that one mistake does not hide the next. Places in the file are not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from itertools import islice, takewhile
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reconciler.manifest import checks
from reconciler.manifest.kinds import KINDS, Manifest, decode
from reconciler.manifest.problems import Problem, may_be_secret
from reconciler.manifest.sentences import Raw, problems
from reconciler.manifest.walk import Document, Field, Odd
from reconciler.model.metadata import API_VERSION
from reconciler.words import listed, meant, nearest

_ROUNDS = 6
_MOST_ERRORS = 150
_TIMES = ("at", "cron", "duration", "from", "repeat", "timezone", "until")
# Below these keys any JSON may stand.
_FREE = frozenset(("config", "target"))
# The only key that takes a word which is a truth value elsewhere: `mode: off`.
_TAKES_A_WORD = "mode"


def judge(document: Document, path: str, raw: Raw) -> tuple[Manifest | None, list[Problem]]:
    """The manifest that a document of the file `path` declares, if it has the shape of one, and every problem.

    The document must be a mapping whose `apiVersion` is a text.
    """
    value = document.value
    kind, name = named(value)
    if value["apiVersion"] != API_VERSION:
        message = f"the apiVersion {value['apiVersion'][:60]} is not known here"
        return None, [Problem(kind, name, ("apiVersion",), message, f"write apiVersion: {API_VERSION}")]
    if kind not in KINDS:
        return None, [_no_kind(value, name)]
    manifest, found = _shaped(kind, value)
    shape: list[Problem] = []
    sound = manifest if manifest is not None else _without_mistakes(kind, name, value, found, raw, shape)
    wrong = {problem.field for problem in shape}
    meaning = [problem for problem in odd(kind, name, document.odd) if problem.field not in wrong]
    if sound is not None:
        unsure = _unsure(shape)
        sure = (problem for problem in checks.check(sound, path) if not _within(problem.field, unsure))
        meaning += islice(sure, _MOST_ERRORS)
    return manifest, [*shape, *meaning]


def _shaped(kind: str, value: Any) -> tuple[Manifest | None, list[ErrorDetails]]:
    try:
        return decode(kind, value), []
    except ValidationError as error:
        return None, error.errors(include_url=False)[:_MOST_ERRORS]


def _without_mistakes(
    kind: str, name: str, value: Any, errors: list[ErrorDetails], raw: Raw, noted: list[Problem]
) -> Manifest | None:
    """The manifest that is left without its wrong parts, if one is left; what is wrong is noted on the way."""
    rest = deepcopy(value)
    removed: list[Field] = []
    for _ in range(_ROUNDS):
        found = problems(kind, name, rest, errors, raw)
        unsure = _unsure(noted)
        noted += [one for one in found if not _follows(one, removed, unsure)]
        gone = [_keys(problem.field) for problem in found]
        if () in gone:
            return None
        removed += gone
        for field in gone:
            _remove(rest, field)
        sound, errors = _shaped(kind, rest)
        if sound is not None:
            return sound
    return None


def _follows(problem: Problem, removed: list[Field], unsure: set[Field]) -> bool:
    """Whether a problem may only be there because something was taken out of the mapping it is about."""
    field = problem.field
    emptied = any(gone[: len(field)] == field for gone in removed)
    return emptied or (field[:-1] in unsure and field[-1] in _TIMES)


def _remove(value: Any, field: Field) -> None:
    for key in field[:-1]:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, dict):
        value.pop(str(field[-1]), None)


def _keys(field: Field) -> Field:
    """The field up to the first list in it: the list's other entries would change their positions."""
    return tuple(takewhile(lambda step: isinstance(step, str), field))


def named(document: dict[str, Any]) -> tuple[str, str]:
    """Kind and name as far as a document says them, '' for what it does not say."""
    kind, metadata = document.get("kind"), document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return kind if isinstance(kind, str) else "", name if isinstance(name, str) else ""


def odd(kind: str, name: str, found: Iterable[Odd]) -> Iterator[Problem]:
    """What to say of scalars without quotes that are text here and something else to other readers of YAML."""
    for field, text, seen_as in found:
        free = not _FREE.isdisjoint(field)
        if (free and seen_as == "a date") or field[-1:] == (_TAKES_A_WORD,):
            continue
        shown, remedy = (repr(text), f'quote it: "{text}"') if not may_be_secret(field) else ("this", "quote it")
        message = f"{shown} stands without quotes and is {seen_as} to many readers of YAML"
        if seen_as == "an octal number":
            remedy = f'write {int(text)}, or quote it: "{text}"'
        yield Problem(kind, name, field, message, remedy, "warning" if free else "error")


def _no_kind(document: dict[str, Any], name: str) -> Problem:
    known = f"there are {listed(sorted(KINDS))}"
    if document.get("kind") is None:
        return Problem("", name, ("kind",), "kind is missing", known)
    kind = document["kind"]
    if not isinstance(kind, str):
        return Problem("", name, ("kind",), "kind takes a text", known)
    return Problem(kind, name, ("kind",), f"the kind {kind[:60]} is not known here", meant(kind, KINDS, known))


def _unsure(found: Iterable[Problem]) -> set[Field]:
    """Mappings of whose times a part was wrong: what seems to follow for the others need not be so."""
    times = (problem.field for problem in found if problem.field and nearest(str(problem.field[-1]), _TIMES))
    return {field[:-1] for field in times}


def _within(field: Field, mappings: set[Field]) -> bool:
    return any(field[:length] in mappings for length in range(len(field)))
