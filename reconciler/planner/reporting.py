"""What does an event about a deployment made elsewhere mean, next to what was told before?

A new deployment, a legal move of one that is known, the same once more, or something late that changes nothing. Whether
a start is allowed is asked in `preflight`; writing it down is `wishes.reporting`'s work.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.model.deployment import ACTIVE, Deployment, Status
from reconciler.model.reporting import METADATA, DeploymentEvent
from reconciler.schedule import rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """A deployment that nobody has told of yet, with the states that it went through."""

    through: tuple[Status, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A known deployment goes on through these states."""

    deployment: Deployment
    through: tuple[Status, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Nothing is recorded: it was told before, or it comes too late. `why` says so, '' for the same event once more."""

    deployment: Deployment
    why: str = ""


Meaning = Begin | Move | Known
_FROM_NOTHING: Mapping[Status, tuple[Status, ...]] = {
    "pending": ("pending",),
    "started": ("started",),
    "completed": ("started", "completed"),
    "failed": ("started", "failed"),
    "aborted": ("pending", "aborted"),
}
"""What a first event tells of: nothing ends that has not begun."""


def meaning(event: DeploymentEvent, last: Deployment | None) -> Meaning:
    """What an event means; `last` is the newest deployment of the same product, version and environment."""
    if last is None:
        return Begin(through=_FROM_NOTHING[event.status])
    if last.status in ACTIVE:
        return _of_open(event, last)
    return _of_ended(event, last)


def _of_open(event: DeploymentEvent, last: Deployment) -> Meaning:
    if event.status == last.status:
        return Known(deployment=last)
    if event.status == "pending":
        return Known(deployment=last, why=_late(event, last, f"it is {last.status} already"))
    if event.status not in ACTIVE and event.occurred_at is not None and event.occurred_at < last.created_at:
        return Known(deployment=last, why=_late(event, last, "it is about an earlier deployment, which has ended"))
    if last.status == "pending" and event.status in ("completed", "failed"):
        return Move(deployment=last, through=("started", event.status))
    return Move(deployment=last, through=(event.status,))


def _of_ended(event: DeploymentEvent, last: Deployment) -> Meaning:
    told_late = event.occurred_at is not None and last.finished_at is not None and event.occurred_at <= last.finished_at
    if event.status in ACTIVE:
        if told_late:
            return Known(deployment=last, why=_late(event, last, f"it has {_ended(last)}"))
        return Begin(through=_FROM_NOTHING[event.status])
    if event.status == last.status and (told_late or says_the_same(event, last)):
        return Known(deployment=last)
    if told_late or says_the_same(event, last):
        return Known(deployment=last, why=_late(event, last, f"it has {_ended(last)}, and nothing began since"))
    return Begin(through=_FROM_NOTHING[event.status])


def _ended(last: Deployment) -> str:
    words = {"completed": "completed", "failed": "failed", "aborted": "been aborted"}
    return f"{words[last.status]}{f' at {rfc3339(last.finished_at)}' if last.finished_at else ''}"


def _late(event: DeploymentEvent, last: Deployment, why: str) -> str:
    return f"{event.status} comes too late for deployment {last.number} and changes nothing: {why}"


def given(event: DeploymentEvent) -> dict[str, Any]:
    """What an event says besides its names and its status; what stands there empty was not said."""
    return {name: value for name in METADATA if (value := getattr(event, name))}


def says_the_same(event: DeploymentEvent, last: Deployment) -> bool:
    """Whether everything that the event says besides is recorded of the deployment already."""
    plain = all(getattr(last, name) == value for name, value in given(event).items())
    missing = object()
    return plain and all(last.extra_metadata.get(key, missing) == value for key, value in event.extra_metadata.items())


def moment(event: DeploymentEvent, now: datetime) -> datetime:
    """When it happened (UTC): as told, and never in the future."""
    return min(event.occurred_at or now, now)
