"""How is a store that was not there while targets were given something brought together with what they run?

A store that was rebuilt from git knows what must have happened, one that was restored what had happened by then. What
targets run besides is recorded as such, so that the next turn plans from what is true. Nothing is released here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from reconciler.desired import Desired, Latest, Tracked, effective
from reconciler.engine.carry import identifier
from reconciler.engine.sights import Adopted, Finding, Sight
from reconciler.model.deployment import EXTERNAL, Allotment, Cause, Grounds, Place, Subject
from reconciler.model.environment import Environment
from reconciler.model.plan import Deploy
from reconciler.model.version import Version, label
from reconciler.store import commits, declared, deployments, interventions, remade, versions
from reconciler.store.database import Transaction
from reconciler.store.rows import deployment_of
from reconciler.views.planning import wanted_of
from reconciler.views.scene import manifests, scene_of

WHO = "reconciler"
NOT_THERE = "its target does not run it, as was seen when the store was rebuilt"
_TOLD_HERE = ", as far as was told here"
"""What a target says that only repeats what it was told: another daemon's may have been told something else."""
PIECE = 500
_LONGEST_ID = 40
_OF_LOOKS: Mapping[str, Cause] = {"reverted": "rollback", "restored": "restore"}


def adopt(transaction: Transaction, sights: Mapping[Place, Sight], now: datetime) -> Adopted:
    """Let a rebuilt store say what targets run: the current deployment is theirs, or another one that is recorded."""
    found = Adopted()
    for scene in _scenes(transaction, sights, now):
        for place in scene.places:
            _adopt(transaction, scene, place, found)
    _let_in(transaction.connection, sights)
    return found


def catch_up(transaction: Transaction, sights: Mapping[Place, Sight], now: datetime) -> Adopted:
    """Let a restored store say what targets were given after the backup was taken; git's news has been noted by then.

    What was under way at that moment is over where the target has gone on. `others` are those places.
    """
    found = Adopted()
    newer = {place: sights[place] for place in came_later(transaction.connection, sights)}
    found.unknown = [_finding(place, None, sight.trouble) for place, sight in sorted(sights.items()) if sight.trouble]
    _tell_apart(transaction.connection, {place: one for place, one in sights.items() if place not in newer}, found)
    found.same = len(sights) - len(newer) - len(found.unknown) - len(found.gone) - len(found.unheard)
    for scene in _scenes(transaction, newer, now):
        for place in scene.places:
            _catch_up(transaction, scene, place, found)
    _let_in(transaction.connection, newer)
    return found


def _tell_apart(connection: Connection, sights: Mapping[Place, Sight], found: Adopted) -> None:
    """Where nothing runs though something is recorded, and where a target was only not told of it here."""
    doubted = [
        place for place, one in sorted(sights.items()) if not one.trouble and (one.hearsay or one.observed is None)
    ]
    for part in declared.chunks(sorted({app for app, _ in doubted})):
        past = _past(connection, part)
        for place in doubted:
            here, sight = past.get(place), sights[place]
            if here is None or here.running is None or not here.running.traffic:
                continue
            if not sight.hearsay:
                found.gone.append(_finding(place, here.running, "nothing"))
            elif sight.deployment not in {row.id for row in (here.running, here.active) if row is not None}:
                told = f"deployment {sight.deployment}" if sight.deployment else "nothing"
                found.unheard.append(_finding(place, here.running, f"{told}{_TOLD_HERE}"))


def came_later(connection: Connection, sights: Mapping[Place, Sight]) -> list[Place]:
    """Places whose target runs a deployment that the store does not know."""
    theirs = sorted({one.deployment for one in sights.values() if one.deployment})
    known = {name for part in declared.chunks(theirs) for name in deployments.by_ids(connection, part)}
    return sorted(place for place, one in sights.items() if one.deployment and one.deployment not in known)


def pause(transaction: Transaction, found: Adopted, until: datetime, now: datetime) -> None:
    """Start nothing new where a target runs something else, until somebody has looked at it."""
    for one in found.others:
        reason = f"its target ran {one.runs} when the store was made anew, and {one.recorded} was recorded"
        wish = interventions.Wish(
            kind="pause", actor=WHO, reason=reason, app=one.app, environment=one.environment, until=until
        )
        interventions.record(transaction, wish, now)


@dataclass(slots=True)
class _Past:
    """What is recorded of an app in an environment: what completed, oldest first, and what is still to end."""

    completed: list[Row[Any]] = field(default_factory=list)
    active: Row[Any] | None = None

    @property
    def running(self) -> Row[Any] | None:
        """What should be there."""
        return self.completed[-1] if self.completed else None


class _Scene:
    """Some apps with what is declared and recorded of them."""

    def __init__(self, connection: Connection, sights: Mapping[Place, Sight], now: datetime) -> None:
        self.now = now
        self.sights = sights
        scene, apps = scene_of(connection), sorted({app for app, _ in sights})
        found = manifests(connection, apps)
        self.wanted = {name: wanted_of(found.get(name), scene, now) for name in apps}
        self.contents = {name: row.content for name, row in declared.apps(connection, apps).items()}
        self._past = _past(connection, apps)
        self.versions = versions.by_id(connection, {version for sight in sights.values() for version in sight.shares})
        order = {name: depth for depth, name in enumerate(_along_the_chain(scene.environments))}
        self.places = sorted(sights, key=lambda place: (place[0], order[place[1]]))

    def parts(self, place: Place) -> tuple[Allotment, ...] | None:
        """What a target runs, in versions that are recorded; None where one of them is not."""
        shares = self.sights[place].shares
        known = [found for version in shares if (found := self.versions.get(version)) and found.app == place[0]]
        if len(known) < len(shares):
            return None
        return tuple(
            Allotment(version=one.id, number=one.number, name=one.name, percent=shares[one.id]) for one in known
        )

    def left(self, sight: Sight, row: Row[Any] | None) -> bool:
        """Whether what a target runs is what this deployment left there (None: nothing), its settings included."""
        if row is None or sight.shares != _shares(row):
            return sight.shares == _shares(row)
        return self._given(sight, row.config)

    def layers(self, place: Place) -> dict[str, Any]:
        """What lies over the versions' own settings: what git asks for, unless a target was given others."""
        sight, wanted = self.sights[place], self.desired(place)
        layers = dict(wanted.config) if wanted else {}
        if self._given(sight, layers):
            return layers
        version, given = self._told(sight)[0]
        own = version.config
        return {key: given.get(key) for key in sorted({*own, *given}) if given.get(key) != own.get(key)}

    def _given(self, sight: Sight, layers: Mapping[str, Any]) -> bool:
        """Whether a target was given these layers of settings, as far as it can tell."""
        return all(found == effective(version.config, layers) for version, found in self._told(sight))

    def _told(self, sight: Sight) -> list[tuple[Version, Mapping[str, Any]]]:
        """The settings that versions were given, as far as the target can tell."""
        return [(self.versions[one], found) for one, found in sight.settings.items() if one in self.versions]

    def past(self, place: Place) -> _Past:
        """What is recorded there."""
        return self._past.get(place) or _Past()

    def desired(self, place: Place) -> Desired | None:
        """What git asks for there."""
        return self.wanted[place[0]].get(place[1])


def _scenes(transaction: Transaction, sights: Mapping[Place, Sight], now: datetime) -> Iterator[_Scene]:
    names = sorted({app for app, _ in sights})
    for start in range(0, len(names), PIECE):
        piece = set(names[start : start + PIECE])
        yield _Scene(transaction.connection, {place: one for place, one in sights.items() if place[0] in piece}, now)
        transaction.flush()


def _adopt(transaction: Transaction, scene: _Scene, place: Place, found: Adopted) -> None:
    sight, past = scene.sights[place], scene.past(place)
    if sight.trouble:
        found.unknown.append(_finding(place, past.running, sight.trouble))
        return
    completed = past.completed
    if past.active is not None:
        if sight.shares and scene.left(sight, past.active):
            _complete(transaction, past.active, scene.now)
            completed = [*completed, past.active]
        elif not scene.left(sight, past.running):
            deployments.move(transaction, past.active, "aborted", scene.now, NOT_THERE)
    if scene.left(sight, completed[-1] if completed else None):
        found.same += bool(completed)
        _same(transaction, completed[-1] if completed else None, sight)
        return
    # What git alone comes to is only likely: no environment behind this one is to take it for done.
    matching = [place for place, row in enumerate(completed) if scene.left(sight, row)]
    parts = scene.parts(place)
    runs = "versions that are not in git's history" if parts is None else _spoken(parts)
    if sight.shares and sight.shares == _shares(completed[-1] if completed else None):
        runs = f"{runs} with other settings"
    told = f"{runs}{_TOLD_HERE}" if sight.hearsay else runs
    found.others.append(_finding(place, completed[-1] if completed else None, told))
    for row in completed[matching[-1] + 1 :] if matching else completed:
        remade.take_back(transaction, row, NOT_THERE, scene.now)
    if matching:
        _same(transaction, completed[matching[-1]], sight)
    elif parts:
        _record(transaction, scene, place, parts, f"{runs}: what its target ran when the store was rebuilt")


def _catch_up(transaction: Transaction, scene: _Scene, place: Place, found: Adopted) -> None:
    sight, past = scene.sights[place], scene.past(place)
    if past.active is not None:
        said = f"after the backup its target was given deployment {sight.deployment}"
        deployments.move(transaction, past.active, "aborted", scene.now, said)
    parts = scene.parts(place)
    runs = "versions that are not in git's history" if parts is None else _spoken(parts)
    found.others.append(_finding(place, past.running, f"{runs} (deployment {sight.deployment})"))
    if parts is not None:
        _record(transaction, scene, place, parts, f"{runs}: what its target was given after the backup")


def _let_in(connection: Connection, sights: Mapping[Place, Sight]) -> None:
    """What a commit changed at once with too much else, and runs all the same, was let in: by a person, or since the
    reconciler came to the repository only later."""
    remade.let_in(connection, {(app, one) for (app, _), sight in sights.items() for one in sight.shares})


def _finding(place: Place, running: Row[Any] | None, runs: str) -> Finding:
    recorded = _spoken(deployment_of(running).traffic) if running is not None else "nothing"
    return Finding(app=place[0], environment=place[1], recorded=recorded, runs=runs)


def _spoken(traffic: tuple[Allotment, ...]) -> str:
    several = len(traffic) > 1
    if not traffic:
        return "nothing"
    return ", ".join(label(part.number, part.name) + (f" {part.percent:g} %" if several else "") for part in traffic)


def _past(connection: Connection, apps: Collection[str]) -> dict[Place, _Past]:
    found: dict[Place, _Past] = {}
    for row in remade.past(connection, apps):
        here = found.setdefault((row.app, row.environment), _Past())
        if row.status == "completed":
            here.completed.append(row)
        elif row.status in ("pending", "started"):
            here.active = row
    return found


def _shares(row: Row[Any] | None) -> dict[str, float]:
    return {part["version"]: float(part["percent"]) for part in row.traffic} if row is not None else {}


def _along_the_chain(environments: Mapping[str, Environment]) -> list[str]:
    """Names of environments, each behind the one that it tracks."""
    order: list[str] = []
    for name in sorted(environments):
        chain = [name]
        while (upstream := environments[chain[-1]].spec.track) in environments and upstream not in chain:
            chain.append(upstream)
        order += [one for one in reversed(chain) if one not in order]
    return order


def _complete(transaction: Transaction, row: Row[Any], now: datetime) -> None:
    """It runs as a whole: a rollout that was on its way here has come to its end there."""
    if row.status == "pending":
        deployments.claim(transaction, row, WHO, 0, now, again=False)
    fresh = deployments.by_ids(transaction.connection, [row.id])[row.id]
    deployments.move(transaction, fresh, "completed", now, "found running")


def _same(transaction: Transaction, running: Row[Any] | None, sight: Sight) -> None:
    """The deployment goes by the id that its target knows it by."""
    theirs = sight.deployment
    if running is None or not theirs or theirs == running.id or len(theirs) > _LONGEST_ID or not theirs.isprintable():
        return
    connection = transaction.connection
    transaction.flush()
    if deployments.by_ids(connection, [theirs]):
        return
    remade.rename(connection, running.id, theirs)


def _record(transaction: Transaction, scene: _Scene, place: Place, parts: tuple[Allotment, ...], reason: str) -> None:
    """What runs, as a deployment that nobody of ours has carried out."""
    connection = transaction.connection
    app, environment = place
    wanted = scene.desired(place) if parts else None
    subject = Subject(traffic=parts, config=scene.layers(place))
    version = scene.versions[parts[0].version] if len(parts) == 1 else None
    wish = Deploy(
        app=app,
        environment=environment,
        cause=_cause(connection, scene, place, version),
        subject=subject,
        reason=reason,
        commit=version.commit if version else None,
        deployed_by=WHO,
        grounds=Grounds(
            base=(wanted.base_subject(parts) if wanted else subject).fingerprint,
            target=wanted.target if wanted else "",
        ),
    )
    number = deployments.numbers(connection, [app]).get(place, 0) + 1
    theirs = scene.sights[place].deployment
    free = parts and theirs and len(theirs) <= _LONGEST_ID and not deployments.by_ids(connection, [theirs])
    made = theirs if theirs and free else identifier(app, environment, number, subject, scene.now)
    deployments.create(transaction, [(made, number, wish)], scene.now)
    _complete(transaction, deployments.by_ids(connection, [made])[made], scene.now)


def _cause(connection: Connection, scene: _Scene, place: Place, version: Version | None) -> Cause:
    """What git asks for, and what has run upstream, came from there, past gates that git knows nothing of; all else
    from outside."""
    wanted = scene.desired(place)
    if version is None or wanted is None:
        return EXTERNAL
    look = commits.look(connection, place[0], version.id)
    match wanted.base_choice:
        case Latest() if version.id == scene.contents.get(place[0]):
            return _OF_LOOKS.get(look or "", "release")
        case Tracked(environment=upstream) if remade.has_completed(connection, place[0], upstream, version.id):
            return "rollback" if look == "reverted" else "promotion"
        case _:
            return EXTERNAL
