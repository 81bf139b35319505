"""How does what concerns every app look from outside: the daemon, and the branch that is followed?"""

from typing import Any

from pydantic import TypeAdapter

from reconciler.model.shape import Instant, shape


@shape
class DaemonShown:
    """Whether anything goes on by itself."""

    running: bool
    next_step: str
    """How a daemon is started, or what helps where its turns fail; '' where one runs and they do not."""
    error: str | None
    """Why the turns of the one on this machine fail just now."""
    error_since: Instant | None
    again_at: Instant | None
    """When the next one is taken."""


@shape
class ComplaintShown:
    """A mistake in a manifest, and where it stands."""

    path: str
    line: int
    column: int
    message: str
    remedy: str
    severity: str


@shape
class RepositoryShown:
    """What is followed."""

    url: str
    """Without credentials."""
    branch: str
    path: str
    head: str | None
    """The commit in force."""
    reading: bool
    """Whether it is being read for the very first time."""
    held_head: str | None
    """A commit that does not continue the one in force: a person has to accept it."""
    held_since: Instant | None
    error: str | None
    """Why it cannot be followed just now."""
    next_step: str | None
    error_since: Instant | None
    again_at: Instant | None
    """When it is tried again."""
    broken_files: int
    """How many files are broken at the commit in force: what they declared before stays as it is."""
    complaint: ComplaintShown | None
    """What is wrong with the first of them."""


@shape
class Surroundings:
    """Keys that stand beside every standing."""

    daemon: DaemonShown
    repository: RepositoryShown | None
    """None before the first start has got so far."""


SURROUNDINGS = TypeAdapter(Surroundings)


def surroundings_json(found: Surroundings) -> dict[str, Any]:
    """What concerns every app."""
    dumped: dict[str, Any] = SURROUNDINGS.dump_python(found, mode="json")
    return dumped
