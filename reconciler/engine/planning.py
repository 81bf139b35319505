"""Which apps are planned in a turn, and what is written down of what follows?

Those that are due, a piece a turn, so that nobody waits behind all of them. How the plan of an app is made is the
business of `views/planning` and `planner`, what its actions become in the store that of `carry`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reconciler import schedule, telemetry
from reconciler.engine.carry import carry
from reconciler.engine.signing import Signing
from reconciler.model.environment import Environment
from reconciler.model.plan import together
from reconciler.model.season import Freeze
from reconciler.store import commits, declared, due, obstacles, waiting
from reconciler.store.database import Transaction
from reconciler.views.scene import Scene

MOST = 250
"""How many apps are planned in a turn, about: what is due besides waits for the next one, and what came last comes
first, so that neither a first start nor the hourly look at everything keeps a push or a rollback waiting. Of a revert
of thousands the first deployments are carried out while the next ones are planned."""
MOST_WITH_A_COMMIT = 64
"""As many in the turn that notes a commit: the first of what it changes is carried out while the rest is planned."""
MOST_AT_FIRST = 1000
"""As many while all that begins is the first there: nothing can go back, and what is carried out meanwhile takes its
time from the plan. A commit that comes then is planned with the fewer."""
GATHERED = timedelta(seconds=0.25)
"""For so long at most, apps whose deployments ended wait for each other to be planned while every thread is taken: to
plan a dozen of them at a time costs half as much again as to plan a hundred."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """What waits for its turn where something is frozen, and is planned under these freezes by now."""

    freezes: tuple[Freeze, ...] = ()
    deployments: frozenset[str] = frozenset()
    """The first ones in line, by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What one turn planned."""

    count: int = 0
    most: int = 0
    """How many it would have planned."""
    looked_after: str | None = None
    begun: Sequence[tuple[str, int]] = ()
    """Environment and number of each deployment that begins (see `carry`)."""
    gathers: bool = False
    """Whether what was due waits for more of its kind."""
    frozen: Frozen

    def targets(self, environments: Mapping[str, Environment]) -> list[Mapping[str, Any]]:
        """The target of each deployment that begins."""
        return [environments[name].spec.target for name, _ in self.begun if name in environments]


class Planning:
    """Plans the apps that are due, a piece a turn. What it remembers changes only once a turn is in the store."""

    def __init__(self, signing: Signing) -> None:
        self._signing = signing
        self._looked_after: str | None = None
        self._most = MOST
        self._frozen = Frozen()
        self._gathers_since: datetime | None = None
        """When everything that was due had been planned; None where some was left, or a thread is free."""

    def look_at_all(self) -> None:
        """Plan every app again, against a mark that was never set: a piece a turn, after what is due by itself."""
        self._looked_after = ""

    @property
    def looks_at_all(self) -> bool:
        """Whether that is under way."""
        return self._looked_after is not None

    def plan(self, transaction: Transaction, scene: Scene, now: datetime, *, commits: int, answers: int) -> Planned:
        """Plan some of the apps that are due at `now` (UTC), and write down what follows; nothing where what is due
        can wait for more of its kind.

        `commits` and `answers` are how many the turn has noted. What is due again afterwards, since something it waited
        for was stopped just now, is planned anew with the next turn.
        """
        frozen = _look_at_frozen(transaction, scene, now, self._frozen)
        most = MOST_WITH_A_COMMIT if commits else self._most
        if not commits and self._gathers(answers, now):
            return Planned(most=most, looked_after=self._looked_after, gathers=True, frozen=frozen)
        with telemetry.stage("plan"):
            names = due.apps(transaction.connection, now, most)
            begun = self._plan(transaction, names, scene, now) if names else []
            count, after = len(names), self._looked_after
            if after is not None and count < MOST:
                names = declared.names_after(transaction.connection, after, MOST - count)
                begun += self._plan(transaction, names, scene, now)
                count, after = count + len(names), names[-1] if names else None
        return Planned(count=count, most=most, looked_after=after, begun=begun, frozen=frozen)

    def recorded(self, planned: Planned, now: datetime, *, free: bool) -> None:
        """What was planned is in the store now; `free` is whether a thread has nothing to do."""
        if free or planned.count >= planned.most:
            self._gathers_since = None
        elif not planned.gathers:
            self._gathers_since = now
        self._looked_after = planned.looked_after
        self._frozen = planned.frozen
        first = planned.count == planned.most and {number for _, number in planned.begun} == {1}
        self._most = MOST_AT_FIRST if first else MOST

    def _gathers(self, answers: int, now: datetime) -> bool:
        """Whether what is due can wait for more of its kind: several ended just now, and every thread had work.

        A turn without answers, which is the next one at the latest when none come, plans it.
        """
        since = self._gathers_since
        return since is not None and answers > 1 and timedelta() <= now - since < GATHERED

    def _plan(
        self, transaction: Transaction, names: Sequence[str], scene: Scene, now: datetime
    ) -> list[tuple[str, int]]:
        """Plan these apps; what begins."""
        # With the first app that is due: a turn that finds nothing to do plans nothing.
        from reconciler.views.planning import plan_apps

        def judge(commits: set[str]) -> None:
            self._signing.judge(transaction, commits, now)

        begun = list[tuple[str, int]]()
        for plans in plan_apps(transaction.connection, names, scene, now, judge):
            with telemetry.stage("carry"):
                begun += carry(transaction, together(plans.values()), now)
            obstacles.record(transaction, plans, now)
            for place in (place for plan in plans.values() for place in plan.unbraked):
                commits.release_brakes(transaction, *place)
            due.planned(transaction, {name: plan.wake_at for name, plan in plans.items()})
            due.mark_with_dependents(transaction, {name for name, plan in plans.items() if plan.stops}, now)
        return begun


def _look_at_frozen(transaction: Transaction, scene: Scene, now: datetime, before: Frozen) -> Frozen:
    """Where a freeze has begun, what waits for its turn is planned again: a start is held back, not a decision.

    Once for each deployment: what passes the freeze, as what goes back does, may wait for a thread for long. They come
    before they get their turn, since the first in line are looked at, and more of them than get it at once.
    """
    freezes = tuple(one for one in scene.freezes if schedule.active(one.spec.span, now))
    frozen = {environment for one in freezes for environment in one.spec.environments}
    waits = [row for name in frozen for row in waiting.in_environment(transaction.connection, name, MOST)]
    looked_at = before.deployments if before.freezes == freezes else frozenset[str]()
    names = {row.app for row in waits if row.id not in looked_at}
    if names:
        due.mark(transaction, names, now)
    return Frozen(freezes, frozenset(row.id for row in waits))
