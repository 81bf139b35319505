"""The recorded side as plain values: plans are carried out on what `noted` knows, without git, store or targets.

Thousands of random histories a minute for the planner's properties. What is to be done is asked of the real planner;
only the bookkeeping of the store and the engine is told again here, as briefly as it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from reconciler.desired import Desired
from reconciler.model.deployment import LEGAL, ROLLBACKS, Deployment, Status
from reconciler.model.environment import Environment
from reconciler.model.plan import Abort, Advance, Deploy, Plan
from reconciler.model.rollout import Progress
from reconciler.model.season import Freeze
from reconciler.planner import rollouts
from reconciler.planner.plan import plan
from reconciler.planner.recorded import (
    AbortRequest,
    EnvironmentRecord,
    FurtherBack,
    Newest,
    RecordedApp,
    RetryRequest,
    Suspicion,
)
from tests.builders import desires, version
from tests.noted import SHOP, Noted

TICK = timedelta(milliseconds=1)
"""How long a turn takes."""
Answer = Callable[[Deployment], str]
"""How a target fares with a deployment: completed, failed or later."""


def completes(_: Deployment) -> str:
    """A target that takes everything."""
    return "completed"


class Simulated(Noted):
    """The app in a chain of environments, into which versions are released."""

    def __init__(self, environments: Mapping[str, Environment], freezes: Sequence[Freeze] = ()) -> None:
        super().__init__()
        self.environments = environments
        self.freezes = freezes
        self.deployments: dict[str, list[Deployment]] = {name: [] for name in environments}
        self.stopping: set[str] = set()
        self.suspicions: dict[str, dict[str, Suspicion]] = {name: {} for name in environments}
        self.aborts: list[AbortRequest] = []
        self.retries: list[RetryRequest] = []
        self.moves: dict[str, list[Status]] = {}

    # Planning

    def desired(self) -> dict[str, Desired]:
        """What should run now."""
        if self.app is None:
            return {}
        return desires(self.app, self.environments, self.now, tuple(self.seasons.values()), self.freezes)

    def recorded(self) -> RecordedApp:
        """What the planner is told."""
        versions = {version(n).id: version(n) for n in self.numbers.values()}
        return RecordedApp(
            app=SHOP,
            content=self.content,
            content_touch=self.content_touch,
            versions=versions,
            references={f"v{n}": version(n).id for n in self.numbers.values()},
            environments={name: self._record(name) for name in self.environments if name in self.placements},
            withdrawn=dict(self.withdrawn),
            aborts=tuple(self.aborts),
            retries=tuple(self.retries),
            complaints=self.complaints,
        )

    def _record(self, name: str) -> EnvironmentRecord:
        entry, touch = self.placements[name]
        return EnvironmentRecord(
            environment=name,
            declared=entry is not None,
            touch=touch,
            recent=tuple(reversed(self.deployments[name])),
            suspicions=dict(self.suspicions[name]),
        )

    def plan(self) -> Plan:
        """The plan now: the same from the newest deployments alone, where it says at all that they are enough."""
        found = plan(self.app, self.desired(), self.environments, self.recorded(), self.now)
        count = 1 + sum(map(len, self.deployments.values())) % 3
        with suppress(FurtherBack):
            assert plan(self.app, self.desired(), self.environments, _near(self.recorded(), count), self.now) == found
        return found

    # Doing

    def carry(self, found: Plan) -> None:
        """Write a plan's intents down."""
        for action in found.actions:
            if isinstance(action, Abort):
                self._stop(action)
            elif isinstance(action, Advance):
                self._go_on(self.find(action.deployment))
        for action in found.actions:
            if isinstance(action, Deploy):
                self._create(action)

    def _stop(self, action: Abort) -> None:
        asked = any(wish.deployment == action.deployment for wish in self.aborts)
        self.aborts = [wish for wish in self.aborts if wish.deployment != action.deployment]
        if action.running:
            self.stopping.add(action.deployment)
            return
        self._move(action.deployment, "aborted")
        if asked:
            self._suspect(self.find(action.deployment), [], "was stopped")

    def _create(self, wish: Deploy) -> None:
        several = self.deployments[wish.environment]
        assert not (several and several[-1].active), "one at a time"
        number = len(several) + 1
        made = Deployment(
            id=f"{wish.environment}-{number}",
            number=number,
            app=SHOP,
            environment=wish.environment,
            status="pending",
            cause=wish.cause,
            traffic=wish.subject.traffic,
            config=wish.subject.config,
            commit=wish.commit,
            reason=wish.reason,
            rolled_back_from=wish.rolled_back_from,
            created_at=self.now,
            grounds=wish.grounds,
            rollout=Progress(course=wish.rollout) if wish.rollout else None,
        )
        several.append(made)
        self.moves[made.id] = ["pending"]
        if wish.cause == "retry":
            self.retries = [one for one in self.retries if self.find(one.deployment).environment != wish.environment]
            for what in (wish.subject.fingerprint, *(part.version for part in wish.subject.traffic)):
                self.suspicions[wish.environment].pop(what, None)

    def find(self, identifier: str) -> Deployment:
        """The deployment of this id."""
        environment, _, number = identifier.rpartition("-")
        return self.deployments[environment][int(number) - 1]

    def _put(self, deployment: Deployment) -> Deployment:
        self.deployments[deployment.environment][deployment.number - 1] = deployment
        return deployment

    def _move(self, identifier: str, status: Status) -> Deployment:
        one = self.find(identifier)
        assert status in LEGAL[one.status], f"{identifier}: {one.status} -> {status}"
        self.moves[identifier].append(status)
        stamps = {"started_at": self.now} if status == "started" else {"finished_at": self.now}
        return self._put(replace(one, status=status, next_attempt_at=None, **stamps))

    def _suspect(self, one: Deployment, blamed: list[str], why: str) -> None:
        for what in (one.subject.fingerprint, *blamed):
            self.suspicions[one.environment][what] = Suspicion(
                what=what, deployment=one.id, number=one.number, at=self.now, why=why
            )

    def active(self) -> list[Deployment]:
        """What is still to end, in the order of the chain."""
        return [several[-1] for several in self.deployments.values() if several and several[-1].active]

    def start(self, one: Deployment) -> None:
        """A pending deployment has its turn, or one whose attempt failed is tried again."""
        if one.status == "pending":
            begun = self._move(one.id, "started")
            if begun.rollout is not None:
                self._put(replace(begun, rollout=rollouts.begin(begun.rollout, self.now)))
        elif one.next_attempt_at is not None and one.next_attempt_at <= self.now:
            self._put(replace(one, next_attempt_at=None))

    def answer(self, one: Deployment, how: str) -> None:
        """A target's answer about a started deployment."""
        if one.status != "started" or one.next_attempt_at is not None or one.resting:
            return
        if how == "completed" and one.rollout is not None and rollouts.follows(one.rollout, self.now) is not None:
            if one.id in self.stopping:
                self._move(one.id, "aborted")
            else:
                self._go_on(one)
        elif how == "completed":
            done = self._move(one.id, "completed")
            for what in (done.subject.fingerprint, *(part.version for part in done.traffic)):
                self.suspicions[one.environment].pop(what, None)
        elif one.id in self.stopping:
            self._move(one.id, "aborted")
        elif how == "later":
            pause = timedelta(minutes=1)
            self._put(replace(one, attempts=one.attempts + 1, next_attempt_at=self.now + pause, error="later"))
        else:
            self._fail(one)

    def _fail(self, one: Deployment) -> None:
        failed = self._move(one.id, "failed")
        several = self.deployments[one.environment]
        last = next((d for d in reversed(several) if d.status == "completed"), None)
        good = {part.version for part in last.traffic} if last else set()
        blamed = [] if one.cause in ROLLBACKS else [p.version for p in failed.traffic if p.version not in good]
        self._suspect(failed, blamed, "failed")

    def _go_on(self, one: Deployment) -> None:
        """A phase of a rollout has ended well, or it has rested for long enough."""
        assert one.rollout is not None
        following = rollouts.follows(one.rollout, self.now)
        assert following is not None
        self._put(replace(one, rollout=following, attempts=0))

    def turn(self, answer: Answer = completes) -> bool:
        """One turn, without waiting for anything; whether it did something."""
        found = self.plan()
        self.carry(found)
        self.now += TICK
        waiting = [one for one in self.active() if not one.resting]
        for one in waiting:
            self.start(one)
            self.answer(self.find(one.id), answer(one))
        return bool(waiting) or not found.empty

    def settle(self, answer: Answer = completes, most: int = 60) -> None:
        """Do all that can be done now; a target's `later` is waited for, and so are the steps of rollouts."""
        for _ in range(most):
            found = self.plan()
            self.carry(found)
            waiting = self.active()
            if not waiting and found.empty:
                return
            self.now += TICK
            moments = [one.next_attempt_at or (one.rollout.until if one.rollout else None) for one in waiting]
            if all(moments) and waiting and found.empty:
                self.now = max(self.now, min(moment for moment in moments if moment))
            for one in waiting:
                self.start(one)
                self.answer(self.find(one.id), answer(one))
        raise AssertionError(f"it never settles: {self.told()}")

    def told(self) -> str:
        """The deployments as a person would want to read them."""
        return "\n".join(
            f"{d.environment} {d.number} {d.cause} {d.status} {[p.number for p in d.traffic]} {d.config} ({d.reason})"
            for several in self.deployments.values()
            for d in several
        )

    # What runs

    def runs(self, environment: str) -> Deployment | None:
        """The newest that completed."""
        return next((d for d in reversed(self.deployments[environment]) if d.status == "completed"), None)


def refuses_bad(simulated: Simulated, where: set[str]) -> Answer:
    """Targets that refuse the bad content in some environments."""

    def answer(one: Deployment) -> str:
        bad = {part.number for part in one.traffic} & simulated.bad_numbers()
        return "failed" if one.environment in where and bad else "completed"

    return answer


def _near(recorded: RecordedApp, count: int) -> RecordedApp:
    """What the planner is told of so many deployments."""
    short = {
        name: replace(one, recent=Newest(tuple(one.recent)[:count])) if len(one.recent) > count else one
        for name, one in recorded.environments.items()
    }
    return replace(recorded, environments=short)
