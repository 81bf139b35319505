"""What does a person declare about who is told of what?

The shape of `kind: Alert`. Which facts there are and how they are told is asked in `reconciler.notify`.
"""

from string import Template as Pattern
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from reconciler.model.app import SOURCE_PATTERN
from reconciler.model.deployment import Cause
from reconciler.model.metadata import API_VERSION, ApiVersion, Metadata
from reconciler.model.season import Apps
from reconciler.model.shape import Duration, Labels, Name, Prose, Text, refusal, shape

EventName = Literal[
    "started",
    "completed",
    "failed",
    "aborted",
    "rolled-back",
    "held",
    "waiting-for-approval",
    "refused",
    "drifted",
    "manifest-broken",
    "head-held",
    "freeze-began",
    "change-ahead",
]
Format = Literal["text", "markdown", "cdevents"]

OF_DEPLOYMENTS: frozenset[str] = frozenset({"started", "completed", "failed", "aborted", "rolled-back"})
"""Events that have a cause."""
AS_CDEVENTS: frozenset[str] = OF_DEPLOYMENTS
"""Events that CDEvents has a word for."""
FIELDS = (
    "event",
    "title",
    "message",
    "app",
    "environment",
    "version",
    "number",
    "deployment",
    "cause",
    "reason",
    "actor",
    "commit",
    "at",
    "next",
    "alert",
)
"""What a template may name; nothing else is looked up."""


@shape
class MessageTemplate:
    """How a notice is worded; `$app` and the like stand for what it is about, `$$` for a dollar sign."""

    title: Text | None = None
    """In place of the built-in title."""
    body: Prose | None = None
    """In place of the built-in text."""


@shape
class AlertSpec:
    """Who is told of which events."""

    to: Annotated[str, Field(strict=True, pattern=SOURCE_PATTERN)]
    """Where the address is found, such as `env:TEAM_CHAT`: one of Apprise's, or for `cdevents` an http address."""
    events: Annotated[tuple[EventName, ...], Field(min_length=1)]
    """What is told."""
    apps: Apps | None = None
    """Names, or the labels that an app must carry; all apps when left out."""
    environments: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    """Where; everywhere when left out."""
    causes: Annotated[tuple[Cause, ...], Field(min_length=1)] | None = None
    """Of deployments, only those with such a cause; other events are told all the same."""
    ahead: Duration | None = None
    """How long before a scheduled change `change-ahead` is told."""
    template: MessageTemplate | None = None
    """Other words than the built-in ones."""
    format: Format = "text"
    """`cdevents` sends each event as a CloudEvent of the CDEvents vocabulary."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if ("change-ahead" in self.events) != (self.ahead is not None):
            if self.ahead is None:
                raise refusal("change-ahead needs ahead", "say how long before, such as ahead: 24h", "events")
            raise refusal("ahead is about change-ahead alone", "add change-ahead to events, or remove ahead", "ahead")
        if self.ahead is not None and not self.ahead:
            raise refusal("ahead is no time at all", "write it like 24h", "ahead")
        if self.format == "cdevents":
            silent = [event for event in self.events if event not in AS_CDEVENTS]
            if silent:
                known = ", ".join(event for event in EVENTS if event in AS_CDEVENTS)
                raise refusal(f"CDEvents has no word for {', '.join(silent)}", f"it has for {known}", "events")
            if self.template is not None:
                raise refusal("cdevents are data, which no template words", "remove template", "template")
        return self


EVENTS: tuple[EventName, ...] = EventName.__args__  # type: ignore[attr-defined]
"""Every event, in the order in which the reference has them."""


@shape
class Alert:
    """Somebody who is told of events."""

    apiVersion: ApiVersion = API_VERSION  # noqa: N815 - the field's name in the YAML
    kind: Literal["Alert"] = "Alert"
    metadata: Metadata
    spec: AlertSpec

    @property
    def name(self) -> str:
        """The alert's name."""
        return self.metadata.name

    def concerns(self, event: str, app: str, labels: Labels, environment: str, cause: str) -> bool:
        """Whether it tells of this; app, environment and cause are '' for what is about none in particular.

        What is about no app passes an alert for some apps only where it is about their environment or about everything.
        """
        spec = self.spec
        if event not in spec.events:
            return False
        if spec.environments is not None and environment and environment not in spec.environments:
            return False
        if spec.causes is not None and cause and cause not in spec.causes:
            return False
        if spec.apps is None or not app:
            return True
        if isinstance(spec.apps, dict):
            return all(labels.get(key) == value for key, value in spec.apps.items())
        return app in spec.apps


def unknown_fields(text: str) -> list[str]:
    """What a template names that no notice has. Raises ValueError where a `$` names nothing."""
    pattern = Pattern(text)
    if not pattern.is_valid():
        raise ValueError(text)
    return [name for name in pattern.get_identifiers() if name not in FIELDS]
