"""How does a plan look from outside: what would be done, what is held back and refused, and what it would change?

The declared shapes, and JSON of them; instants are RFC 3339 in UTC. How a plan becomes one of them is said in
`showing`: most often there is nothing to do.
"""

from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from reconciler.model.shape import Instant, shape
from reconciler.model.traffic import Allotment


@shape
class Changed:
    """One setting, before and after. A setting that is missing has no value: `had` and `has` tell it from null."""

    key: str
    before: Any = None
    after: Any = None
    had: bool = True
    has: bool = True


@shape
class Effect:
    """What a deployment changes where it is made."""

    versions_before: tuple[Allotment, ...] = ()
    """What ran there before; empty for nothing."""
    config: tuple[Changed, ...] = ()
    """Settings as the app sees them: the version's with all layers over them."""

    @property
    def empty(self) -> bool:
        """Whether nothing is known to change but the versions."""
        return not self.config


@shape
class PlannedAction:
    """One thing that would be done."""

    action: str
    app: str
    environment: str
    cause: str | None
    traffic: tuple[Allotment, ...]
    reason: str
    at: Instant | None = None
    """When, where a plan goes on into the future; so are the next three."""
    changes: Effect | None = None
    after: tuple[str, ...] = ()
    """What it has waited for by then, in words."""
    cancel: str = ""
    """How it is called off, with the place in git."""


@shape
class PlannedWait:
    """What a plan holds back."""

    app: str
    environment: str
    waits_for: Annotated[str, Field(alias="for")]
    until: Instant | None
    detail: str
    id: str | None = None


@shape
class PlannedRefusal:
    """What a plan refuses."""

    app: str
    environment: str
    rule: str
    detail: str


@shape
class PlanShown:
    """A plan as it is shown: for which commit, for which moment."""

    commit: str | None
    at: Instant
    actions: tuple[PlannedAction, ...]
    waiting: tuple[PlannedWait, ...]
    refused: tuple[PlannedRefusal, ...]
    wake_at: Instant | None


PLAN = TypeAdapter(PlanShown)


def plan_json(plan: PlanShown) -> dict[str, Any]:
    """A plan."""
    dumped: dict[str, Any] = PLAN.dump_python(plan, mode="json")
    for action in dumped["actions"]:
        changes = action.pop("changes")
        if action["at"] is None:
            for name in ("at", "after", "cancel"):
                del action[name]
        elif changes is not None:
            action["before"] = changes["versions_before"]
            action["changes"] = {
                one["key"]: {name: one[name] for name, there in (("before", "had"), ("after", "has")) if one[there]}
                for one in changes["config"]
            }
    return dumped
