"""How does an app stand that git does not know, by what was reported of it, and which starts of it wait for people?

The same of an app of ours in an environment that git does not place it in. Nothing is asked for there, so nothing is
out of step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from reconciler.model.deployment import Deployment
from reconciler.model.output import Standing, Step, Wait
from reconciler.store import declared, elsewhere
from reconciler.views import reported
from reconciler.views.chain import Link, elsewhere_started, numbered, runs, waits_elsewhere
from reconciler.views.standings import not_ours

Place = tuple[Deployment | None, Deployment | None]
"""What was reported last in an environment, and what completed last there."""
Places = dict[str, Place]


def waiting(connection: Connection, now: datetime) -> dict[str, dict[str, tuple[Wait, ...]]]:
    """What starts of apps that git does not know wait for at `now` (UTC), by app and environment, in order of name."""
    waits = reported.waits(connection, None, now)
    ours = declared.known_names(connection)
    found: dict[str, dict[str, tuple[Wait, ...]]] = {}
    for (app, environment), several in sorted(waits.items()):
        if app not in ours:
            found.setdefault(app, {})[environment] = several
    return found


def places(connection: Connection, app: str, waits: Mapping[str, Sequence[Wait]]) -> Places:
    """Where anything of an app was reported, or waits."""
    found: Places = {**elsewhere.last(connection, app)}
    return {name: found.get(name, (None, None)) for name in sorted({*found, *waits})}


def standings_of(connection: Connection, app: str, now: datetime) -> list[Standing]:
    """How an app that git does not know stands at `now` (UTC) wherever anything was reported of it."""
    waits = _waits(connection, app, now)
    found = places(connection, app, waits)
    return [_standing(app, name, found[name], waits.get(name, ())) for name in found]


def those_waiting(connection: Connection, now: datetime) -> Iterator[Standing]:
    """How all apps stand that git does not know, only where a start waits for people."""
    for app, waits in waiting(connection, now).items():
        found = elsewhere.last_in(connection, app, waits)
        for name, several in waits.items():
            yield _standing(app, name, found.get(name, (None, None)), several)


def _waits(connection: Connection, app: str, now: datetime) -> dict[str, tuple[Wait, ...]]:
    return {name: several for (_, name), several in reported.waits(connection, [app], now).items()}


def _standing(app: str, environment: str, told: Place, waits: Sequence[Wait]) -> Standing:
    newest, completed = told
    started = newest if newest is not None and newest.status == "started" else None
    return not_ours(app, environment, completed, started, waits)


def steps(one: Standing, approved: Sequence[reported.Refused] = ()) -> list[Step]:
    """The chain of `why` for such a place: there is no commit to begin with. `approved`: starts that miss nothing."""
    text = f"no manifest in git places {one.app} in {one.environment}: what is told was reported from elsewhere"
    first: Link = ("elsewhere", text, "the reconciler does nothing about it: act where it is deployed", {})
    return numbered([first, *runs(one), *elsewhere_started(one), *waits_elsewhere(one), *map(_may_start, approved)])


def _may_start(one: reported.Refused) -> Link:
    by = f"approved by {', '.join(one.approved_by)}" if one.approved_by else "asked for no approval any more"
    text = f"{one.start.version} was refused its start, and is {by}: whoever deploys it may start it now"
    return "elsewhere", text, "", {"approved_by": list(one.approved_by)}
