"""What does a person declare about one thing that is released?

The shapes of `kind: App`, `kind: AppSet` and `kind: Group`. What of it runs at a moment is asked in
`reconciler.desired`.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from reconciler.model.gates import Gates, Rollout
from reconciler.model.references import Reference
from reconciler.model.shape import Config, Labels, Name, Reason, Text, refusal, shape

ApiVersion = Literal["reconciler/v1"]
API_VERSION: ApiVersion = "reconciler/v1"

Percent = Annotated[float, Field(strict=True, ge=0, le=100, allow_inf_nan=False)]
VERSION_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._+-]*$"
VARIABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,99}$"
SOURCE_PATTERN = r"^(env|file):[^\x00-\x1f\x7f]{1,500}$"


@shape
class Metadata:
    """A manifest's name and the labels that seasons and filters select by."""

    name: Name
    """Letters, digits, `.`, `_` and `-`; one kind has a name once."""
    labels: Labels = Field(default_factory=dict)
    """Seasons and filters select by them."""


@shape
class Share:
    """One version's part of the traffic, in percent."""

    version: Reference
    """A name, `v12`, a digest prefix of 8 or more, or `commit:<sha>`."""
    percent: Percent
    """0 is allowed, for a smoke test by header."""


def _whole(traffic: tuple[Share, ...]) -> tuple[Share, ...]:
    total = sum(share.percent for share in traffic)
    if abs(total - 100) > 1e-9:
        raise refusal(f"the percentages add up to {total:g}, not to 100", "correct them")
    if len({share.version for share in traffic}) != len(traffic):
        raise refusal("a version stands twice in this split", "add its shares up")
    return traffic


Traffic = Annotated[tuple[Share, ...], Field(min_length=1, max_length=20), AfterValidator(_whole)]
"""Shares that add up to 100."""


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


def at_most_one(**choices: object) -> None:
    """Refuse more than one of the named choices."""
    given = [name for name, value in choices.items() if value is not None]
    if len(given) > 1:
        raise refusal(f"{' and '.join(given)} exclude each other", "give at most one", given[-1])


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


@shape
class Binding:
    """A resource that the app is handed under a name of its own."""

    name: Name
    """The app's name for it."""
    type: Name
    """The resource's type, such as `kv`."""
    resource: Name
    """The Resource's name."""


@shape
class SecretReference:
    """Where a secret's value is found when it is needed. The value itself is never recorded."""

    name: Annotated[str, Field(strict=True, pattern=VARIABLE_PATTERN)]
    """The variable in which the app finds it."""
    source: Annotated[str, Field(strict=True, alias="from", pattern=SOURCE_PATTERN)]
    """`env:NAME` or `file:PATH`, read in the daemon's own surroundings."""


@shape
class Triggers:
    """Routes, domains and crons: applied to the target as they are, never a version or a deployment."""

    routes: tuple[Text, ...] = ()
    """Such as `book.example.com/*`."""
    domains: tuple[Text, ...] = ()
    """Whole domains."""
    crons: tuple[Text, ...] = ()
    """Five fields, such as `*/5 * * * *`."""


def _entries(value: Any) -> Any:
    """A plain list of environment names takes all defaults; so does an empty entry."""
    if isinstance(value, list | tuple):
        if not all(isinstance(name, str) for name in value):
            raise refusal("a list of environments holds names", "write a mapping to say more about one")
        if len(set(value)) != len(value):
            raise refusal("an environment stands twice in this list", "remove one")
        return {name: {} for name in value}
    if isinstance(value, dict):
        return {name: {} if entry is None else entry for name, entry in value.items()}
    return value


Entries = Annotated[
    dict[Name, EnvironmentEntry],
    BeforeValidator(
        _entries,
        json_schema_input_type=dict[Name, EnvironmentEntry | None]
        | Annotated[tuple[Name, ...], Field(json_schema_extra={"uniqueItems": True})],
    ),
]


@shape
class AppSpec:
    """Content, settings and environments of an app."""

    owner: Text | None = None
    """Whom to ask."""
    version: Annotated[str, Field(strict=True, max_length=100, pattern=VERSION_PATTERN)] | None = None
    """An optional name of this content. One name never means two contents."""
    bundle: Text | None = None
    """A directory in this repository, relative to this file."""
    image: Text | None = None
    """A container image, with its digest."""
    config: Config = Field(default_factory=dict)
    """Settings that belong to the content: a change makes a version."""
    bindings: tuple[Binding, ...] = ()
    """Resources that the app is handed."""
    secrets: tuple[SecretReference, ...] = ()
    """Where secrets are found; never their values."""
    migrations: tuple[Name, ...] = ()
    """One-way steps that this content needs."""
    triggers: Triggers = Field(default_factory=Triggers)
    """Applied to the target as they are: no version, no deployment."""
    depends_on: tuple[Name, ...] = ()
    """Apps that are released before this one."""
    environments: Entries
    """Where the app runs, and how; a plain list of names takes all defaults."""

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        _once("bindings", [binding.name for binding in self.bindings])
        _once("secrets", [secret.name for secret in self.secrets])
        return self


def _once(field: str, names: list[str]) -> None:
    if len(set(names)) != len(names):
        raise refusal(f"a name stands twice in {field}", "give each its own", field)


@shape
class App:
    """One thing that is released: a service, worker, agent, site."""

    apiVersion: ApiVersion = API_VERSION  # noqa: N815 - the field's name in the YAML
    kind: Literal["App"] = "App"
    metadata: Metadata
    spec: AppSpec

    @property
    def name(self) -> str:
        """The app's name."""
        return self.metadata.name


@shape
class AppTemplateMetadata:
    """What every app of the set carries; the name comes from its directory."""

    labels: Labels = Field(default_factory=dict)


@shape
class AppTemplate:
    """The App that each directory becomes; `bundle` is relative to that directory."""

    metadata: AppTemplateMetadata = Field(default_factory=AppTemplateMetadata)
    spec: AppSpec


@shape
class AppSetSpec:
    """Which directories become apps, and how."""

    directories: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Patterns relative to the followed path, such as `sites/*`."""
    template: AppTemplate
    """The App that each of them becomes, under the directory's name."""


@shape
class AppSet:
    """One App for each directory that matches."""

    apiVersion: ApiVersion = API_VERSION  # noqa: N815 - the field's name in the YAML
    kind: Literal["AppSet"] = "AppSet"
    metadata: Metadata
    spec: AppSetSpec

    @property
    def name(self) -> str:
        """The set's name."""
        return self.metadata.name


@shape
class GroupSpec:
    """Which apps move together, and where."""

    apps: Annotated[tuple[Name, ...], Field(min_length=2)]
    """Names of apps."""
    environments: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Where they are promoted, held and rolled back as one."""


@shape
class Group:
    """Apps that are promoted, held and rolled back as one."""

    apiVersion: ApiVersion = API_VERSION  # noqa: N815 - the field's name in the YAML
    kind: Literal["Group"] = "Group"
    metadata: Metadata
    spec: GroupSpec

    @property
    def name(self) -> str:
        """The group's name."""
        return self.metadata.name
