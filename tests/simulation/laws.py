"""What must hold of a simulated world, whatever went wrong in it? Each law says what is not so, or nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select

from reconciler.desired import Desired, Pinned
from reconciler.model.deployment import LEGAL, Deployment
from reconciler.model.plan import Plan
from reconciler.store import attention, declared, deployments, ledger, tables
from reconciler.views.planning import plan_apps, sides_planned
from reconciler.views.scene import scene_of
from tests.simulation.storage import SimulatedDatabase, session
from tests.simulation.world import World
from tests.world import CHAIN

Place = tuple[str, str]
MOST_OF_ONE = 12
"""So many deployments of the same, for the same commit and cause, are a storm."""
TURNS_FOR_EACH = 60
"""So many turns may follow, on the average, from each commit, deployment, fault and wish, for each daemon."""
ON_TIME = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Ending:
    """What stands in the end."""

    versions: dict[str, list[tuple[int, str, str]]]
    running: dict[Place, tuple[Any, ...]]
    deployments: int


class Court:
    """Looks at a world that has come to rest."""

    def __init__(self, world: World) -> None:
        self.world = world
        database = SimulatedDatabase(world.storage, lambda _name: None)
        with session(world.storage.ours), database.read() as connection:
            listed = deployments.listed(connection, deployments.Filter(limit=1_000_000))[::-1]
            self.deployments = listed
            self.by_place: dict[Place, list[Deployment]] = defaultdict(list)
            for one in listed:
                self.by_place[one.app, one.environment].append(one)
            self.facts = list(ledger.export(connection))
            self.verified = ledger.verify(connection)
            self.versions = _versions(connection)
            self.held = {(row.app, row.environment) for row in connection.execute(select(tables.holds))}
            self.withdrawn = set(connection.scalars(select(tables.withdrawals.c.version)))
            self.head = connection.execute(select(tables.repository)).one()
            self.plans, self.wanted = _plans(connection, world)
            self.attended = attention.with_something_to_say(connection)

    @property
    def ending(self) -> Ending:
        """What stands in the end."""
        running = {}
        for place, several in self.by_place.items():
            last = next((one for one in reversed(several) if one.status == "completed"), None)
            # Where nothing moves any more, since its file is broken or it has left git, what came shortly before that
            # may have come too late.
            broken = any(one.waits_for == "manifest" for one in self.plans[place[0]].waiting)
            if last is not None and not broken and place in self.wanted and not self._cut_off(*place):
                running[place] = (tuple((p.version, p.number, p.percent) for p in last.traffic), _plain(last.config))
        return Ending(self.versions, running, len(self.deployments))

    def _cut_off(self, app: str, environment: str) -> bool:
        """Whether one that comes before it is pinned: what had passed that by then and what had not is a matter of
        moments."""
        before = CHAIN[: CHAIN.index(environment)]
        return any(one.pinned for name in before if (one := self.wanted.get((app, name))))

    def findings(self) -> list[str]:
        """All that is not so."""
        laws = (
            self._nothing_broke,
            self._nothing_is_lost,
            self._numbers_have_no_gap,
            self._nothing_is_done_twice,
            self._moves_are_legal,
            self._the_ledger_is_whole,
            self._git_is_noted,
            self._the_plan_is_empty,
            self._who_has_something_to_say_is_found,
            self._what_is_recorded_runs,
            self._what_git_asks_for_runs,
            self._nothing_withdrawn_runs,
            self._no_storm,
            self._changes_are_on_time,
        )
        return [found for law in laws for found in law()]

    def _nothing_broke(self) -> Iterator[str]:
        yield from self.world.moments.broken
        yield from self.world.around.faults_of_ours

    def _nothing_is_lost(self) -> Iterator[str]:
        for one in self.deployments:
            if one.active:
                yield f"{_named(one)} is still {one.status}: {one.error or one.reason}"

    def _numbers_have_no_gap(self) -> Iterator[str]:
        for place, several in self.by_place.items():
            numbers = [one.number for one in several]
            if numbers != list(range(1, len(numbers) + 1)):
                yield f"{place} has the deployments {numbers}"
        for app, several in self.versions.items():
            numbers = [number for number, _, _ in several]
            if numbers != list(range(1, len(numbers) + 1)):
                yield f"{app} has the versions {numbers}"

    def _nothing_is_done_twice(self) -> Iterator[str]:
        for (deployment, traffic), times in self.world.estate.effects.items():
            if times > 1:
                yield f"{deployment} was carried out {times} times, with {traffic}"

    def _moves_are_legal(self) -> Iterator[str]:
        status: dict[str, str] = {}
        active: dict[Place, str] = {}
        for fact in self.facts:
            what = fact["kind"].removeprefix("deployment.")
            if what not in LEGAL or what == fact["kind"]:
                continue
            before, one, place = status.get(fact["subject"]), fact["subject"], (fact["app"], fact["environment"])
            legal = what == "pending" if before is None else what in LEGAL[before] or what == before == "started"
            if not legal:
                yield f"{one} went from {before} to {what}"
            if what == "pending" and place in active:
                yield f"{one} was made beside {active[place]}, which had not ended"
            status[one] = what
            if what in ("pending", "started"):
                active[place] = one
            else:
                active.pop(place, None)

    def _the_ledger_is_whole(self) -> Iterator[str]:
        if self.verified.broken_after is not None:
            yield f"the ledger is broken after {self.verified.broken_after}"
        if self.verified.unsealed:
            yield f"{self.verified.unsealed} facts are not sealed"

    def _git_is_noted(self) -> Iterator[str]:
        head = self.world.repository.branches["main"]
        if self.head.head != head:
            yield f"the branch is at {head}, and {self.head.head} is noted"

    def _the_plan_is_empty(self) -> Iterator[str]:
        for app, plan in self.plans.items():
            for action in plan.actions:
                yield f"{app} is at rest, and its plan is {action}"

    def _who_has_something_to_say_is_found(self) -> Iterator[str]:
        """`plan` tells of what waits and what is refused, and plans only the apps that are found by their traces."""
        for app, plan in self.plans.items():
            for one in (*plan.waiting, *plan.refused):
                if app not in self.attended:
                    yield f"`plan` would not tell of {app}: {one}"

    def _what_is_recorded_runs(self) -> Iterator[str]:
        for place, several in self.by_place.items():
            last, runs = several[-1], self.world.estate.runs.get(place)
            if last.status != "completed":
                continue  # what a failed or stopped one left is known to the target alone
            traffic = tuple((part.version, float(part.percent)) for part in last.traffic)
            if runs is None or (runs.act.deployment, runs.traffic) != (last.id, traffic):
                yield f"{_named(last)} is completed, and there runs {runs}"

    def _what_git_asks_for_runs(self) -> Iterator[str]:
        """Where nothing but the newest is asked for, it runs, or the plan says why not."""
        for (app, environment), wanted in self.wanted.items():
            if wanted.content is None or not self._plainly_follows(app, environment):
                continue
            last = next(
                (d for d in reversed(self.by_place.get((app, environment), [])) if d.status == "completed"), None
            )
            runs = [part.version for part in last.traffic] if last is not None else []
            if runs != [wanted.content] and not self._said(app):
                yield f"{app} in {environment} runs {runs}, git asks for {wanted.content}, and nobody says why"

    def _nothing_withdrawn_runs(self) -> Iterator[str]:
        for (app, environment), several in self.by_place.items():
            last = next((one for one in reversed(several) if one.status == "completed"), None)
            if last is None or not self._plainly_follows(app, environment) or self._said(app):
                continue
            for part in last.traffic:
                if part.version in self.withdrawn:
                    yield f"{_named(last)} runs v{part.number}, which was taken back, and nobody says why"

    def _no_storm(self) -> Iterator[str]:
        alike = Counter(
            (one.app, one.environment, one.cause, one.commit, one.subject.fingerprint) for one in self.deployments
        )
        for which, times in alike.items():
            if times > MOST_OF_ONE:
                yield f"{times} deployments of the same: {which}"
        world = self.world
        caused = len(world.author.ids) + len(self.deployments) + world.faults.count + 20
        idle = world.moments.t / 1_000_000 / world.around.interval.total_seconds() * 3
        most = (caused * TURNS_FOR_EACH + idle) * world.sort.daemons
        if world.around.turns > most:
            yield f"{world.around.turns} turns, where at the most {most:.0f} were to be expected"

    def _changes_are_on_time(self) -> Iterator[str]:
        """Where nothing hinders them: no fault, person, gate or freeze, no commit that had to come first, and no
        deployment that had begun before and takes its time, such as a gradual one: they begin when that has ended."""
        sort, pushed = self.world.sort, self.world.author.pushed_at
        if sort.faults_a_day or sort.wishes_a_day or sort.approvals or sort.habits.kinds["freeze"]:
            return
        for one in self.deployments:
            if one.late_by_seconds is None:
                continue
            due = one.created_at - timedelta(seconds=one.late_by_seconds)
            before = [d.finished_at for d in self.by_place[one.app, one.environment] if d.number < one.number]
            free = max([due, *(ended for ended in before if ended is not None)])
            late = one.created_at - free > ON_TIME
            if late and not any(timedelta() <= one.created_at - at < timedelta(minutes=1) for at in pushed):
                yield f"{_named(one)} was {one.late_by_seconds} seconds late"

    def _plainly_follows(self, app: str, environment: str) -> bool:
        """Whether nothing but the newest is asked for there and on the way there."""
        chain = [self.wanted.get((app, name)) for name in CHAIN[: CHAIN.index(environment) + 1]]
        return all(one is not None and one.by == "base" and not one.pinned for one in chain)

    def _said(self, app: str) -> bool:
        plan = self.plans.get(app)
        return bool(plan and (plan.waiting or plan.refused)) or any(held[0] == app for held in self.held)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What git asks for in a place."""

    content: str | None
    by: str
    pinned: bool


def differs(ours: Ending, twin: Ending) -> list[str]:
    """What became of a world with faults that did not become of its twin without."""
    apps = sorted({*ours.versions, *twin.versions})
    places = sorted({*ours.running, *twin.running})
    there: list[tuple[str, Any, Any]] = [
        (f"{app} has the versions", ours.versions.get(app), twin.versions.get(app)) for app in apps
    ]
    there += [(f"{place} runs", ours.running.get(place), twin.running.get(place)) for place in places]
    return [f"{what} {one}, undisturbed {other}" for what, one, other in there if one != other]


def _plans(connection: Connection, world: World) -> tuple[dict[str, Plan], dict[Place, Wanted]]:
    scene, now = scene_of(connection), world.moments.now
    names = declared.known_names(connection)
    plans = {name: plan for plans in plan_apps(connection, names, scene, now) for name, plan in plans.items()}
    wanted: dict[Place, Wanted] = {}
    for name, (side, _) in sides_planned(connection, names, scene, now).items():
        for environment, one in side.wanted.items():
            wanted[name, environment] = _wanted(side.recorded.content, one)
    return plans, wanted


def _wanted(content: str | None, one: Desired) -> Wanted:
    return Wanted(content, one.chosen_by, isinstance(one.choice, Pinned))


def _versions(connection: Connection) -> dict[str, list[tuple[int, str, str]]]:
    found: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    of = tables.versions.c
    for row in connection.execute(select(of.app, of.number, of.id, of.commit).order_by(of.app, of.number)):
        found[row.app].append((row.number, row.id, row.commit))
    return dict(found)


def _named(one: Deployment) -> str:
    return f"{one.app} in {one.environment}, deployment {one.number} ({one.cause}, {one.id})"


def _plain(config: Any) -> str:
    return repr(sorted(config.items()))
