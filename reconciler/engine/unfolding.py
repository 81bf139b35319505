"""What will happen from now until a moment, what does each of it wait for, and what does it change?

Walks a rehearsal into the future. `assume` lets people say yes at once (approvals are given, checks of gates pass), so
that a pull request can be told when its change arrives at the earliest; what was assumed is told with what it let in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection

from reconciler.engine.outcomes import LONGEST_CHECK_PAUSE, CheckOutcome, note_check
from reconciler.engine.rehearsing import MOST_ROUNDS, Rehearsal
from reconciler.git.objects import Objects
from reconciler.model.deployment import Deployment, Place
from reconciler.model.plan import Action, Deploy, Plan, Waiting, together
from reconciler.model.shown import Effect
from reconciler.planner.gates import filed_under
from reconciler.store import deployments, due, gates
from reconciler.targets.checks import CheckResult
from reconciler.views.cancelling import Ways
from reconciler.views.differences import effect, known_versions
from reconciler.views.scene import manifests
from reconciler.views.sources import Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that will be done at a moment (UTC)."""

    at: datetime
    action: Action
    effect: Effect | None = None
    waited: tuple[Waiting, ...] = ()
    """What it has waited for by then, in order; each gate once, as it was said last."""
    assumed: tuple[str, ...] = ()
    """What people are taken to have said yes to."""
    cancel: str = ""


@dataclass(slots=True)
class Future:
    """Everything that will happen, and what is held back or refused at the end of it."""

    happenings: list[Happening] = field(default_factory=list)
    plans: dict[str, Plan] = field(default_factory=dict)

    @property
    def left(self) -> Plan:
        """What each app's last plan says."""
        return together(self.plans.values())


@dataclass(slots=True)
class _Walk:
    played: Rehearsal
    assume: bool
    ways: Ways
    future: Future = field(default_factory=Future)
    waited: dict[Place, dict[tuple[str, str | None], Waiting]] = field(default_factory=dict)
    assumed: dict[str, list[str]] = field(default_factory=dict)
    """By what approvals and checks are filed under."""

    def take(self, moment: datetime, plans: Mapping[str, Plan]) -> None:
        """One round of plans, before what they ask for is carried out."""
        plan = together(plans.values())
        deploys = [action for action in plan.actions if isinstance(action, Deploy)]
        names = sorted({wish.app for wish in deploys})
        connection = self.played.transaction.connection
        before = _running(connection, names) if names else {}
        traffics = [*(wish.subject.traffic for wish in deploys), *(one.traffic for one in before.values())]
        known = known_versions(connection, traffics) if names else {}
        apps = manifests(connection, names) if names else {}
        for action in plan.actions:
            if not isinstance(action, Deploy):
                self.future.happenings.append(Happening(at=moment, action=action))
                continue
            here, key = (action.app, action.environment), _key(action)
            waited = self.waited.pop(here, {}).values()
            self.future.happenings.append(
                Happening(
                    at=moment,
                    action=action,
                    effect=effect(before.get(here), action.subject, known),
                    waited=tuple(wait for wait in waited if wait.key in (None, key)),
                    assumed=tuple(self.assumed.pop(key, ())),
                    cancel=self.ways.deployment(action, before.get(here), apps.get(action.app)),
                )
            )
        for wait in plan.waiting:
            self.waited.setdefault((wait.app, wait.environment), {})[wait.waits_for, wait.key] = wait
        self.future.plans |= plans
        if self.assume:
            self._say_yes(plan, moment)

    def _say_yes(self, plan: Plan, moment: datetime) -> None:
        """One approval for each that is missing, and every check that is to run has passed."""
        transaction = self.played.transaction
        for number, wait in enumerate(one for one in plan.waiting if one.waits_for == "approval" and one.key):
            said = self.assumed.setdefault(wait.key or "", [])
            role = f" by {wait.role}" if wait.role else ""
            said.append(f"an approval{role}")
            actor = f"somebody {len(said)}.{number}"
            gates.approve(transaction, wait.app, wait.environment, wait.key or "", actor, wait.role, "", moment)
            due.mark(transaction, [wait.app], moment)
        # Also those that rest since they could not tell: when they are asked again is the daemon's doing alone.
        for row in gates.to_run(transaction.connection, moment + LONGEST_CHECK_PAUSE):
            self.assumed.setdefault(row.key, []).append(f"the check {row.name}")
            result = CheckResult(row.name, "passed", "taken to pass")
            outcome = CheckOutcome(app=row.app, environment=row.environment, key=row.key, result=result)
            note_check(transaction, outcome, moment)


def _running(connection: Connection, names: Sequence[str]) -> dict[Place, Deployment]:
    """What completed last of these apps, by app and environment."""
    done = (one for one in deployments.recent(connection, names, 1) if one.status == "completed")
    return {(one.app, one.environment): one for one in sorted(done, key=lambda one: one.number)}


def _key(wish: Deploy) -> str:
    """What approvals and checks of the versions that a deployment lets in are filed under, as gates reckon it."""
    return filed_under(wish.app, wish.environment, wish.grounds.base)


def future(
    played: Rehearsal, now: datetime, until: datetime, *, assume: bool = False, objects: Objects | None = None
) -> Future:
    """What happens from `now` to `until` (UTC). `objects` tells the lines of what is declared."""
    walk = _Walk(played, assume, Ways(Sources(played.transaction.connection, objects)))
    for moment, plans in played.unfold(now, until):
        walk.take(moment, plans)
    return walk.future


def brought_up(played: Rehearsal, since: datetime, until: datetime) -> None:
    """Let what was noted at `since` come through its gates until it waits for nothing more, `until` at the latest."""
    walk = _Walk(played, assume=True, ways=Ways(Sources(played.transaction.connection)))
    moment: datetime | None = since
    for _ in range(MOST_ROUNDS):
        if moment is None or moment > until:
            return
        for plans in played.settle(moment):
            walk.take(moment, plans)
        if not walk.future.left.waiting:
            return
        moment = played.next_moment()


def spoken_waits(happening: Happening) -> tuple[str, ...]:
    """What a deployment has waited for by its moment, in words."""
    counted = Counter(happening.assumed)
    yes = [said if count == 1 else f"{count} × {said}" for said, count in counted.items()]
    return (*(_spoken(wait) for wait in happening.waited if wait.waits_for in _TIMED), *yes)


_TIMED = {
    "soak": "soaked",
    "train": "the train",
    "freeze": "the freeze",
    "pause": "the pause",
    "experiment": "the trial",
}


def _spoken(wait: Waiting) -> str:
    until = f" until {wait.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if wait.until else ""
    return f"{_TIMED[wait.waits_for]}{until}"
