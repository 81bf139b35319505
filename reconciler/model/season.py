"""What does a person declare that holds only for a time?

The shapes of `kind: Season` (an overlay with its end) and `kind: Freeze` (when nothing is started). When they
hold is asked of `reconciler.schedule` through their `span`.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from reconciler.model.metadata import API_VERSION, ApiVersion, Metadata
from reconciler.model.references import Reference
from reconciler.model.shape import (
    Config,
    Duration,
    Labels,
    Name,
    Offset,
    Reason,
    Text,
    Whole,
    refusal,
    shape,
)
from reconciler.model.traffic import Traffic, at_most_one
from reconciler.schedule import Span


@shape
class HolidayRepeat:
    """Around a holiday: offsets count from its midnight in the season's zone."""

    holiday: Annotated[str, Field(strict=True, max_length=200, examples=["DE/Easter Monday"])]
    """A country's code and the English name of the holiday."""
    start: Annotated[Offset, Field(alias="from")]
    """Where it starts."""
    until: Offset
    """Where it ends; `1d` is the end of the holiday itself."""


Apps = Annotated[tuple[Name, ...], Field(min_length=1)] | Annotated[Labels, Field(min_length=1)]


@shape
class SeasonSpec:
    """An overlay between two instants, once or again and again."""

    apps: Apps
    """Names, or the labels that an app must carry."""
    environments: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Where it holds."""
    start: Annotated[Text | None, Field(alias="from")] = None
    """An instant with an offset, or a wall time with `timezone`."""
    until: Text | None = None
    """From here on it holds no more."""
    timezone: Text | None = None
    """Such as `Europe/Paris`."""
    repeat: Text | HolidayRepeat | None = None
    """`yearly`, an RRULE, or a holiday with offsets."""
    config: Config = Field(default_factory=dict)
    """Settings laid over those of the apps, key by key; `null` deletes a key."""
    version: Reference | None = None
    """What runs instead. At most one of `version` and `traffic`."""
    traffic: Traffic | None = None
    """The split that runs instead."""
    priority: Whole = 0
    """Of two seasons that hold at once, the one with the higher priority is laid over the other."""
    on_freeze: Literal["apply", "wait", "skip"] = "apply"
    """What happens to an edge that falls into a freeze."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        at_most_one(version=self.version, traffic=self.traffic)
        _bounds(self.start, self.until, self.repeat)
        return self

    @property
    def span(self) -> Span:
        """When the season holds."""
        return span(self.start, self.until, self.timezone, self.repeat)


def _bounds(start: str | None, until: str | None, repeat: object) -> None:
    if isinstance(repeat, HolidayRepeat):
        if start is not None or until is not None:
            outside = "until" if start is None else "from"
            raise refusal("around a holiday, from and until stand inside repeat", "move them there", outside)
    elif start is None or until is None:
        missing = "from" if start is None else "until"
        raise refusal(f"{missing} is missing", f"say when it {'starts' if start is None else 'ends'}")


def span(start: str | None, until: str | None, timezone: str | None, repeat: str | HolidayRepeat | None) -> Span:
    """The calendar rule that a season's or a freeze's fields declare."""
    if isinstance(repeat, HolidayRepeat):
        return Span(holiday=repeat.holiday, opens=repeat.start, closes=repeat.until, timezone=timezone)
    return Span(start=start, until=until, timezone=timezone, repeat=repeat)


@shape
class Season:
    """An overlay over what runs, that ends by itself."""

    apiVersion: ApiVersion = API_VERSION  # noqa: N815 - the field's name in the YAML
    kind: Literal["Season"] = "Season"
    metadata: Metadata
    spec: SeasonSpec

    @property
    def name(self) -> str:
        """The season's name."""
        return self.metadata.name

    def covers(self, app: str, labels: Labels) -> bool:
        """Whether the season names this app, or all of its labels are the app's."""
        return _covers(self.spec.apps, app, labels)


def _covers(apps: tuple[str, ...] | Labels, app: str, labels: Labels) -> bool:
    if isinstance(apps, dict):
        return all(labels.get(key) == value for key, value in apps.items())
    return app in apps


def _the_given(value: object, name: str, other: str) -> str:
    return name if value is not None else other


FreezeKind = Literal["release", "promotion", "schedule", "season", "rollback", "restore", "retry", "repair", "hotfix"]


@shape
class FreezeSpec:
    """When nothing is started in the environments, and what passes all the same."""

    environments: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Where nothing is started."""
    apps: Apps | None = None
    """Names, or the labels that an app must carry; all apps when left out."""
    start: Annotated[Text | None, Field(alias="from")] = None
    """An instant with an offset, or a wall time with `timezone`."""
    until: Text | None = None
    """From here on it holds no more."""
    timezone: Text | None = None
    """Such as `Europe/Paris`."""
    repeat: Text | HolidayRepeat | None = None
    """`yearly`, an RRULE, or a holiday with offsets."""
    cron: Text | None = None
    """Five fields: each match starts a freeze of `duration`."""
    duration: Duration | None = None
    """How long each match of `cron` holds."""
    allow: tuple[FreezeKind, ...] = ()
    """Kinds of deployment that pass; a rollback always does."""
    reason: Reason
    """Shown to everybody whose deployment waits."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.cron is None) != (self.duration is None):
            raise refusal(
                "cron and duration go together",
                "give both or neither",
                _the_given(self.cron, "cron", "duration"),
            )
        if self.cron is None:
            _bounds(self.start, self.until, self.repeat)
        elif self.start is not None or self.until is not None or self.repeat is not None:
            raise refusal("cron excludes from, until and repeat", "give cron and duration alone", "cron")
        return self

    @property
    def span(self) -> Span:
        """When the freeze holds."""
        if self.cron is not None:
            return Span(cron=self.cron, duration=self.duration, timezone=self.timezone)
        return span(self.start, self.until, self.timezone, self.repeat)


@shape
class Freeze:
    """A time in which nothing is started."""

    apiVersion: ApiVersion = API_VERSION  # noqa: N815 - the field's name in the YAML
    kind: Literal["Freeze"] = "Freeze"
    metadata: Metadata
    spec: FreezeSpec

    @property
    def name(self) -> str:
        """The freeze's name."""
        return self.metadata.name

    def covers(self, app: str, labels: Labels) -> bool:
        """Whether the freeze concerns this app: all do where it names none."""
        return self.spec.apps is None or _covers(self.spec.apps, app, labels)
