"""What do apps that move together do in an environment: who waits for whom, who moves, who goes back with whom?

Every member is planned alone first; from these answers follows what the group says about each (`Joint`), and with
that it is planned again. All of it follows from what is recorded, so it does not matter when or how often it is asked.

*Promoted as one.* New versions that enter by themselves wait until every member that has something new at this
environment is ready: it has passed its gates, and no freeze or deployment is in its way. So is waited for what was on a
member's way further up the chain when the first of those ready became so; what came later is not, so that nobody
starves. Then all enter in one turn. A member with nothing new holds nobody. A member whose only hindrance is that
it depends on another member follows as soon as that one has completed, in the same move.

*Held as one.* While a member is paused, suspect here or held by a broken file, nothing new enters for any of them.

*Rolled back as one.* When a member leaves what it entered with in a move by going back, all that moved with it go back
to what they ran before, and stay there until the one that went back first has something that may enter again: then they
move together, or alone with a newer version of their own. Where on_failure is hold, nobody goes back.

What a person names goes alone and holds nobody: a pin, a split, a season's version, another try. An app in two groups
joins them where both hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from operator import itemgetter
from typing import Literal

from reconciler.desired import Desired, Tracked
from reconciler.model.deployment import Deployment
from reconciler.model.environment import Environment
from reconciler.model.plan import Abort, Deploy, Plan, Waiting
from reconciler.model.sets import Group
from reconciler.model.traffic import versions_in
from reconciler.model.version import canonical, spoken
from reconciler.planner import fallen
from reconciler.planner.aim import aim, goes_along
from reconciler.planner.answer import Aim, Answer
from reconciler.planner.joint import Joint
from reconciler.planner.promotions import in_line, own, rolling
from reconciler.planner.recorded import EnvironmentRecord, RecordedApp

_NAMED = 3
"""So many of those that are waited for are named in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An app of a group: what should run of it, what is recorded, and its plan if it were alone."""

    wanted: Mapping[str, Desired]
    recorded: RecordedApp
    plan: Plan
    leads: frozenset[str] = frozenset()
    """Those of its dependencies that are members, or that depend on one."""


Phase = Literal["ready", "moving", "coming", "quiet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stand:
    """How a member stands in the environment that is asked about."""

    name: str
    wanted: Desired
    record: EnvironmentRecord
    app: RecordedApp
    answer: Answer
    goal: Aim | None
    """What would enter, if something would."""
    phase: Phase
    words: str = ""
    """What keeps it from entering."""
    until: datetime | None = None
    stopped: bool = False
    """Whether nothing new enters for the others, whatever it has itself."""


def companions(groups: Iterable[Group]) -> dict[str, frozenset[str]]:
    """By app, all apps that it is to be planned together with, itself among them; those in no group are left out."""
    found: dict[str, frozenset[str]] = {}
    for group in groups:
        several = frozenset(group.spec.apps).union(*(found.get(name, ()) for name in group.spec.apps))
        found.update(dict.fromkeys(several, several))
    return found


def joint(
    members: Mapping[str, Member], groups: Sequence[Group], environments: Mapping[str, Environment], now: datetime
) -> dict[str, dict[str, Joint]]:
    """What is said about each member at `now` (UTC), by app and environment; nothing where nothing is to be said."""
    said: dict[str, dict[str, Joint]] = {}
    for name in sorted({name for group in groups for name in group.spec.environments} & environments.keys()):
        here = [group for group in groups if name in group.spec.environments]
        for several in sorted(set(companions(here).values()), key=sorted):
            stands = [
                _stand(app, members[app], environments[name], now)
                for app in sorted(several)
                if app in members and name in members[app].wanted
            ]
            title = " and ".join(sorted(group.name for group in here if several.issuperset(group.spec.apps)))
            company = _Company(title, {one.name: one for one in stands}, members, environments, now)
            for app, words in company.said().items():
                said.setdefault(app, {})[name] = words
    return said


def _stand(name: str, member: Member, environment: Environment, now: datetime) -> _Stand:
    wanted, app = member.wanted[environment.name], member.recorded
    record = app.record(environment.name)
    answer = aim(wanted, app, record, environment.spec)
    goal = answer.aim if answer.aim and goes_along(answer.aim, wanted, app, record) else None
    phase = _phase(goal, answer, member, record)
    waits = [one for one in member.plan.waiting if one.environment == environment.name]
    refused = [one for one in member.plan.refused if one.environment == environment.name]
    stop = app.pause(wanted.environment, now, wanted.pause)
    details = [*(one.detail for one in refused), *(one.detail for one in waits), "it is not ready"]
    words = f"paused by {stop.by}: {stop.reason}" if stop else details[0]
    if phase == "moving" and record.active:
        words = f"deployment {record.active.number} ({spoken(record.active.traffic)}) is still to complete"
    return _Stand(
        name=name,
        wanted=wanted,
        record=record,
        app=app,
        answer=answer,
        goal=goal,
        phase=phase,
        words=words,
        until=stop.until if stop else max((one.until for one in waits if one.until), default=None),
        stopped=bool(app.complaints or stop or any(one.rule == "suspect" for one in answer.refused)),
    )


def _phase(goal: Aim | None, answer: Answer, member: Member, record: EnvironmentRecord) -> Phase:
    if goal is None and _lets_in(record):
        return "moving"
    if goal is None:
        at_gate = any(one.key for one in answer.waiting)
        return "coming" if at_gate or any(one.rule in ("suspect", "check") for one in answer.refused) else "quiet"
    wish = goal.subject
    here = [one for one in member.plan.actions if getattr(one, "environment", "") == record.environment]
    if record.active and record.active.subject.same_as(wish):
        return "coming" if any(isinstance(one, Abort) for one in here) else "moving"
    if any(isinstance(one, Deploy) and one.subject.same_as(wish) for one in here):
        return "ready"
    waits = {one.waits_for for one in member.plan.waiting if one.environment == record.environment and not one.key}
    blocking = {
        one.app
        for one in member.recorded.dependencies
        if one.environment == record.environment and (one.active or not one.completed)
    }
    return "ready" if waits == {"dependency"} and blocking <= member.leads else "coming"


def _lets_in(record: EnvironmentRecord) -> bool:
    """Whether something new is being let in step by step: it is as good as here, and not yet there."""
    active = rolling(record)
    here = {part.version for one in (record.running, own(record)) if one for part in one.traffic}
    return active is not None and not active.goes_back and not versions_in(active.traffic) <= here


@dataclass(frozen=True)
class _Holding:
    """Members that others wait for. What is said of them is the same for all who wait."""

    stands: Sequence[_Stand]

    def without(self, one: _Stand) -> _Holding:
        """Those members that are others than this one."""
        return _Holding([other for other in self.stands if other is not one]) if one.name in self._names else self

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(one.name for one in self.stands)

    @cached_property
    def words(self) -> str:
        """Who they are, and what keeps them."""
        said = "; ".join(f"{one.name}: {one.words}" for one in self.stands[:_NAMED])
        return said + (f"; and {len(self.stands) - _NAMED} more" if len(self.stands) > _NAMED else "")

    @cached_property
    def until(self) -> datetime | None:
        """When the last of them is ready (UTC); None where that is not known of all."""
        known = [one.until for one in self.stands if one.until is not None]
        return max(known) if known and len(known) == len(self.stands) else None


@dataclass(frozen=True)
class _Standing:
    """A move that what is here entered with, at one member or several."""

    names: frozenset[str]
    """All that it was made for."""
    marks: list[tuple[str, Deployment]]
    """Who stands in it, with the deployment that each entered with; in order of name."""

    @cached_property
    def _latest(self) -> datetime:
        return max(mark.created_at for _, mark in self.marks)

    def unfinished(self, one: _Stand) -> tuple[str, Deployment] | None:
        """The first of the others with which this one is still to enter."""
        move = self.marks[0][1].grounds.move
        ended = [d for d in one.record.recent if d.grounds.move == move and not d.active and d.started_at is not None]
        done = max((d.created_at for d in ended), default=None)
        if done is not None and self._latest <= done:
            return None
        others = (pair for pair in self.marks if pair[0] != one.name)
        return next((pair for pair in others if done is None or pair[1].created_at > done), None)


# What several of a company ask for is made once, with the first that asks: without it, planning a group would take the
# square of its size.
@dataclass(frozen=True)
class _Company:
    """The members of one group, or of several joined by an app, in one environment."""

    title: str
    stands: Mapping[str, _Stand]
    members: Mapping[str, Member]
    environments: Mapping[str, Environment]
    now: datetime

    def said(self) -> dict[str, Joint]:
        """What is said about each of them, as far as something is."""
        found: dict[str, Joint] = {}
        for name, trace in self._traces.items():
            way = fallen.ways_back(trace, self._moves, self.title)
            if way is not None:
                found[name] = way
        barred = {one.name: held for one in self.stands.values() if one.goal and (held := self._barred(one))}
        ready = [one for one in self.stands.values() if one.phase == "ready" and one.name not in barred]
        holders = self._holders(ready, barred)
        holding, stopping = _Holding(holders), _Holding([one for one in holders if one.stopped])
        joins = {one.name: mark for one in ready if (mark := self._unfinished(one))}
        together = [one for one in ready if one.name not in joins]
        move = self._move(together) if len(together) > 1 else Joint()
        for one in ready:
            mark = joins.get(one.name)
            others = (stopping if mark else holding).without(one)
            if others.stands:
                words = Joint(waiting=self._waiting(one, others))
            elif mark:
                words = Joint(move=mark.grounds.move, moved_with=mark.grounds.moved_with)
            else:
                words = move
            found[one.name] = _both(found.get(one.name), words)
        for name, waiting in barred.items():
            found[name] = _both(found.get(name), Joint(waiting=waiting, fallen=True))
        return {name: words for name, words in found.items() if words != Joint()}

    @cached_property
    def _traces(self) -> Mapping[str, fallen.Trace]:
        return {
            name: fallen.Trace(name=name, wanted=one.wanted, record=one.record, app=one.app, alone=one.answer.aim)
            for name, one in self.stands.items()
        }

    @cached_property
    def _moves(self) -> fallen.Moves:
        return fallen.Moves(self._traces.values())

    def _barred(self, one: _Stand) -> Waiting | None:
        """What went back with the group does not enter again before the one that went back first has something."""
        assert one.goal is not None
        mark = fallen.moved(one.record, versions_in(one.goal.subject.traffic))
        if mark is None or one.phase == "moving":
            return None
        first = next((other for other in self._still_back(mark) if other.name != one.name), None)
        if first is None:
            return None
        said = spoken(one.goal.subject.traffic)
        detail = (
            f"{said} went back together with {first.name}, of the group {self.title}: it enters again with what "
            f"{first.name} brings next; a newer version of {one.name} may enter, or `reconciler retry {mark.id}`"
        )
        return Waiting(app=one.name, environment=one.record.environment, waits_for="group", detail=detail)

    def _still_back(self, mark: Deployment) -> Sequence[fallen.Trace]:
        """Those that went back from a move and have nothing that may enter; who went back by itself comes first."""
        move = mark.grounds.move
        if move not in self._back:
            gone = self._moves.gone_back(mark)
            self._back[move] = [other for other in gone if self.stands[other.name].phase != "ready"]
        return self._back[move]

    @cached_property
    def _back(self) -> dict[str, Sequence[fallen.Trace]]:
        return {}

    def _holders(self, ready: Sequence[_Stand], barred: Mapping[str, Waiting]) -> list[_Stand]:
        """Members that those who are ready wait for."""
        found: list[_Stand] = []
        since = min((self._since(one, one.record.environment) for one in ready), default=self.now)
        for one in self.stands.values():
            if one.stopped or (one.phase in ("coming", "moving") and one.name not in barred):
                found.append(one)
            elif one.phase == "quiet" and ready and (way := self._on_its_way(one, since)):
                found.append(replace(one, words=way, until=None))
        return found

    def _since(self, one: _Stand, environment: str) -> datetime:
        """Since when the oldest of what is to enter is there (UTC)."""
        wanted = self.members[one.name].wanted[environment]
        if isinstance(wanted.choice, Tracked):
            upstream = one.app.record(wanted.choice.environment)
            line = in_line(upstream, one.app, one.app.record(environment))
            return min((d.finished_at or d.created_at for d in line), default=self.now)
        return one.app.content_touch.at if one.app.content_touch else self.now

    def _on_its_way(self, one: _Stand, since: datetime) -> str | None:
        """What came no later than `since`, and is still to enter an environment further up the chain."""
        member, here, seen = self.members[one.name], one.record.environment, {""}
        while here not in seen and here in member.wanted:
            seen.add(here)
            choice = member.wanted[here].base_choice
            if not isinstance(choice, Tracked) or choice.environment not in self.environments:
                return None
            here = choice.environment
            if here not in member.wanted:
                return None
            above = _stand(one.name, member, self.environments[here], self.now)
            if above.phase != "quiet" and self._since(above, here) <= since:
                what = spoken(above.goal.subject.traffic) if above.goal else "something new"
                return f"{what} is still on its way to {here}"
        return None

    def _unfinished(self, one: _Stand) -> Deployment | None:
        """The move of another that this one belongs to, and has not ended: it depends on that one, was paused before
        its turn, or is on its way with an older version."""
        here = [standing for standing in self._standing if one.name in standing.names]
        found = [pair for standing in here if (pair := standing.unfinished(one))]
        return min(found, key=itemgetter(0))[1] if found else None

    @cached_property
    def _standing(self) -> Sequence[_Standing]:
        by_move: dict[str, list[tuple[str, Deployment]]] = {}
        for name, one in self.stands.items():
            if mark := fallen.standing_mark(one.record):
                by_move.setdefault(mark.grounds.move, []).append((name, mark))
        return [_Standing(frozenset(marks[0][1].grounds.moved_with), marks) for marks in by_move.values()]

    def _move(self, together: Sequence[_Stand]) -> Joint:
        parts = [[one.name, sorted(versions_in(one.goal.subject.traffic))] for one in together if one.goal]
        text = canonical([together[0].record.environment, parts])
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return Joint(move=digest[:16], moved_with=tuple(one.name for one in together))

    def _waiting(self, one: _Stand, holding: _Holding) -> Waiting:
        assert one.goal is not None
        return Waiting(
            app=one.name,
            environment=one.record.environment,
            waits_for="group",
            until=holding.until,
            detail=f"{spoken(one.goal.subject.traffic)} waits for the group {self.title}: {holding.words}",
        )


def _both(before: Joint | None, words: Joint) -> Joint:
    """What is said of a way back stays besides what is said of new versions."""
    if before is None:
        return words
    return replace(words, back=before.back, refused=before.refused, lost=before.lost)
