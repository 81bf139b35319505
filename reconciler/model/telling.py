"""How do alerts and what was sent look from outside: in `-o json` and over HTTP?

Addresses are nowhere in it, only where they are found.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

from pydantic import Field, TypeAdapter

from reconciler.model.alert import Alert
from reconciler.model.shape import Instant, Labels, shape

MessageStatus = Literal["waiting", "sending", "sent", "failed", "dropped"]
MESSAGE_STATUSES: tuple[MessageStatus, ...] = get_args(MessageStatus)


@shape
class AlertShown:
    """Who is told of what, and how many messages there are by status."""

    name: str
    to: str
    """Where the address is found."""
    events: tuple[str, ...]
    apps: tuple[str, ...] | Labels | None = None
    environments: tuple[str, ...] | None = None
    causes: tuple[str, ...] | None = None
    format: str
    messages: dict[str, int] = Field(default_factory=dict)


@shape
class Delivery:
    """One attempt."""

    attempt: int
    at: Instant
    ended_at: Instant | None = None
    outcome: str
    """sending, sent, failed, or unknown where the answer was lost."""
    detail: str = ""


@shape
class MessageShown:
    """Something that was or is to be sent."""

    id: str
    """Goes along with each attempt."""
    channel: str
    """alert, forge or notes."""
    alert: str
    title: str
    body: str = ""
    notices: int
    status: MessageStatus
    made_at: Instant
    next_at: Instant | None = None
    """When it is tried next, while it waits."""
    ended_at: Instant | None = None
    error: str | None = None
    deliveries: tuple[Delivery, ...] = ()


@shape
class NoticeShown:
    """One fact for one alert."""

    at: Instant
    event: str
    app: str
    environment: str
    title: str


@shape
class MessageTold(MessageShown):
    """Something that was or is to be sent, with every notice that it carries."""

    carries: tuple[NoticeShown, ...]


_ALERT, _MESSAGE, _NOTICE = TypeAdapter(AlertShown), TypeAdapter(MessageShown), TypeAdapter(NoticeShown)


def alert_shown(alert: Alert, messages: Mapping[str, int]) -> AlertShown:
    """An alert as it is listed."""
    spec = alert.spec
    return AlertShown(
        name=alert.name,
        to=spec.to,
        events=spec.events,
        apps=spec.apps,
        environments=spec.environments,
        causes=spec.causes,
        format=spec.format,
        messages=dict(messages),
    )


def message_shown(row: Any, tries: Sequence[Any]) -> MessageShown:
    """A message as it is listed, from its row and those of its attempts."""
    return MessageShown(
        id=row.id,
        channel=row.channel,
        alert=row.alert,
        title=row.content.get("title", ""),
        body=row.content.get("body", ""),
        notices=row.notices,
        status=row.status,
        made_at=row.made_at,
        next_at=row.next_at if row.status == "waiting" else None,
        ended_at=row.ended_at,
        error=row.error,
        deliveries=tuple(
            Delivery(attempt=one.attempt, at=one.at, ended_at=one.ended_at, outcome=one.outcome, detail=one.detail)
            for one in tries
        ),
    )


def alert_json(alert: AlertShown) -> Any:
    """An alert as JSON."""
    return _ALERT.dump_python(alert, mode="json")


def message_json(message: MessageShown, carries: Iterable[NoticeShown] | None = None) -> Any:
    """A message as JSON; with the notices that it carries where they are given."""
    told = _MESSAGE.dump_python(message, mode="json")
    if carries is None:
        return told
    return told | {"carries": [_NOTICE.dump_python(one, mode="json") for one in carries]}


def notice_shown(row: Any) -> NoticeShown:
    """A notice as it is listed, from its row."""
    said = row.said
    what = said.get("title") or said.get("message") or said.get("reason") or ""
    return NoticeShown(at=row.at, event=row.event, app=row.app, environment=row.environment, title=what)
