"""What will run in an environment at a moment to come, where that is something else than now, and why?

Asked of the very plan that the daemon makes, at that moment. Only apps of which something becomes due until then can
differ; the others are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from reconciler.model.deployment import Allotment
from reconciler.model.output import Standing
from reconciler.model.version import canonical, spoken
from reconciler.planner import rollouts
from reconciler.store import declared, due
from reconciler.views.pictures import pictures
from reconciler.views.remarks import brief
from reconciler.views.standings import standings

MOST = 500
"""Apps that are looked at."""
_OVER = {
    "train": "the train leaves",
    "soak": "it has soaked",
    "pause": "the pause is over",
    "freeze": "the freeze is over",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """An app that runs something else at that moment."""

    app: str
    now: str
    then: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMoment:
    """What differs, of how many apps there are, and whether there may be more."""

    found: tuple[Then, ...]
    apps: int
    cut: bool


def at_moment(connection: Connection, environment: str, moment: datetime, now: datetime) -> AtMoment:
    """What will run in an environment at `moment`, after `now` (UTC), as far as nobody does anything until then."""
    names = due.placed_in(connection, environment, moment, MOST + 1)
    before = dict(_standing(connection, names[:MOST], environment, now))
    after = dict(_standing(connection, names[:MOST], environment, moment))
    found = (_differs(name, before[name], after[name], moment) for name in sorted(before.keys() & after.keys()))
    apps = declared.placed_in(connection).get(environment, 0)
    return AtMoment(found=tuple(one for one in found if one is not None), apps=apps, cut=len(names) > MOST)


def _standing(
    connection: Connection, names: list[str], environment: str, moment: datetime
) -> Iterator[tuple[str, Standing]]:
    for picture in pictures(connection, names, moment):
        for one in standings(picture, moment):
            if one.environment == environment:
                yield picture.name, one


def _differs(app: str, now: Standing, then: Standing, moment: datetime) -> Then | None:
    runs, becomes = _runs(now), _becomes(then)
    was, will = _settings(now), _settings(then)
    if becomes is None or (_shares(runs) == _shares(becomes) and was == will and now.seasons == then.seasons):
        return None
    return Then(
        app=app,
        now=_said(runs, now.seasons),
        then=_said(becomes, then.seasons),
        because=_because(now, then, moment),
    )


def _settings(one: Standing) -> str:
    return canonical(dict(one.desired.config)) if one.desired is not None else ""


def _runs(one: Standing) -> tuple[Allotment, ...]:
    if one.active is not None and one.active.status == "started":
        return rollouts.split(one.active)
    return one.deployment.traffic if one.deployment is not None else ()


def _becomes(one: Standing) -> tuple[Allotment, ...] | None:
    if one.held is not None or one.orphaned:
        return None
    if one.active is not None:
        return one.active.traffic  # it has come to its end by then
    return one.desired.traffic if one.desired is not None else None


def _shares(traffic: tuple[Allotment, ...]) -> dict[str, float]:
    return {part.version: float(part.percent) for part in traffic if part.percent}


def _said(traffic: tuple[Allotment, ...], seasons: tuple[str, ...]) -> str:
    return " + ".join([spoken(traffic), *seasons])


def _because(now: Standing, then: Standing, moment: datetime) -> str:
    said = [f"season {name}" for name in then.seasons if name not in now.seasons]
    said += [f"season {name} is over" for name in now.seasons if name not in then.seasons]
    if then.active is not None:
        said.append("the rollout is done, if nothing goes wrong")
    over = [one.waits_for for one in now.waiting if one.until is not None and one.until <= moment]
    said += [_OVER.get(name, f"{name} is over") for name in dict.fromkeys(over) if then.active is None]
    if not said:
        said.append(then.due or "its schedule says so")
    said += [f"then waits for {one.waits_for}: {brief(one.detail)}" for one in then.waiting if one.until is None][:1]
    return "; ".join(said)
