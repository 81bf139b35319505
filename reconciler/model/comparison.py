"""How do two versions differ, as it is shown: by section, by file, and with who changed what?

The shapes alone, and their JSON; they are found out in `views/comparison`. A secret is a reference here as everywhere.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from reconciler.model.shape import Instant, shape
from reconciler.model.version import Version

SECTIONS = ("config", "bindings", "secrets", "migrations", "image", "name")


@shape
class ChangedBy:
    """Who changed something on the way from one version to the other: by which version, in which commit."""

    name: str
    email: str
    commit: str
    version: str
    number: int
    at: Instant


@shape
class Edit:
    """A value before and after."""

    before: Any
    after: Any


@shape
class Section:
    """What was added, deleted and changed, by key."""

    added: dict[str, Any] = Field(default_factory=dict)
    deleted: dict[str, Any] = Field(default_factory=dict)
    changed: dict[str, Edit] = Field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many keys differ."""
        return len(self.added) + len(self.deleted) + len(self.changed)


@shape
class FileChange:
    """What became of one file of the bundle; lines are None where it is no text."""

    path: str
    kind: Literal["added", "deleted", "changed", "renamed"]
    before: str | None = None
    """What it was called before, where it was renamed."""
    added: int | None = None
    deleted: int | None = None
    by: tuple[ChangedBy, ...] = ()
    """Everybody who changed it on the way, oldest first."""


@shape
class Code:
    """The bundles: git's tree ids, and the difference as `git diff` prints it, None where git cannot tell."""

    before: str | None
    after: str | None
    diff: str | None
    cut: bool
    """Whether the difference goes on: the rest is left out."""
    missing: str | None
    """Why there is no difference to show, and what a person can do about it."""
    files: tuple[FileChange, ...] = ()


@shape
class End:
    """One of the two."""

    id: str
    number: int
    name: str | None


@shape
class Comparison:
    """Two versions of one app, and how they differ."""

    app: str
    before: Annotated[End, Field(alias="from")]
    after: Annotated[End, Field(alias="to")]
    code: Code
    config: Section
    bindings: Section
    secrets: Section
    migrations: Section
    image: Section
    name: Section
    changed_by: dict[str, dict[str, ChangedBy]] = Field(default_factory=dict)
    """Who changed a key last on the way, by section and key; what lies too far back is missing."""

    def section(self, name: str) -> Section:
        """One of `SECTIONS`."""
        found: Section = getattr(self, name)
        return found

    @property
    def empty(self) -> bool:
        """Whether they are the same."""
        return self.code.diff == "" and not any(self.section(name).size for name in SECTIONS)


COMPARISON = TypeAdapter(Comparison)


def end_of(version: Version) -> End:
    """A version as one of the two."""
    return End(id=version.id, number=version.number, name=version.name)


def comparison_json(found: Comparison) -> dict[str, Any]:
    """How two versions differ."""
    dumped: dict[str, Any] = COMPARISON.dump_python(found, mode="json")
    return dumped
