"""What does a deployment wait for, and how gradually is it released?

The shapes of gates, checks and rollouts as they are declared. Whether a gate is open is the planner's
question.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from reconciler.model.shape import Duration, Flag, Name, Prose, refusal, shape

Mode = Literal["enforced", "report", "off"]
Approvals = Annotated[int, Field(strict=True, ge=0, le=20)]


@shape
class Check:
    """A command whose exit status 0 means passed; it runs like a deployment of the exec target."""

    name: Name
    run: Annotated[tuple[Prose, ...], Field(min_length=1)]
    """The command and its arguments, run without a shell."""
    timeout: Duration | None = None
    """After this long the check is stopped and counts as failed."""
    mode: Mode = "enforced"
    """`report` notes the outcome without waiting for it; `off` leaves the check out."""


@shape
class Gates:
    """What must hold before a version enters an environment."""

    soak: Duration | None = None
    """How long it must have been completed in the tracked environment."""
    approvals: Approvals | dict[Name, Approvals] | None = None
    """How many, or how many of each role; the commit's author does not count."""
    checks: tuple[Check, ...] = ()
    """Commands that must pass."""
    signed: Flag | None = None
    """Only commits with a verified signature."""
    hotfix: tuple[Literal["soak", "approvals", "checks", "signed", "when"], ...] = ()
    """Gates that a `[HOTFIX]` commit may skip."""
    mode: Mode = "enforced"
    """`report` notes what would have been held back; `off` leaves the gates out."""


@shape
class Rollout:
    """The shares of the new version, step by step, in percent. What goes back goes at once; settings alone come in one
    step. A pause holds a rollout at its step; a freeze and a later change of these lines do not."""

    steps: Annotated[tuple[Annotated[int, Field(strict=True, ge=0, le=100)], ...], Field(min_length=1)]
    """Rising, the last one 100."""
    interval: Duration | None = None
    """How long each step is held before the next one."""
    bake: Duration | None = None
    """How long the last step is watched: checks run every interval, or where there is none every minute, in a bake of
    less than ten minutes ten times; and at its end."""
    checks: tuple[Check, ...] = ()
    """Run at each step and during the bake, on the new version; one that fails ends the rollout, one that ends with 75
    is asked again for up to a day."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if list(self.steps) != sorted(set(self.steps)) or self.steps[-1] != 100:
            raise refusal("the steps must rise, and the last one must be 100", "such as [10, 50, 100]", "steps")
        return self
