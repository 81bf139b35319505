"""How is what pydantic found said to somebody who runs things, not to somebody who wrote the code?

One table from kinds of error to sentences, with the names that stand in the YAML. Of the branches of a union only
the one that was meant is kept. Values of secrets are never quoted: a person may have pasted one where its
reference belongs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import ErrorDetails

from reconciler.manifest.problems import Problem, may_be_secret
from reconciler.manifest.schemas import keys_at
from reconciler.manifest.walk import Field
from reconciler.model.app import SOURCE_PATTERN, VARIABLE_PATTERN, VERSION_PATTERN
from reconciler.model.references import REFERENCE_PATTERN
from reconciler.model.shape import LINE_PATTERN, NAME_PATTERN, PROSE_PATTERN
from reconciler.words import instead, listed, meant

Raw = Callable[[Field], str | None]
"""The text of a scalar as it is written in the file."""

_SHOWN = 60
_UNKNOWN = "unexpected_keyword_argument"
_TYPES = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "dataclass_type": "a mapping",
}
_PATTERNS = {
    NAME_PATTERN: ("is no name", "use letters, digits, '.', '_' and '-', beginning with a letter or a digit"),
    VERSION_PATTERN: ("is no name of a version", "use letters, digits, '.', '_', '+' and '-', such as 1.4.0"),
    REFERENCE_PATTERN: ("refers to no version", "write a name 1.4.0, a number v12, a digest or commit:<sha>"),
    VARIABLE_PATTERN: ("is no name of a variable", "use letters, digits and '_', such as API_KEY"),
    SOURCE_PATTERN: ("does not say where the secret is found", "write env:NAME or file:PATH, never the value"),
    LINE_PATTERN: ("holds a line break or another control character", "write it in one line"),
    PROSE_PATTERN: ("holds a control character", "remove it"),
}
_WANTED = {
    "apiVersion": "such as apiVersion: reconciler/v1",
    "environments": "say where, such as environments: [sandbox]; nothing runs anywhere by silence",
    "metadata": "such as metadata: {name: booking}",
    "reason": "say why",
    "by": "say who",
}


@dataclass(frozen=True, slots=True)
class _Error:
    """One error at a real field of the document, whatever branches of unions pydantic tried on the way."""

    type: str
    field: Field
    value: Any
    message: str
    context: Mapping[str, Any]
    missing: str = ""
    at_key: bool = False
    union: Field | None = None
    branch: str = ""


def problems(kind: str, name: str, document: Any, errors: Sequence[ErrorDetails], raw: Raw) -> list[Problem]:
    """What pydantic found in a document of `kind`, in its order, as sentences."""
    real = [_real(document, error) for error in errors]
    return [_said(kind, name, error, raw) for error in _meant(real)]


def _real(document: Any, error: ErrorDetails) -> _Error:
    context = error.get("ctx", {})
    path: list[str | int] = []
    value, union, branch, at_key, missing = document, None, "", False, ""
    for step in error["loc"]:
        named = isinstance(value, list) and isinstance(step, str) and step in value
        here = value.index(step) if named else step
        if _has(value, here):
            path.append(here)
            value = value[here]
        elif step == "[key]":
            # A list of names stands for a mapping with these keys.
            at_key = isinstance(path[-1], str)
        elif error["type"] == "missing" and step == error["loc"][-1]:
            missing = str(step)
        elif union is None:
            union, branch = tuple(path), str(step)
    if (inner := context.get("field")) and _has(value, inner):
        path.append(inner)
    return _Error(
        type=error["type"],
        field=tuple(path),
        value=path[-1] if at_key else value,
        message=error["msg"],
        context=context,
        missing=missing,
        at_key=at_key or error["type"] == _UNKNOWN,
        union=union,
        branch=branch,
    )


def _has(value: Any, step: str | int) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value)


def _meant(errors: Iterable[_Error]) -> Iterator[_Error]:
    """The errors without those that only follow from others, and with one branch of each union."""
    wanted = [error for error in errors if not _follows(error)]
    unions: dict[Field, list[_Error]] = {}
    for error in wanted:
        if error.union is not None:
            unions.setdefault(error.union, []).append(error)
    for error in wanted:
        if error.union is None:
            yield error
        elif error.union in unions:
            yield from _one_branch(unions.pop(error.union))


def _follows(error: _Error) -> bool:
    # pydantic leaves wrong entries out and then says that too few are left.
    return error.type == "too_short" and len(error.value) >= error.context.get("min_length", 0)


def _one_branch(errors: list[_Error]) -> list[_Error]:
    fitting = [error.branch for error in errors if error.type not in _TYPES or error.field != error.union]
    if fitting:
        return [error for error in errors if error.branch == fitting[0]]
    expected = " or ".join(dict.fromkeys(_TYPES[error.type] for error in errors))
    first = errors[0]
    return [_Error("union", first.field, first.value, first.message, {"expected": expected})]


def _said(kind: str, name: str, error: _Error, raw: Raw) -> Problem:
    secret = may_be_secret(error.field)
    if error.type in _TYPES or error.type == "union":
        message, remedy = _wrong_type(error, None if secret else raw(error.field))
    elif error.type == _UNKNOWN:
        message, remedy = _unknown(kind, error)
    else:
        message, remedy = _SENTENCES.get(error.type, _otherwise)(error)
    return Problem(kind, name, error.field, message, remedy, at_key=error.at_key)


def _wrong_type(error: _Error, text: str | None) -> tuple[str, str]:
    expected = error.context.get("expected") or _TYPES[error.type]
    if error.value is None:
        return f"{_label(error)} is empty", f"give it {expected}, or leave it out"
    given = "a fraction" if error.type == "int_type" and isinstance(error.value, float) else _name(error.value)
    message = f"{_label(error)} takes {expected}, not {given}"
    if error.field[-1:] == ("environments",):
        return message, _WANTED["environments"]
    scalar = isinstance(error.value, bool | int | float)
    if error.type == "string_type" and scalar:
        return message, f'quote it: "{text[:_SHOWN]}"' if text is not None else "quote it"
    if error.type == "tuple_type" and isinstance(error.value, str) and not may_be_secret(error.field):
        return message, _as_list(error.value)
    return message, "write true or false" if error.type == "bool_type" else ""


def _as_list(text: str) -> str:
    if any(mark in text for mark in "'\"\n"):
        return "write each entry in a line of its own, after '- '"
    return f"write [{(text if ',' in text else ', '.join(text.split()))[:_SHOWN]}]"


def _unknown(kind: str, error: _Error) -> tuple[str, str]:
    key = str(error.field[-1])
    known = keys_at(kind, error.field[:-1])
    return f"the key {key[:_SHOWN]} is not known here", instead(key, known)


def _missing(error: _Error) -> tuple[str, str]:
    return f"{error.missing} is missing", _WANTED.get(error.missing, "add it")


def _pattern(error: _Error) -> tuple[str, str]:
    message, remedy = _PATTERNS.get(error.context["pattern"], ("is not written as it should be", ""))
    return f"{_label(error)} {message}", remedy


def _literal(error: _Error) -> tuple[str, str]:
    allowed = re.findall(r"'([^']*)'", error.context["expected"])
    given = str(error.value)[:_SHOWN] if isinstance(error.value, str) else _name(error.value)
    message = f"{_label(error)} is {listed(allowed).replace(' and ', ' or ')}, not {given}"
    return message, meant(error.value, allowed) if isinstance(error.value, str) else ""


def _few(error: _Error) -> tuple[str, str]:
    least = error.context["min_length"]
    return (f"{_label(error)} is empty", "add one") if least == 1 else (f"{_label(error)} needs {least}", "add more")


def _refused(error: _Error) -> tuple[str, str]:
    return str(error.context["message"]), str(error.context["remedy"])


def _otherwise(error: _Error) -> tuple[str, str]:
    return f"{_label(error)}: {error.message}", ""


_SENTENCES: dict[str, Callable[[_Error], tuple[str, str]]] = {
    "missing": _missing,
    "string_pattern_mismatch": _pattern,
    "literal_error": _literal,
    "too_short": _few,
    "too_long": lambda error: (f"{_label(error)} has more than {error.context['max_length']} entries", "shorten it"),
    "string_too_short": lambda error: (f"{_label(error)} is empty", "fill it in"),
    "string_too_long": lambda error: (
        f"{_label(error)} has more than {error.context['max_length']} characters",
        "shorten it",
    ),
    "greater_than_equal": lambda error: (f"{_label(error)} must be at least {error.context['ge']:g}", ""),
    "less_than_equal": lambda error: (f"{_label(error)} must be at most {error.context['le']:g}", ""),
    "refused": _refused,
}


def _label(error: _Error) -> str:
    """What a field is called in a sentence: its key, or whose entry it is."""
    if not error.field:
        return "the document"
    last = error.field[-1]
    if error.at_key:
        return f"the key {str(last)[:_SHOWN]}"
    if isinstance(last, str):
        return last[:_SHOWN]
    holder = next((step for step in reversed(error.field) if isinstance(step, str)), "the list")
    return f"entry {last + 1} of {holder[:_SHOWN]}"


def _name(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    names = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return names.get(type(value), "this")
