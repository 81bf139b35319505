"""What may stand where a setting is, and what is said of anything else?

The types of single values. Which settings there are is said in `shapes`, where they come from in `reading`.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from reconciler import schedule
from reconciler.errors import ScheduleError
from reconciler.model.shape import refusal
from reconciler.words import quoted


def shown(value: object) -> str:
    match value:
        case str():
            return quoted(value)
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case None:
            return "an empty value"
        case _:
            return "a list" if isinstance(value, list | tuple) else "a mapping"


def taking(what: str) -> WrapValidator:
    """Says what a setting takes, whatever it was that did not fit."""

    def read(value: object, inner: ValidatorFunctionWrapHandler) -> object:
        try:
            return inner(value)
        except ValidationError:
            raise refusal(f"{shown(value)} cannot stand here", f"write {what}") from None

    return WrapValidator(read)


def unseen(what: str) -> WrapValidator:
    """Says what to write in place of a value that cannot be read, without repeating it: it may be a secret."""

    def read(value: object, inner: ValidatorFunctionWrapHandler) -> object:
        try:
            return inner(value)
        except ValidationError:
            raise refusal("this cannot stand here", f"write {what}") from None

    return WrapValidator(read)


def duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        said = "has no unit" if isinstance(value, int | float) and not isinstance(value, bool) else "cannot stand here"
        raise refusal(f"{shown(value)} {said}", "write a number and a unit: 90s, 15m, 2h, 7d or 1h30m")
    try:
        length = schedule.duration(value)
    except ScheduleError as error:
        raise refusal(error.message, error.next_step) from None
    if not length:
        raise refusal(f"{quoted(value)} is no time at all", "write 1s or more")
    return length


def group(value: object) -> object:
    """A key with nothing below it sets nothing. What stands there instead may be an address with a password."""
    if value is None:
        return {}
    if isinstance(value, str | int | float | list):
        raise refusal("it has settings of its own, and no value", "write them below it, indented")
    return value


_STORE = "write sqlite:/// and the path of a file, such as sqlite:///state/reconciler.db, or a postgresql:// address"


def lasting(url: str) -> str:
    """A store outlasts the process, or everything would be deployed anew with each start."""
    sqlite = re.fullmatch(r"sqlite(?:\+\w+)?:(?P<slashes>/*)(?P<file>[^?]*)(?P<options>\?.*)?", url, re.DOTALL)
    if sqlite is None:
        return url
    if sqlite["options"] is not None:
        raise refusal("the address of a SQLite file takes no options: nothing may stand behind a '?'", _STORE)
    if (not sqlite["file"] and len(sqlite["slashes"]) <= 3) or sqlite["file"] == ":memory:":
        raise refusal("a store in memory would be gone with the process", _STORE)
    if len(sqlite["slashes"]) < 3 or sqlite["file"].startswith("file:"):
        raise refusal("this does not name the file of a store", _STORE)
    return url


Length = Annotated[timedelta, BeforeValidator(duration)]
Word = Annotated[str, Field(strict=True, min_length=1), taking("a text that is not empty, in quotes if need be")]
Switch = Annotated[bool, taking("true or false")]
WORKERS, HISTORY, _MANY = 256, 1_000_000, 10_000_000
_PREFIX = r"^[A-Za-z0-9_][A-Za-z0-9_-]*(/[A-Za-z0-9_][A-Za-z0-9_-]*)*/?$"
_IDENTITY = r"^[^<>[:cntrl:]]*[[:alnum:]][^<>[:cntrl:]]*<[^<>[:space:][:cntrl:]]+@[^<>[:space:][:cntrl:]]+>$"


def _no_reference(prefix: str) -> str:
    if f"{prefix}/".startswith("refs/"):
        raise ValueError
    return prefix


Prefix = Annotated[
    str,
    Field(strict=True, pattern=_PREFIX, max_length=60),
    AfterValidator(_no_reference),
    taking("how the name of a branch may begin, such as reconciler/"),
]
Identity = Annotated[
    str, Field(strict=True, pattern=_IDENTITY, max_length=200), taking('"Name <name@example.org>", in quotes')
]
KeyFile = Annotated[str | None, Field(strict=True, min_length=1), taking("the path of a file with keys")]


def several(value: object) -> object:
    """A list, or what a variable can hold: names with commas between them."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _zone(name: str) -> str:
    try:
        schedule.zone(name)
    except ScheduleError as error:
        raise refusal(error.message, error.next_step) from None
    return name


Reading = Literal["auto", "anyone", "token"]
Zone = Annotated[Word, AfterValidator(_zone)]
Count = Annotated[int, Field(ge=1, le=_MANY), taking(f"a whole number from 1 to {_MANY:,}")]
HTTP = r"^(https?://[^\s@]+)?$"
FORGED = r"^([A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+)?$"
SOURCE = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"
Secrets = Annotated[
    tuple[Annotated[str, Field(strict=True, max_length=1_000, pattern=SOURCE)], ...],
    Field(max_length=2),
    BeforeValidator(several),
    unseen("env:NAME or file:PATH, at most two of them in a list: the second is for a change of the first"),
]
ISSUER = r"^(https://[^\s?#@]+|http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?(/[^\s?#]*)?)?$"
"""Plain HTTP goes no further than this machine: who answers there says who people are."""
GROUP_SCOPES = "groups, each with a list of read, report, approve and operate"
GROUP_ROLES = "groups, each with a list of roles"


def mapping(value: object) -> object:
    """A mapping, or what a variable can hold: the same as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
