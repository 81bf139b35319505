"""What does somebody tell about a deployment that was made elsewhere?

The event as a CI system reports it, and the words that such systems have for the five states. What an event means, next
to what was told before, is decided in `planner/reporting`.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from reconciler.model.deployment import Status
from reconciler.model.shape import Told, refusal, shape
from reconciler.words import nearest, quoted

Kind = Literal["release", "promotion", "hotfix", "rollback"]
ALIASES: dict[Status, tuple[str, ...]] = {
    "pending": ("queued", "scheduled", "waiting"),
    "started": ("in_progress", "running", "deploying"),
    "completed": ("success", "succeeded", "complete", "finished", "deployed"),
    "failed": ("failure", "error", "errored", "timed_out"),
    "aborted": ("cancelled", "canceled", "skipped", "stopped"),
}
"""What other systems call each of the states; in any case, with `-`, `_` or a space between words."""
STATES: dict[str, Status] = {word: status for status, words in ALIASES.items() for word in (status, *words)}
LONGEST_NAME = 200
LARGEST_METADATA = 16 << 10
"""Bytes of JSON."""
DEEPEST_METADATA = 10
_LARGEST_NUMBER = 2**63


def _status(value: object) -> Status:
    if not isinstance(value, str):
        raise refusal("a status is a text", "write pending, started, completed, failed or aborted")
    word = value.strip().lower().replace("-", "_").replace(" ", "_")
    if word not in STATES:
        found = nearest(word, STATES)
        known = "write pending, started, completed, failed or aborted"
        raise refusal(f"{quoted(value)} is no status", f"did you mean {found}?" if found else known)
    return STATES[word]


def _line(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise refusal(f"{quoted(value)} is not one plain line", "leave out control characters, and spaces at its ends")
    return value


def _name(value: str) -> str:
    if value.startswith(".") or "/" in value or "\\" in value:
        remedy = "write the name alone, such as shop in place of team/shop, and what it belongs to into extra_metadata"
        raise refusal(f"{quoted(value)} is no name: it begins with a dot, or has a stroke in it", remedy)
    return value


def _text(value: str) -> str:
    if not _storable(value):
        raise refusal("it has characters that cannot be kept", "leave out NUL and halves of characters")
    return value


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    for depth, one in _walk(value, 1):
        if depth > DEEPEST_METADATA:
            raise refusal(f"it lies more than {DEEPEST_METADATA} levels deep", "send less of it")
        if isinstance(one, str) and not _storable(one):
            raise refusal("a text in it cannot be kept", "leave out NUL and halves of characters")
        if isinstance(one, int | float) and not -_LARGEST_NUMBER <= one < _LARGEST_NUMBER:
            raise refusal("a number in it is none that can be kept", "send it as a text")
    if len(json.dumps(value, ensure_ascii=False).encode()) > LARGEST_METADATA:
        raise refusal(f"it is larger than {LARGEST_METADATA} bytes", "send what people will look at, and link the rest")
    return value


def _walk(value: object, depth: int) -> Iterator[tuple[int, object]]:
    """Every value in it with its depth, no further than one level too deep."""
    yield depth, value
    if depth > DEEPEST_METADATA:
        return
    if isinstance(value, dict):
        for key, below in value.items():
            yield depth, key
            yield from _walk(below, depth + 1)
    elif isinstance(value, list):
        for below in value:
            yield from _walk(below, depth + 1)


def _or_none(value: object) -> object:
    """As the other fields that may be left out, it may be null."""
    return {} if value is None else value


_STATUS_SCHEMA = {"type": "string", "examples": ["pending", "started", "success", "completed", "failed", "aborted"]}
Line = Annotated[str, Field(strict=True, max_length=LONGEST_NAME), AfterValidator(_line)]
Called = Annotated[str, Field(strict=True, min_length=1, max_length=LONGEST_NAME), AfterValidator(_line)]
Place = Annotated[Called, AfterValidator(_name)]
"""A name that stands in addresses of pages and of the API: no part of a path."""
Link = Annotated[str, Field(strict=True, max_length=2_000), AfterValidator(_line)]
Message = Annotated[str, Field(strict=True, max_length=2_000), AfterValidator(_text)]


@shape
class DeploymentEvent:
    """What happened to a deployment elsewhere. Product and environment need not be declared in git."""

    product_name: Place
    version: Called
    """As whoever deploys it calls it."""
    environment_name: Place
    status: Annotated[Status, BeforeValidator(_status), WithJsonSchema(_STATUS_SCHEMA)]
    """One of the five states, or what other systems call them, such as `in_progress` or `success`."""
    deployed_by: Line | None = None
    """Who deploys; whoever's token it is when left out."""
    scm_branch: Line | None = None
    scm_sha: Line | None = None
    build_url: Link | None = None
    extra_metadata: Annotated[dict[str, Any], BeforeValidator(_or_none), AfterValidator(_metadata)] = Field(
        default_factory=dict
    )
    """Anything else, at most 16 KiB of JSON."""
    occurred_at: Told | None = None
    """When it happened; when it is told, where that is left out."""
    message: Message = ""
    """Such as why it failed."""
    kind: Kind = "release"
    """What freezes and gates ask: a rollback goes to what completed there before."""
    override: Message = ""
    """Why a refused start happens all the same; needs the scope operate, and is recorded."""


METADATA = ("deployed_by", "scm_branch", "scm_sha", "build_url")
"""What an event may say besides, field by field."""
