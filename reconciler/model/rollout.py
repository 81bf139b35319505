"""How far has a gradual rollout come?

    releasing ──► checking ──► holding ──► releasing …      a step, held before the next one
                     │ ▲
                     ▼ │
                    baking ──► checking ──► completed       the last step, watched

The course is fixed when the deployment is made; what a commit changes later concerns later deployments. When to go on
is the planner's question.
"""

from typing import Any, Literal

from pydantic import Field, TypeAdapter

from reconciler.model.gates import Check
from reconciler.model.shape import Config, Duration, Instant, shape
from reconciler.model.traffic import Allotment

Phase = Literal["releasing", "checking", "holding", "baking"]


@shape
class Course:
    """The way from what ran before to all of what is new."""

    steps: tuple[int, ...]
    """The shares of what is new, in percent; the last one is 100."""
    interval: Duration | None = None
    bake: Duration | None = None
    checks: tuple[Check, ...] = ()
    before: tuple[Allotment, ...] = ()
    """What ran before; it has what is left of the traffic."""
    before_config: Config = Field(default_factory=dict)
    """The environment's settings that go with it."""


@shape
class Progress:
    """Where a rollout is."""

    course: Course
    step: int = 0
    """Place in `course.steps`, counted from 0."""
    phase: Phase = "releasing"
    since: Instant | None = None
    """When this phase began; None: the deployment waits for its turn."""
    until: Instant | None = None
    """When it goes on by itself."""
    bake_until: Instant | None = None
    """When it has been watched for long enough, once that has begun."""

    @property
    def percent(self) -> int:
        """The share of what is new."""
        return self.course.steps[self.step]

    @property
    def last(self) -> bool:
        """Whether no step follows."""
        return self.step == len(self.course.steps) - 1

    @property
    def resting(self) -> bool:
        """Whether nobody has anything to do until it goes on."""
        return self.phase in ("holding", "baking")

    @property
    def stage(self) -> str:
        """What an answer is about: one for an earlier stage says nothing about this one."""
        return f"{self.step} {self.phase} {self.since.isoformat() if self.since else ''}"


@shape
class Mixture:
    """What a rollout that failed on its way left: its target had taken the step, so it is known what runs."""

    since: Instant
    deployment: str
    traffic: tuple[Allotment, ...]
    reason: str
    remedy: str


_PROGRESS = TypeAdapter(Progress)


def progress_row(progress: Progress) -> dict[str, Any]:
    """A progress as it is stored."""
    dumped: dict[str, Any] = _PROGRESS.dump_python(progress, mode="json")
    return dumped


def progress_of(row: dict[str, Any] | None) -> Progress | None:
    """What `progress_row` made."""
    return None if row is None else _PROGRESS.validate_python(row)


def progress_json(progress: Progress) -> dict[str, Any]:
    """A progress as it looks from outside; steps are counted from 1 there."""
    dumped = progress_row(progress)
    course = dumped.pop("course")
    shown = {name: course[name] for name in ("steps", "interval", "bake", "before")}
    checks = [check["name"] for check in course["checks"]]
    return {**dumped, "step": progress.step + 1, "percent": progress.percent, **shown, "checks": checks}
