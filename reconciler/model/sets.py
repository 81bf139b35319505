"""What does a person declare that stands for several apps?

The shapes of `kind: AppSet`, one App for each directory, and `kind: Group`, apps that move together.
"""

from typing import Annotated, Literal

from pydantic import Field

from reconciler.model.app import AppSpec
from reconciler.model.metadata import API_VERSION, ApiVersion, Metadata
from reconciler.model.shape import Labels, Name, Text, shape


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
