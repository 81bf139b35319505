"""What does a person declare about one app in one environment?

The base entry and what lies over it by the clock. What of it holds at a moment is asked in `reconciler.desired`.
"""

from typing import Self

from pydantic import Field, model_validator

from reconciler.model.gates import Gates, Rollout
from reconciler.model.references import Reference
from reconciler.model.shape import Config, Name, Reason, Text, refusal, shape
from reconciler.model.traffic import Percent, Traffic, at_most_one


@shape
class Train:
    """When what has completed so far moves on: by a cron of five fields, or once at a moment."""

    cron: Text | None = None
    """Five fields, such as `0 9 * * mon-thu`; needs `timezone`."""
    at: Text | None = None
    """An instant with an offset, or a wall time with `timezone`."""
    timezone: Text | None = None
    """Such as `Europe/Paris`."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        at_most_one(cron=self.cron, at=self.at)
        if self.cron is None and self.at is None:
            raise refusal("it does not say when", "give one of cron and at")
        if self.cron is not None and self.timezone is None:
            raise refusal("a cron needs a timezone", "add it, such as timezone: Europe/Paris", "cron")
        return self


@shape
class ScheduleEntry:
    """From `at` on, this holds in place of the entry above it."""

    at: Text
    """An instant with an offset, or a wall time with `timezone`."""
    timezone: Text | None = None
    """Such as `Europe/Paris`."""
    track: Name | None = None
    """`latest` or an environment."""
    version: Reference | None = None
    """A version by name, number, digest or commit."""
    traffic: Traffic | None = None
    """A split between versions."""
    config: Config = Field(default_factory=dict)
    """Laid over the entry's `config`, key by key; `null` deletes a key."""

    @model_validator(mode="after")
    def _at_most_one_choice(self) -> Self:
        at_most_one(track=self.track, version=self.version, traffic=self.traffic)
        return self


@shape
class Pause:
    """Nothing new is started until it expires. Who, why and until when are required."""

    by: Reason
    """Who asked for it."""
    reason: Reason
    """Why."""
    until: Text
    """An instant with an offset, or a wall time with `timezone`."""
    timezone: Text | None = None
    """Such as `Europe/Paris`."""


@shape
class Experiment:
    """A split held for a time between a control and a variant."""

    control: Reference
    """The version that the variant is compared with."""
    variant: Reference
    """The version that is tried."""
    percent: Percent
    """The variant's share."""
    until: Text
    """An instant with an offset, or a wall time with `timezone`."""
    timezone: Text | None = None
    """Such as `Europe/Paris`."""


@shape
class EnvironmentEntry:
    """What runs in one environment, and the environment's own settings for this app."""

    track: Name | None = None
    """`latest`, or an environment: what completed there and passed the gates."""
    when: Train | None = None
    """A release train: when what has completed so far moves on."""
    version: Reference | None = None
    """A version by name, number, digest or commit: pinned."""
    traffic: Traffic | None = None
    """A split between versions."""
    config: Config = Field(default_factory=dict)
    """The environment's own settings, laid over the version's key by key; `null` deletes a key."""
    schedule: tuple[ScheduleEntry, ...] = ()
    """What holds from which moment on, in order of time."""
    rollout: Rollout | None = None
    """In place of the Environment's."""
    gates: Gates | None = None
    """In place of the Environment's."""
    pause: Pause | None = None
    """Nothing new is started until it expires."""
    experiment: Experiment | None = None
    """A split held for a time between two versions."""

    @model_validator(mode="after")
    def _at_most_one_choice(self) -> Self:
        at_most_one(track=self.track, version=self.version, traffic=self.traffic, experiment=self.experiment)
        return self
