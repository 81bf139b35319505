"""What is the plan of these apps, with everything read fresh from the store?

Reads the declared and the recorded side and asks the planner. Used by the daemon's turn and, in a transaction
that is rolled back, by the dry run: the plan that is shown is made by the code that carries it out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from reconciler.desired import Desired, Tracked, desired
from reconciler.model.app import App
from reconciler.model.entry import EnvironmentEntry, ScheduleEntry
from reconciler.model.plan import Deploy, Plan
from reconciler.model.season import Season
from reconciler.planner import groups
from reconciler.planner.plan import plan
from reconciler.planner.recorded import Dependency, FurtherBack, RecordedApp
from reconciler.store import declared
from reconciler.store.passing import Line, Needs
from reconciler.store.recorded import load
from reconciler.views.scene import Scene, manifests_of
from reconciler.views.unjudged import unjudged


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What is declared of one app and what is recorded of it. `app` is None once it has left git."""

    app: App | None
    row: Any
    wanted: Mapping[str, Desired]
    recorded: RecordedApp


def plan_apps(
    connection: Connection,
    names: Sequence[str],
    scene: Scene,
    now: datetime,
    judge: Callable[[set[str]], None] | None = None,
) -> Iterator[dict[str, Plan]]:
    """The plans of these apps at `now` (UTC) by name, in batches: what others depend on comes in an earlier one.

    Those that move together with one of them are planned with it. Read lazily: the caller writes a batch's intents
    down before it asks for the next. `judge` looks at the signatures of commits and writes down what they are worth.
    """
    company = groups.companions(scene.groups)
    for batch in _in_order(connection, _with_companions(names, company), company):
        found = sides_planned(connection, batch, scene, now, near=True)
        signed = [unjudged(side.wanted, side.recorded) for side, _ in found.values()] if judge else []
        if judge is not None and any(signed):
            judge(set().union(*signed))
            found = sides_planned(connection, batch, scene, now, near=True)
        plans = {name: planned for name, (_, planned) in found.items()}
        yield plans | {name: _unknown(name, scene, now) for name in batch if name in names and name not in plans}


def _with_companions(names: Sequence[str], company: Mapping[str, frozenset[str]]) -> Sequence[str]:
    if not company:
        return names
    found: dict[str, None] = {}
    for name in names:
        if name not in found:  # else its companions are there as well
            found |= dict.fromkeys((name, *sorted(company.get(name, ()))))
    return list(found)


def _unknown(name: str, scene: Scene, now: datetime) -> Plan:
    return plan(None, {}, scene.environments, RecordedApp(app=name, content=None, content_touch=None), now)


def sides_planned(
    connection: Connection, names: Sequence[str], scene: Scene, now: datetime, *, near: bool = False
) -> dict[str, tuple[Side, Plan]]:
    """Both sides of these apps, and of those that move together with them, with their plans at `now` (UTC).

    What nobody knows is left out. A side's `recorded` holds what the app's group says about it. `near`: it need not
    reach back further than its plan needs it to; see `Newest`.
    """
    company = groups.companions(scene.groups)
    names = _with_companions(names, company)
    sides = both_sides(connection, names, scene, now, near=near)
    planned, further = _planned(sides, scene, now)
    if further:
        again, _ = _planned(both_sides(connection, further, scene, now), scene, now)
        planned = {name: again.get(name) or planned[name] for name in sides}
    for several in sorted({company[name] for name in names if name in company}, key=sorted):
        here = {name: planned[name] for name in sorted(several) if name in planned}
        if len(here) > 1:
            planned |= _jointly(connection, here, scene, now)
    return planned


def _planned(sides: Mapping[str, Side], scene: Scene, now: datetime) -> tuple[dict[str, tuple[Side, Plan]], list[str]]:
    """Each side with its plan; and the names of those for which it must reach back further."""
    planned, further = {}, []
    for name, side in sides.items():
        try:
            planned[name] = (side, _side_plan(side, scene, now))
        except FurtherBack:
            further.append(name)
    return planned, further


def _side_plan(side: Side, scene: Scene, now: datetime) -> Plan:
    return plan(side.app, side.wanted, scene.environments, side.recorded, now)


def _jointly(
    connection: Connection, alone: Mapping[str, tuple[Side, Plan]], scene: Scene, now: datetime
) -> dict[str, tuple[Side, Plan]]:
    """Apps that move together, planned again with what their group says; one that depends on another after it."""
    needs = _needs(connection, alone) if any(side.recorded.dependencies for side, _ in alone.values()) else {}
    members = {
        name: groups.Member(
            wanted=side.wanted,
            recorded=side.recorded,
            plan=planned,
            leads=frozenset(on for on in needs.get(name, ()) if _reaches(on, alone, needs)),
        )
        for name, (side, planned) in alone.items()
        if side.app is not None
    }
    said = groups.joint(members, scene.groups, scene.environments, now)
    done: dict[str, tuple[Side, Plan]] = {}
    for batch in _levels(list(alone), needs, {}):
        for name in batch:
            recorded = alone[name][0].recorded
            dependencies = tuple(_begun(one, done) for one in recorded.dependencies)
            recorded = replace(recorded, joint=said.get(name, {}), dependencies=dependencies)
            side = replace(alone[name][0], recorded=recorded)
            done[name] = (side, _side_plan(side, scene, now))
    return done


def _begun(one: Dependency, done: Mapping[str, tuple[Side, Plan]]) -> Dependency:
    """A dependency as it stands once what was planned just now is written down."""
    actions = done[one.app][1].actions if one.app in done else ()
    begins = any(isinstance(action, Deploy) and action.environment == one.environment for action in actions)
    return replace(one, active=True) if begins else one


def _needs(connection: Connection, names: Iterable[str]) -> dict[str, list[str]]:
    """What these apps depend on, and what that depends on, and so on."""
    known: dict[str, list[str]] = {}
    ahead = set(names)
    while ahead:
        found = declared.depends_on(connection, ahead)
        known |= {name: found.get(name, []) for name in ahead}
        ahead = {on for several in found.values() for on in several} - known.keys()
    return known


def _reaches(start: str, goals: Collection[str], needs: Mapping[str, Sequence[str]]) -> bool:
    """Whether an app is one of these, or depends on one, however far."""
    ahead, seen = [start], {start}
    while ahead:
        here = ahead.pop()
        if here in goals:
            return True
        fresh = [on for on in needs.get(here, ()) if on not in seen]
        seen.update(fresh)
        ahead += fresh
    return False


def both_sides(
    connection: Connection,
    names: Sequence[str],
    scene: Scene,
    now: datetime,
    *,
    versions: bool = False,
    near: bool = False,
) -> dict[str, Side]:
    """What is declared and what is recorded of these apps at `now` (UTC); those that nobody knows are left out.

    `versions`: also the versions that ran, where nothing else asks for them. `near`: only the newest deployments, where
    neither gates nor a group look further back; see `Newest`.
    """
    rows = declared.apps(connection, names)
    apps = manifests_of(rows)
    wanted = {name: wanted_of(app, scene, now) for name, app in apps.items()}
    references = {name: references_of(app, scene.seasons) for name, app in apps.items() if app}
    needs = needs_of(wanted)
    company = groups.companions(scene.groups)
    if versions or not company.keys().isdisjoint(apps):
        needs = replace(needs, versions=True)  # to go back with another, its guards ask for the versions
    looked_back = company.keys() | {name for name, here in wanted.items() if any(map(_is_gated, here.values()))}
    close = apps.keys() - looked_back if near else ()
    recorded = load(connection, list(apps), references, rows, needs, close)
    return {
        name: Side(app=app, row=rows[name], wanted=wanted[name], recorded=recorded[name])
        for name, app in apps.items()
        if name in recorded
    }


def needs_of(wanted: Mapping[str, Mapping[str, Desired]]) -> Needs:
    """What gates, freezes and holds ask to be known of these apps besides."""
    every = [one for by_environment in wanted.values() for one in by_environment.values()]
    gated = [one for one in every if _is_gated(one)]
    return Needs(
        lines=tuple(_line(one, one.base_choice) for one in gated if isinstance(one.base_choice, Tracked)),
        versions=bool(gated) or any(one.freezes for one in every),
        signed=any(one.gates is not None and one.gates.signed for one in gated),
    )


def _is_gated(one: Desired) -> bool:
    return one.gates is not None or one.train is not None


def _line(wanted: Desired, choice: Tracked) -> Line:
    leaves = wanted.train.last if wanted.train and wanted.train.last else wanted.at
    soak = wanted.gates.soak if wanted.gates and wanted.gates.soak else timedelta()
    return Line(app=wanted.app, environment=choice.environment, moment=leaves - soak)


def wanted_of(app: App | None, scene: Scene, now: datetime) -> dict[str, Desired]:
    """What should run of an app in each of its environments."""
    if app is None:
        return {}
    known = [scene.environments[name] for name in app.spec.environments if name in scene.environments]
    return {one.name: desired(app, one, scene.environments, scene.seasons, now, scene.freezes) for one in known}


def references_of(app: App, seasons: Sequence[Season]) -> set[str]:
    """Every version reference that can concern an app."""
    found: set[str | None] = set()
    for entry in app.spec.environments.values():
        if entry.experiment:
            found |= {entry.experiment.control, entry.experiment.variant}
        parts: list[EnvironmentEntry | ScheduleEntry] = [entry, *entry.schedule]
        for part in parts:
            found.add(part.version)
            found.update(share.version for share in part.traffic or ())
    for season in seasons:
        if season.covers(app.name, app.metadata.labels):
            found.add(season.spec.version)
            found.update(share.version for share in season.spec.traffic or ())
    return {reference for reference in found if reference}


def _in_order(
    connection: Connection, names: Sequence[str], company: Mapping[str, frozenset[str]]
) -> Iterator[list[str]]:
    """The names in batches, so that an app stands in a later one than what it depends on, and with its companions."""
    needs = declared.depends_on(connection, names) if len(names) > 1 else {}
    yield from _levels(names, needs, company)


def _levels(
    names: Sequence[str], needs: Mapping[str, Sequence[str]], company: Mapping[str, frozenset[str]]
) -> Iterator[list[str]]:
    left = set(names)
    while left:
        held = {_with(name, company) for name in needs if name in left and _needs_first(name, left, needs, company)}
        stay = frozenset[str]().union(*held)
        ready = [name for name in names if name in left and name not in stay]
        batch = ready or sorted(left)  # a cycle has been complained about, or leads through a group: any order will do
        yield batch
        left -= set(batch)


def _needs_first(
    name: str, left: Collection[str], needs: Mapping[str, Sequence[str]], company: Mapping[str, frozenset[str]]
) -> bool:
    return any(on in left and on not in _with(name, company) for on in needs[name])


def _with(name: str, company: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return company.get(name) or frozenset((name,))
