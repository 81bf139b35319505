"""What does a person declare about a place where apps run?

The shape of `kind: Environment`, and of `kind: Resource`, which bindings point at.
"""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from reconciler.model.entry import Train
from reconciler.model.gates import Gates, Rollout
from reconciler.model.metadata import API_VERSION, ApiVersion, Metadata
from reconciler.model.shape import Duration, Flag, Name, Text, refusal, shape

LATEST = "latest"


@shape
class Retry:
    """How often an attempt is repeated after a failure, and the first pause, which doubles each time."""

    limit: Annotated[int, Field(strict=True, ge=0, le=100)] = 3
    """How many further attempts a deployment has."""
    backoff: Duration = Field(default="10s", validate_default=True)
    """The first pause."""


@shape
class RollbackLimit:
    """How many deployments back a rollback may go."""

    limit: Annotated[int, Field(strict=True, ge=1, le=1000)] = 10
    """Counted in deployments of the app to this environment."""


def _pace(every: timedelta) -> timedelta:
    if every != timedelta() and not timedelta(seconds=1) <= every <= timedelta(days=7):
        raise refusal("this is no pace to look at", "give 1s to 7d, or 0s for never")
    return every


@shape
class Drift:
    """Whether somebody else changed what runs, and what follows from it."""

    check: Annotated[Duration, AfterValidator(_pace)] = Field(default="10m", validate_default=True)
    """How often the target is asked what runs of each app; `0s` for never."""
    repair: Flag = False
    """Whether what drifted is deployed again; else it is told and left."""


def _known_type(target: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(target.get("type", ""), str):
        raise refusal("the type of a target is a text", "such as type: directory", "type")
    return target


@shape
class EnvironmentSpec:
    """Defaults for every app in this environment."""

    track: Name = LATEST
    """`latest`, or the environment promoted from."""
    when: Train | None = None
    """A release train: when what has completed so far moves on."""
    target: Annotated[dict[Text, Any], AfterValidator(_known_type)] = Field(
        default_factory=lambda: {"type": "directory"}
    )
    """`type` and the settings of that target."""
    gates: Gates | None = None
    """What a version must pass before it enters."""
    rollout: Rollout | None = None
    """How gradually a version is released; at once when left out."""
    on_failure: Literal["rollback", "hold"] = "rollback"
    """What follows a failed deployment: back to what ran before, or stay and wait for a person."""
    retry: Retry = Field(default_factory=Retry)
    rollback: RollbackLimit = Field(default_factory=RollbackLimit)
    drift: Drift = Field(default_factory=Drift)
    concurrency: Annotated[int, Field(strict=True, ge=1, le=1000)] = 8
    """How many deployments may be under way here at once."""
    prune: Flag = False
    """Whether an app that leaves this environment in git is retired by a deployment."""


@shape
class Environment:
    """A place where apps run, with a target and gates."""

    apiVersion: ApiVersion = API_VERSION  # noqa: N815 - the field's name in the YAML
    kind: Literal["Environment"] = "Environment"
    metadata: Metadata
    spec: EnvironmentSpec = Field(default_factory=EnvironmentSpec)

    @property
    def name(self) -> str:
        """The environment's name."""
        return self.metadata.name


@shape
class ResourceSpec:
    """What kind of resource it is; its state is not versioned."""

    type: Name
    """Such as `kv`; bindings name the same type."""


@shape
class Resource:
    """What bindings may point to."""

    apiVersion: ApiVersion = API_VERSION  # noqa: N815 - the field's name in the YAML
    kind: Literal["Resource"] = "Resource"
    metadata: Metadata
    spec: ResourceSpec

    @property
    def name(self) -> str:
        """The resource's name."""
        return self.metadata.name
