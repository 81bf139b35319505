"""How does one app stand, why, which way leads back, and what comes without a new commit? All that its page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from reconciler.errors import ReconcilerError
from reconciler.model.deployment import Deployment, Subject
from reconciler.model.environment import LATEST
from reconciler.model.output import Edge, Step, Wait
from reconciler.model.traffic import largest
from reconciler.model.version import Version, label
from reconciler.store import commits, elsewhere, holds, versions
from reconciler.store.deployments import Filter
from reconciler.store.rows import traffic_row
from reconciler.views import calendar, explaining, headings, history, matrix
from reconciler.views.differences import changed
from reconciler.views.pictures import Picture, pictures
from reconciler.views.remarks import remarks
from reconciler.views.resolving import declared_app
from reconciler.views.scene import Scene, scene_of
from reconciler.views.standings import standings
from reconciler.views.ways_back import are_in_force, open_ways
from reconciler.wishes import expecting, going_back
from reconciler.words import address

NEXT = 6
"""Changes ahead that are shown."""
RECENT = 30
"""Deployments of one page."""
MOST_REVERTED = 8
"""Commits that a command names: more are left to the branch that the daemon writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The app in one environment."""

    name: str
    cell: matrix.Cell
    gates: str
    """What something waits for that would enter, in a few words."""
    tracks: str
    """`latest`, or the environment that is promoted from."""
    expected: str
    """What a form says that was looked at."""
    elsewhere: str
    """What a form says that was looked at of what starts elsewhere, where that waits: what was reported last there."""

    @property
    def gate(self) -> bool:
        """Whether anything enters from another environment."""
        return self.tracks not in ("", LATEST)

    @property
    def approvals(self) -> tuple[Wait, ...]:
        """What waits for an approval, each once, whichever roles are missing."""
        return to_approve(self.cell.standing.waiting)


def to_approve(waiting: Sequence[Wait]) -> tuple[Wait, ...]:
    """What waits for an approval, each once, whichever roles are missing."""
    return tuple({one.id: one for one in waiting if one.waits_for == "approval" and one.id}.values())


def not_by(wait: Wait, actor: str) -> str:
    """Why somebody's approval would not count; '' where it would."""
    if address(actor) in wait.authors:
        return "you wrote it"
    return "you have approved it" if address(actor) in map(address, wait.approved_by) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where a rollback would go; or why there is none."""

    words: str = ""
    name: str = ""
    """Of what is gone back to."""
    command: str = ""
    """What goes the same way in git, for all environments; '' where no such command does."""
    differs: str = ""
    """What becomes another, in a few words."""
    compare: tuple[str, str] = ("", "")
    """References to what would be left and to what is gone back to."""
    others: tuple[Version, ...] = ()
    """To which of the newest versions a way is open besides, where somebody may choose."""
    refused: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneApp:
    """An app."""

    name: str
    team: str
    removed: bool
    complaints: tuple[str, ...]
    triggers: tuple[str, ...]
    places: tuple[Place, ...]
    """Along the chain."""
    place: Place | None
    """The one that this is about, the last of the chain where nobody says."""
    why: tuple[Step, ...]
    way: Way | None
    ahead: tuple[Edge, ...]
    deployments: tuple[Deployment, ...]
    next_page: history.After | None
    commits: Mapping[str, Any]
    versions: tuple[Version, ...]
    """The newest, for a choice of what to promote."""


def one_app(
    connection: Connection,
    name: str,
    now: datetime,
    mirror: Path,
    *,
    environment: str | None = None,
    which: Filter | None = None,
    after: history.After | None = None,
    choices: bool = False,
) -> OneApp:
    """Everything about an app at `now` (UTC); `environment` is the one that its reasons are asked for. `choices`: also
    where else than to what ran well before it could go back to.

    Raises UnknownReference.
    """
    declared_app(connection, name)
    (picture,) = pictures(connection, [name], now)
    places = _places(connection, picture, now)
    chosen = next((place for place in places if place.name == environment), places[-1] if places else None)
    page = history.page(connection, which or Filter(app=name, limit=RECENT), after)
    document = picture.row.document
    labels = document["metadata"].get("labels") or {}
    newest = tuple(versions.newest(connection, name, 20))
    ahead = calendar.calendar(connection, name, now, now + calendar.AHEAD, mirror).edges[:NEXT] if picture.app else ()
    return OneApp(
        name=name,
        team=labels.get("team") or document["spec"].get("owner") or "",
        removed=picture.app is None,
        complaints=tuple(_told(one) for one in picture.row.complaints or ()),
        triggers=_triggers(document["spec"].get("triggers") or {}),
        places=places,
        place=chosen,
        why=explaining.steps(connection, picture, chosen.name, now, mirror) if chosen else (),
        way=_way(connection, name, chosen, now, mirror, newest if choices else ()) if chosen else None,
        ahead=tuple(ahead),
        deployments=tuple(page.found),
        next_page=page.next,
        commits=commits.subjects(connection, [one.commit for one in page.found if one.commit]),
        versions=newest,
    )


def _places(connection: Connection, picture: Picture, now: datetime) -> tuple[Place, ...]:
    scene = scene_of(connection)
    complaints = [_told(one) for one in picture.row.complaints or ()]
    found: list[Place] = []
    several = [*standings(picture, now)]
    last = several[-1].environment if several else ""  # which tells of a broken manifest, as in the matrix
    starting = [one.environment for one in several if any(wait.elsewhere for wait in one.waiting)]
    told = elsewhere.last_in(connection, picture.name, starting)
    for one in several:
        declared_there = one.environment in scene.environments
        found.append(
            Place(
                name=one.environment,
                cell=matrix.Cell(
                    standing=one,
                    remarks=tuple(remarks(one, complaints, told=one.environment == last)),
                ),
                gates=_gates(scene, picture, one.environment),
                tracks=scene.environments[one.environment].spec.track if declared_there else "",
                expected=expecting.looked_at(one),
                elsewhere=told[one.environment][0].id if one.environment in told else expecting.looked_at(one),
            )
        )
    return tuple(found)


def _gates(scene: Scene, picture: Picture, environment: str) -> str:
    if environment not in scene.environments:
        return ""
    entry = picture.app.spec.environments.get(environment) if picture.app is not None else None
    return headings.gates_of(scene.environments[environment].spec, entry)


def _told(one: Mapping[str, Any]) -> str:
    return f"{one['path']}:{one['line']}:{one['column']}: {one['message']}"


def _triggers(found: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"{kind} {', '.join(map(str, values))}" for kind, values in sorted(found.items()) if values)


def _way(
    connection: Connection, app: str, place: Place, now: datetime, mirror: Path, choices: Sequence[Version]
) -> Way:
    try:
        back = going_back.way(connection, app, place.name, None, now)
    except ReconcilerError as error:
        return Way(refused=error.message, remedy=error.next_step)
    there, here = largest(back.way.traffic), largest(back.way.left.traffic)
    name = label(there.number, there.name) if there else "nothing"
    known = versions.by_id(connection, [part.version for part in (here, there) if part is not None])
    left, restored = (known.get(part.version) if part is not None else None for part in (here, there))
    return Way(
        words=back.words,
        name=name,
        command=_command(connection, back, restored, mirror),
        differs=_differs(left, restored) if left and restored else "",
        compare=(f"v{left.number}", f"v{restored.number}") if left and restored else ("", ""),
        others=_others(connection, app, place.name, now, [one for one in choices if one != restored]),
    )


def _others(
    connection: Connection, app: str, environment: str, now: datetime, several: Sequence[Version]
) -> tuple[Version, ...]:
    return tuple(open_ways(connection, scene_of(connection), app, environment, several, now)) if several else ()


def _command(connection: Connection, back: going_back.Back, restored: Version | None, mirror: Path) -> str:
    """What reverts the very commits that the branch of this way back would."""
    gone = holds.Left(
        app=back.app,
        environment=back.environment,
        deployment=back.way.left.id,
        version=back.way.version,
        traffic=traffic_row(Subject(traffic=back.way.traffic)),
    )
    found = holds.taken_back(connection, gone)
    merges = commits.merges(connection, found) if found else set()
    if not found or len(found) > MOST_REVERTED or 0 < len(merges) < len(found):
        return ""
    made = [restored.commit] if restored is not None and restored.commit else []
    if not are_in_force(connection, mirror, [*found, *made]):
        return ""
    mainline = "-m 1 " if merges else ""
    return f"git revert --no-edit {mainline}{' '.join(one[:10] for one in found)} && git push"


def _differs(one: Version, other: Version) -> str:
    """In a few words; the page of the comparison has them all."""
    config = len(changed(one.config, other.config))
    bindings, secrets = (
        len(set(a) ^ set(b)) for a, b in ((one.bindings, other.bindings), (one.secrets, other.secrets))
    )
    counts = ((config, "config key"), (bindings, "binding"), (secrets, "secret reference"))
    said = [f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts if count]
    code = ["the code"] if one.bundle != other.bundle or one.image != other.image else []
    return ", ".join([*code, *said]) or "nothing but the name"
