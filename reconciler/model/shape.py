"""How is a shape declared, and which scalar types do all shapes share?

One declaration serves validation, JSON Schema, JSON output and the reference: a frozen, slotted dataclass
checked by pydantic. Scalars are strict (`no`, `1.10` and `010` in YAML are not texts), containers are lax.
What a single kind means does not belong here.
"""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar, cast, dataclass_transform

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.dataclasses import dataclass as checked_dataclass
from pydantic.dataclasses import rebuild_dataclass
from pydantic_core import PydanticCustomError

from reconciler import schedule
from reconciler.errors import ScheduleError

T = TypeVar("T")

# What the fields mean is read from the sources where it is wanted, in `manifest/meanings`: not with every start. And
# what checks a shape is built with its first value: a short command makes values of a few of them.
CONFIG = ConfigDict(extra="forbid", populate_by_name=True, serialize_by_alias=True, defer_build=True)
_DECLARED: list[type[Any]] = []


@dataclass_transform(frozen_default=True, kw_only_default=True)
def shape(cls: type[T]) -> type[T]:
    """Declare a frozen value whose fields are checked when it is made; unknown keys are errors."""
    made = cast(type[T], checked_dataclass(frozen=True, slots=True, kw_only=True, config=CONFIG)(cls))
    _DECLARED.append(made)
    return made


def build() -> None:
    """Build what checks all shapes that are declared by now. For whoever starts threads: two of them that make the
    first value of a shape at the same time could find it half built."""
    while _DECLARED:
        rebuild_dataclass(_DECLARED.pop())


def unchecked(cls: type[T]) -> Callable[..., T]:
    """Makes a value of its fields, all of them, in the order of their declaration, and checks none: for what was
    checked before. A turn makes thousands of them."""
    setters = [cls.__dict__[one.name].__set__ for one in fields(cast(Any, cls))]

    def made(*values: Any) -> T:
        one = cls.__new__(cls)
        for put, value in zip(setters, values, strict=True):
            put(one, value)
        return one

    return made


def refusal(message: str, remedy: str = "", field: str = "") -> PydanticCustomError:
    """What a check of several fields raises: a sentence, what to do instead, and the field to point at."""
    return PydanticCustomError("refused", "{message}", {"message": message, "remedy": remedy, "field": field})


def _length(read: Callable[[str], timedelta], example: str) -> Callable[[object], timedelta]:
    def length(value: object) -> timedelta:
        if isinstance(value, timedelta):
            return value
        if not isinstance(value, str):
            raise refusal("a length of time is a number and a unit", f"write it like {example}")
        try:
            return read(value)
        except ScheduleError as error:
            raise refusal(error.message, error.next_step) from None

    return length


def _instant(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        # A number could be seconds or milliseconds, of whichever epoch.
        raise refusal("a moment is a text", "write it like 2026-12-01T09:00:00Z")
    try:
        return schedule.utc(value)
    except ScheduleError as error:
        raise refusal(error.message, error.next_step) from None


def _near(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise refusal(f"{schedule.rfc3339(moment)} is too far away", f"write a year from {FIRST_YEAR} to {LAST_YEAR}")
    return moment


FIRST_YEAR, LAST_YEAR = 2000, 2200
"""Of moments that people and machines tell of."""


NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
LINE_PATTERN = r"^[^\x00-\x1f\x7f]*$"
PROSE_PATTERN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"

Name = Annotated[str, Field(strict=True, min_length=1, max_length=100, pattern=NAME_PATTERN)]
"""Safe as a path segment and as the value of an environment variable: it never climbs out of a directory."""

Text = Annotated[str, Field(strict=True, max_length=10_000, pattern=LINE_PATTERN)]
"""One line: no line break, tab or other control character."""

Prose = Annotated[str, Field(strict=True, max_length=10_000, pattern=PROSE_PATTERN)]
"""Text that may have several lines."""

Reason = Annotated[Prose, Field(min_length=1)]
"""Who or why: required, so it says something."""

Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Labels = dict[Name, Text]
Config = dict[Text, Any]
"""Settings: JSON values by key. `null` deletes a key of the layer below."""

_PARTS = r"(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?"

Duration = Annotated[
    timedelta,
    BeforeValidator(_length(schedule.duration, "90s, 15m, 2h or 7d")),
    PlainSerializer(schedule.spell, return_type=str),
    WithJsonSchema({"type": "string", "pattern": rf"^{_PARTS}$", "examples": ["90s", "15m", "2h", "7d"]}),
]
"""A length of time such as `90s`, `15m`, `2h`, `7d`."""

Offset = Annotated[
    timedelta,
    BeforeValidator(_length(schedule.offset, "-3d or +1d")),
    PlainSerializer(schedule.spell, return_type=str),
    WithJsonSchema({"type": "string", "pattern": rf"^[+-]?{_PARTS}$", "examples": ["-3d", "+1d"]}),
]
"""A signed length of time, counted from a holiday's midnight."""

Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(schedule.rfc3339, return_type=str, when_used="json-unless-none"),
]
"""A moment, always in UTC; RFC 3339 text in JSON."""

Told = Annotated[Instant, AfterValidator(_near)]
"""A moment that somebody tells of: of the years 2000 to 2200."""
