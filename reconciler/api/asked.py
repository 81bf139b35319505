"""What does a request ask for: which filters, which page, which moment?

Parameters that several paths share, declared once. A parameter that nobody knows is refused, since whoever wrote it
believes that it does something.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Path, Query, Request
from pydantic import BeforeValidator, WithJsonSchema

from reconciler import schedule
from reconciler.api.problems import Refused
from reconciler.errors import ScheduleError, WrongUse
from reconciler.model.shape import refusal
from reconciler.words import instead

LONGEST_QUERY = 8 << 10
"""Bytes."""
REPEATABLE = frozenset({"label"})
PLAIN = r"^[^\x00-\x1f\x7f]+$"
"""What has no control characters in it, of which databases know some not."""
REFERENCES = "A name, `v12`, a digest or `commit:SHA`."
"""How a version is named."""
_EXAMPLES = f"{schedule.WITH_OFFSET}, or as a length of time such as 2h or 7d"
_MOMENT = {
    "anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "string", "pattern": r"^([0-9]{1,4}d)?([0-9]{1,4}h)?([0-9]{1,4}m)?([0-9]{1,4}s)?$", "minLength": 2},
    ]
}


async def only_known(request: Request) -> None:
    """Refuse parameters that a path does not have, and those that stand twice. Raises Refused."""
    if len(request.scope["query_string"]) > LONGEST_QUERY:
        raise Refused(
            HTTPStatus.REQUEST_URI_TOO_LONG,
            f"the query is longer than {LONGEST_QUERY} bytes",
            "ask for less at once",
            details={"limit": LONGEST_QUERY},
        )
    if not request.scope["query_string"]:
        return
    known = _described(request)
    seen: set[str] = set()
    for name, _value in request.query_params.multi_items():
        if name not in known:
            there = instead(name, known) if known else "leave it out: there are none here"
            raise _wrong(name, "there is no such parameter", there)
        if name in seen and name not in REPEATABLE:
            raise _wrong(name, "it stands twice", "give it once")
        seen.add(name)


def _described(request: Request) -> list[str]:
    """The parameters that the path is described with."""
    path = request.app.openapi()["paths"][request.scope["route"].path_format]
    described = path["head" if request.method == "HEAD" and "head" in path else "get"].get("parameters", ())
    return [one["name"] for one in described if one["in"] == "query"]


def _wrong(name: str, message: str, next_step: str) -> Refused:
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"query.{name[:100]}: {message}", next_step)


def looks_like_a_length(text: str) -> bool:
    """Whether a length of time is meant, and no moment."""
    return text[:1].isdigit() and text[-1:] in "dhms" and "-" not in text


def _moment(value: object) -> datetime | timedelta:
    if isinstance(value, datetime | timedelta):
        return value
    text = str(value)
    try:
        if looks_like_a_length(text):
            return schedule.duration(text)
        found = schedule.wall(text, _EXAMPLES)
    except ScheduleError as error:
        # A plus sign that was not escaped has become a space.
        plus = " (a + in an address is written %2B)" if " " in text else ""
        raise refusal(f"{error.message}; {error.next_step}{plus}") from None
    if found.tzinfo is None:
        raise refusal("it does not say where the clock hangs; add an offset, such as Z")
    return schedule.utc(text)


Moment = Annotated[Any, BeforeValidator(_moment), WithJsonSchema(_MOMENT)]
"""An instant with an offset, or a length of time; `past` and `ahead` make an instant of it."""


def past(value: datetime | timedelta | None, now: datetime) -> datetime | None:
    """The moment that is meant, a length of time ago. Raises WrongUse."""
    return _told(value, now, -1)


def ahead(value: datetime | timedelta | None, now: datetime) -> datetime | None:
    """The moment that is meant, a length of time from now. Raises WrongUse."""
    return _told(value, now, 1)


def moment_to_come(value: datetime | timedelta, now: datetime) -> datetime:
    """As `ahead`, of a field that must be there. Raises WrongUse."""
    return ahead(value, now) or now


def _told(value: datetime | timedelta | None, now: datetime, way: int) -> datetime | None:
    if not isinstance(value, timedelta):
        return value
    try:
        return now + way * value
    except OverflowError:
        raise WrongUse(f"{schedule.spell(value)} from now is no date", "give a shorter time") from None


def word(said: str, longest: int = 200) -> Any:
    """A text in the query that is one line; `said` describes it."""
    return Query(min_length=1, max_length=longest, pattern=PLAIN, description=said)


AppName = Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN, description="An app's name.")]
EnvironmentName = Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN, description="Its name.")]
Reference = Annotated[
    str,
    Path(min_length=1, max_length=200, pattern=PLAIN, description=REFERENCES),
]
OfApp = Annotated[str | None, word("Of this app.")]
InEnvironment = Annotated[str | None, word("In this environment.")]
Cursor = Annotated[str | None, word("Where the page begins: as the `Link` header of the page before says.", 600)]
Since = Annotated[
    Moment | None, Query(description="From this moment on: RFC 3339 with an offset, or a length of time ago as `7d`.")
]
Until = Annotated[
    Moment | None, Query(description="Before this moment: RFC 3339 with an offset, or a length of time ago as `7d`.")
]
At = Annotated[
    Moment | None, Query(description="At this moment: RFC 3339 with an offset, or a length of time from now as `2h`.")
]
UpTo = Annotated[
    Moment | None, Query(description="Up to this moment: RFC 3339 with an offset, or a length from now as `90d`.")
]
Limit = Annotated[int, Query(ge=1, le=1_000, description="How many at most.")]
