"""What does a person declare about one thing that is released?

The shape of `kind: App`. What of it runs at a moment is asked in `reconciler.desired`.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from reconciler.model.entry import EnvironmentEntry
from reconciler.model.metadata import API_VERSION, ApiVersion, Metadata
from reconciler.model.shape import Config, Name, Text, refusal, shape

VERSION_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._+-]*$"
VARIABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,99}$"
SOURCE_PATTERN = r"^(env|file):[^\x00-\x1f\x7f]{1,500}$"


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
