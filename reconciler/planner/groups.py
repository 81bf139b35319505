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
from typing import Literal

from reconciler.desired import Desired, Tracked
from reconciler.model.deployment import Deployment
from reconciler.model.environment import Environment
from reconciler.model.plan import Abort, Deploy, Plan, Waiting
from reconciler.model.sets import Group
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
    record = _record(app, environment.name)
    answer = aim(wanted, app, record, environment.spec)
    goal = answer.aim if answer.aim and goes_along(answer.aim, wanted, app, record) else None
    phase = _phase(goal, answer, member, record)
    waits = [one for one in member.plan.waiting if one.environment == environment.name]
    refused = [one for one in member.plan.refused if one.environment == environment.name]
    stop = _pause(wanted, app, now)
    details = [*(one.detail for one in refused), *(one.detail for one in waits), "it is not ready"]
    words = stop[0] if stop else details[0]
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
        until=stop[1] if stop else max((one.until for one in waits if one.until), default=None),
        stopped=bool(app.complaints or stop or any(one.rule == "suspect" for one in answer.refused)),
    )


def _record(app: RecordedApp, environment: str) -> EnvironmentRecord:
    found = app.environments.get(environment)
    return found or EnvironmentRecord(environment=environment, declared=True, touch=None)


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
    return active is not None and not active.goes_back and not fallen.versions(active.traffic) <= here


def _pause(wanted: Desired, app: RecordedApp, now: datetime) -> tuple[str, datetime] | None:
    """A pause in force, asked for or declared."""
    asked = [(one.until, one.by, one.reason) for one in app.pauses if one.environment in (None, wanted.environment)]
    if wanted.pause is not None:
        asked.append((wanted.pause.until, wanted.pause.by, wanted.pause.reason))
    until, by, reason = max(asked, default=(now, "", ""))
    return (f"paused by {by}: {reason}", until) if until > now else None


@dataclass(frozen=True, slots=True)
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
        for one in self.stands.values():
            way = fallen.ways_back(self._trace(one), self._fellows(one), self.title)
            if way is not None:
                found[one.name] = way
        barred = {one.name: held for one in self.stands.values() if one.goal and (held := self._barred(one))}
        ready = [one for one in self.stands.values() if one.phase == "ready" and one.name not in barred]
        holders = self._holders(ready, barred)
        joins = {one.name: mark for one in ready if (mark := self._unfinished(one))}
        together = [one for one in ready if one.name not in joins]
        move = self._move(together) if len(together) > 1 else Joint()
        for one in ready:
            mark = joins.get(one.name)
            holding = [h for h in holders if h.name != one.name and (h.stopped or not mark)]
            if holding:
                words = Joint(waiting=self._waiting(one, holding))
            elif mark:
                words = Joint(move=mark.grounds.move, moved_with=mark.grounds.moved_with)
            else:
                words = move
            found[one.name] = _both(found.get(one.name), words)
        for name, waiting in barred.items():
            found[name] = _both(found.get(name), Joint(waiting=waiting, fallen=True))
        return {name: words for name, words in found.items() if words != Joint()}

    def _trace(self, one: _Stand) -> fallen.Trace:
        return fallen.Trace(name=one.name, wanted=one.wanted, record=one.record, app=one.app, alone=one.answer.aim)

    def _fellows(self, one: _Stand) -> dict[str, fallen.Trace]:
        return {other.name: self._trace(other) for other in self.stands.values() if other is not one}

    def _barred(self, one: _Stand) -> Waiting | None:
        """What went back with the group does not enter again before the one that went back first has something."""
        assert one.goal is not None
        mark = fallen.moved(one.record, fallen.versions(one.goal.subject.traffic))
        if mark is None or one.phase == "moving":
            return None
        back = fallen.gone_back(mark, self._fellows(one))
        still = [other for other in back if self.stands[other.name].phase != "ready"]
        if not still:
            return None
        said = spoken(one.goal.subject.traffic)
        first = fallen.first(still, mark)
        detail = (
            f"{said} went back together with {first.name}, of the group {self.title}: it enters again with what "
            f"{first.name} brings next; a newer version of {one.name} may enter, or `reconciler retry {mark.id}`"
        )
        return Waiting(app=one.name, environment=one.record.environment, waits_for="group", detail=detail)

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
            upstream = _record(one.app, wanted.choice.environment)
            line = in_line(upstream, one.app, _record(one.app, environment))
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
        for other in self.stands.values():
            mark = fallen.standing_mark(other.record) if other is not one else None
            if mark is None or one.name not in mark.grounds.moved_with:
                continue
            mine = [
                d for d in one.record.recent if d.grounds.move == mark.grounds.move and d.created_at >= mark.created_at
            ]
            if all(d.active or d.started_at is None for d in mine):
                return mark
        return None

    def _move(self, together: Sequence[_Stand]) -> Joint:
        parts = [[one.name, sorted(fallen.versions(one.goal.subject.traffic))] for one in together if one.goal]
        text = canonical([together[0].record.environment, parts])
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return Joint(move=digest[:16], moved_with=tuple(one.name for one in together))

    def _waiting(self, one: _Stand, holding: Sequence[_Stand]) -> Waiting:
        assert one.goal is not None
        said = "; ".join(f"{other.name}: {other.words}" for other in holding[:_NAMED])
        more = f"; and {len(holding) - _NAMED} more" if len(holding) > _NAMED else ""
        moments = [other.until for other in holding]
        known = [moment for moment in moments if moment is not None]
        return Waiting(
            app=one.name,
            environment=one.record.environment,
            waits_for="group",
            until=max(known) if known and len(known) == len(moments) else None,
            detail=f"{spoken(one.goal.subject.traffic)} waits for the group {self.title}: {said}{more}",
        )


def _both(before: Joint | None, words: Joint) -> Joint:
    """What is said of a way back stays besides what is said of new versions."""
    if before is None:
        return words
    return replace(words, back=before.back, refused=before.refused, lost=before.lost)
