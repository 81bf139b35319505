"""What is a target handed?

A `Release` holds everything that a target needs to carry a deployment out, and nothing that it must ask for.
Secrets are references; the target's surroundings turn them into values at the last moment.
"""

from pydantic import Field

from reconciler.model.app import Binding, SecretReference
from reconciler.model.shape import Config, shape
from reconciler.model.traffic import largest


@shape
class ReleasedVersion:
    """One version's part in a release; `config` is the version's own with every layer over it."""

    version: str
    number: int
    name: str | None
    percent: float
    message: str = ""
    tags: tuple[str, ...] = ()
    created_at: str = ""
    bundle: str | None = None
    image: str | None = None
    config: Config = Field(default_factory=dict)
    bindings: tuple[Binding, ...] = ()
    secrets: tuple[SecretReference, ...] = ()
    migrations: tuple[str, ...] = ()


@shape
class Release:
    """A deployment as a target sees it. An empty traffic means: retire the app here."""

    deployment: str
    number: int
    app: str
    environment: str
    cause: str
    commit: str | None
    traffic: tuple[ReleasedVersion, ...]

    entering: str | None = None
    """The version that a gradual rollout lets in, whatever its share is at this step."""

    fence: int = 0
    """Grows with each time that this deployment is handed out. With `number`, which grows per app and environment, it
    tells an act of a daemon that was away for a while from what others have done there since."""

    lineage: str = ""
    """Which recorded history `number` and `fence` were counted in: those of another one, such as of a store that was
    restored from a backup or begun anew, say nothing about these."""

    @property
    def leading(self) -> ReleasedVersion | None:
        """The version that the release is about: the one that is let in, else the one with the largest share."""
        return next((part for part in self.traffic if part.version == self.entering), self.largest)

    @property
    def largest(self) -> ReleasedVersion | None:
        """The version with the largest share; the newer one where shares are equal."""
        return largest(self.traffic)
