"""Which shapes do answers have?

Those that the command line prints, from the same declarations: what `model/output` leaves out when it writes JSON is
left out here, what it works out is added. Shapes that only HTTP has stand at the end. They describe: answers are
written by `model`, so a test holds every answer against its description.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model

from reconciler.model import output, shown
from reconciler.model.deployment import Deployment, Event
from reconciler.model.entry import Train
from reconciler.model.gates import Gates, Rollout
from reconciler.model.rollout import Course, Progress
from reconciler.model.shape import Instant, Labels, shape
from reconciler.model.surroundings import ComplaintShown, Surroundings
from reconciler.model.traffic import Allotment

_CONFIG = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True, serialize_by_alias=True)


def _fields(of: type, *without: str, **other: Any) -> dict[str, Any]:
    """The fields of a shape but some, some of them with other types; each is always there."""
    found: dict[str, Any] = {}
    for name, declared in of.__pydantic_fields__.items():  # type: ignore[attr-defined]
        if name in without or name in other:
            continue
        kind = Annotated[declared.annotation, *declared.metadata] if declared.metadata else declared.annotation
        found[declared.serialization_alias or name] = (kind, Field(description=declared.description))
    return found | {name: (kind, ...) for name, kind in other.items()}


def _made(name: str, said: str | None, fields: dict[str, Any]) -> type[BaseModel]:
    # A field may be called as a word of Python is, such as `for`: it is only described.
    made: type[BaseModel] = create_model(name, __config__=_CONFIG, __doc__=said, **fields)
    return made


_COURSE = {name: kind for name, kind in _fields(Course).items() if name in ("steps", "interval", "bake", "before")}
RolloutShown = _made(
    "RolloutShown",
    "How far a gradual rollout has come; steps are counted from 1.",
    _fields(Progress, "course") | {"percent": (int, ...), **_COURSE, "checks": (list[str], ...)},
)
_DEPLOYMENT = _fields(Deployment, *output.INTERNAL, duration_seconds=float | None, rollout=RolloutShown | None)
DeploymentShown = _made("DeploymentShown", Deployment.__doc__, _DEPLOYMENT)
DeploymentTold = _made(
    "DeploymentTold",
    "A deployment with everything that happened to it.",
    _DEPLOYMENT | {"events": (list[Event], ...)},
)
_SHOWN = DeploymentShown | None
_STANDING = _fields(output.Standing, deployment=_SHOWN, active=_SHOWN, elsewhere=_SHOWN)
StandingShown = _made("StandingShown", output.Standing.__doc__, _STANDING)
StatusShown = _made(
    "StatusShown",
    "A standing, with what concerns every app beside it.",
    _STANDING | _fields(Surroundings),
)
EdgeShown = _made("EdgeShown", output.Edge.__doc__, _fields(output.Edge, "cancel", "place", "since", "until"))
_ACTION = _fields(shown.PlannedAction, "at", "changes", "after", "cancel")


class ChangedFrom(BaseModel):
    """A setting before and after; one that is missing has no value."""

    model_config = ConfigDict(extra="forbid")
    before: Any = None
    after: Any = None


def _absent(said: str) -> Any:
    """A key that is there only where it says something."""
    return Field(default_factory=lambda: None, description=said)


_LATER = {
    "at": (Instant, _absent("When, where a plan goes on into the future; so the others.")),
    "before": (list[Allotment], _absent("What runs there before.")),
    "changes": (dict[str, ChangedFrom], _absent("Settings that change, as the app sees them.")),
    "after": (list[str], _absent("What it has waited for by then, in words.")),
    "cancel": (str, _absent("How it is called off, with the place in git.")),
}
ActionPlanned = create_model(
    "ActionPlanned",
    __config__=ConfigDict(extra="forbid"),
    __doc__=shown.PlannedAction.__doc__,
    **(_ACTION | _LATER),
)
PlanTold = _made("PlanTold", shown.PlanShown.__doc__, _fields(shown.PlanShown, actions=list[ActionPlanned]))  # type: ignore[valid-type]


@shape
class AppShown:
    """An app as git declares it."""

    name: str
    owner: str | None
    """Whom to ask."""
    labels: Labels
    environments: tuple[str, ...]
    """Where it is to run, along the chain."""
    path: str
    """The file that declares it."""
    bundle: str | None
    """Its directory in the repository."""
    depends_on: tuple[str, ...]
    content: str | None
    """The id of the version that the commit in force asks for."""
    removed: bool
    """It has left git."""
    complaints: tuple[ComplaintShown, ...]
    """Why it is held, where it is."""


AppTold = _made(
    "AppTold",
    "An app with how it stands in each environment.",
    _fields(AppShown) | {"standings": (list[StandingShown], ...)},  # type: ignore[valid-type]
)


@shape
class EnvironmentShown:
    """A place where apps run, as git declares it."""

    name: str
    labels: Labels
    track: str
    """`latest`, or the environment that is promoted from."""
    target: str
    """The type of its target."""
    when: Train | None
    """Its release train."""
    gates: Gates | None
    rollout: Rollout | None
    on_failure: str
    concurrency: int
    prune: bool
    apps: int
    """How many are placed there."""


@shape
class Fact:
    """One fact of the ledger, as `audit export` prints it."""

    sequence: int
    at: Instant
    kind: str
    app: str | None
    environment: str | None
    subject: str | None
    """What it is about: a deployment's id, a commit."""
    actor: str
    body: dict[str, Any]


@shape
class Verification:
    """Whether the ledger is as it was written."""

    sound: bool
    entries: int
    unsealed: int
    """Facts that no seal covers yet."""
    broken_after: int | None
    """The last fact that is vouched for, where something behind it was changed."""
    damage: tuple[str, ...]
    """What is wrong with the store's file and tables."""


@shape
class DriftSeen:
    """What was seen to run in place of what was deployed."""

    since: Instant
    detail: str


@shape
class Drifted:
    """Where something else runs than the newest deployment left, as the last look found it."""

    app: str
    environment: str
    deployment: str
    drift: DriftSeen | None
    unknown: str | None


FACT = TypeAdapter(Fact)
APP_SHOWN = TypeAdapter(AppShown)
ENVIRONMENT_SHOWN = TypeAdapter(EnvironmentShown)
VERIFICATION = TypeAdapter(Verification)
DRIFTED = TypeAdapter(Drifted)
