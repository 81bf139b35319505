"""What runs where, and what needs somebody first? For a page, also of very many apps.

Standings are made of those apps alone that are shown; what may need a person or may move is found by its traces.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from reconciler.model.output import Standing
from reconciler.model.traffic import largest
from reconciler.planner.recorded import FurtherBack
from reconciler.store import concerns
from reconciler.store.concerns import Wanted
from reconciler.views import candidates, elsewhere
from reconciler.views.elsewhere import Beside, Elsewhere
from reconciler.views.pictures import Picture, pictures
from reconciler.views.remarks import FACTS, GROUPS, Fact, Group, Remark, facts_of, group_of, remarks
from reconciler.views.remembering import Memory
from reconciler.views.scene import Scene, scene_of
from reconciler.views.standings import standings

MOST = 200
"""Rows of a group that come whole, and of a page."""
LOOKED_THROUGH = 1_000
"""Quiet apps among which those that fit a filter are looked for, for one page."""
AGAIN = timedelta(hours=1)


_ALL, _NEVER = Wanted(), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """An app in an environment."""

    standing: Standing
    remarks: tuple[Remark, ...]
    ahead: int = 0
    """How many versions it is ahead of the environment that is compared with; negative: behind."""
    differs: bool = False

    @property
    def facts(self) -> frozenset[Fact]:
        """As what it is counted."""
        return facts_of(self.remarks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An app."""

    name: str
    team: str
    group: Group
    cells: dict[str, Cell]

    def same_in(self, environments: Collection[str]) -> bool:
        """Whether it is in all of these environments and the same runs wherever it is, and nothing is going on."""
        if not set(environments) <= self.cells.keys():
            return False
        runs = {
            tuple(part.version for part in cell.standing.deployment.traffic) if cell.standing.deployment else ()
            for cell in self.cells.values()
        }
        return len(runs) == 1 and not any(cell.remarks or cell.standing.seasons for cell in self.cells.values())

    @property
    def declared(self) -> bool:
        """Whether git places it anywhere."""
        return any(cell.standing.desired is not None for cell in self.cells.values())

    @property
    def rank(self) -> int:
        """What went wrong stands before what is held, and that before the rest."""
        facts = {remark.fact for cell in self.cells.values() for remark in cell.remarks}
        return 0 if "failed" in facts else 1 if "held" in facts else 2

    @property
    def differs(self) -> bool:
        """Whether any of its environments differs from the one that is compared with."""
        return any(cell.differs for cell in self.cells.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Rows by group, and how much there is altogether."""

    environments: tuple[str, ...]
    """Along the chain."""
    base: str | None
    """The environment that is compared with."""
    groups: dict[Group, list[Row]]
    people: list[Elsewhere]
    """Apps that git does not know of which a start waits for people: they are among those that need a person."""
    elsewhere: list[Elsewhere]
    """The others that git does not know."""
    more_elsewhere: int
    """Further ones of those."""
    facts: dict[Fact, int]
    apps: int
    places: int
    more: dict[Group, int]
    """Apps of a group that are not among the rows."""
    unseen: dict[Group, int]
    """Apps of which only the store's traces say that they may belong there: none of them was looked at."""
    at_least: frozenset[Fact]
    """What is counted too low, since not every app was looked at in which it may be going on."""
    next_name: str | None = None
    """Behind which name the next page of quiet apps begins."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.people or self.elsewhere or any(self.groups.values()) or any(self.unseen.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of the matrix somebody looks at."""

    wanted: Wanted = _ALL
    base: str | None = None
    """The environment that others are compared with."""
    fact: Fact | None = None
    only_differing: bool = False
    after: str = ""
    """The name behind which the page of quiet apps begins."""
    limit: int = 100
    most: int = MOST
    """Rows of each of the other groups."""

    def fits(self, row: Row) -> bool:
        """Whether it is to be shown."""
        said = self.fact is None or any(self.fact in cell.facts for cell in row.cells.values())
        return said and (row.differs or not self.only_differing)


def matrix(connection: Connection, asked: Asked, now: datetime, memory: Memory) -> Matrix:
    """The matrix at `now` (UTC)."""
    scene = scene_of(connection)
    environments = in_order(scene)
    base = asked.base if asked.base in scene.environments else (environments[-1] if environments else None)
    look = _Look(connection, now, base, memory, asked)
    apps, places = look.count()
    found = candidates.candidates(connection, now, asked.fact, look.fitting)
    look.unseen, look.late = found.unseen, found.late
    looked_at = look.rows(found.names)
    busy = [row for row in looked_at.values() if row.group != "quiet" and row.cells]
    quiet, next_name = look.quiet(looked_at)
    shown = [row for row in busy if asked.fits(row)]
    groups: dict[Group, list[Row]] = {group: [row for row in shown if row.group == group] for group in GROUPS}
    groups["person"].sort(key=lambda row: row.rank)
    more = {group: max(0, len(several) - asked.most) for group, several in groups.items()}
    beside = elsewhere.beside(connection, asked, environments, now)
    more["person"] += beside.more_people
    groups = {group: several[: asked.most] for group, several in groups.items()} | {"quiet": quiet}
    whole = asked.fact is None and not asked.only_differing
    others = sum(row.declared for row in busy) + len(found.unseen) + len(quiet)
    more["quiet"] = max(0, apps - others) if whole and (next_name or asked.after) else 0
    running = places - concerns.places_of(connection, [*found.unseen])
    return Matrix(
        environments=environments,
        base=base,
        groups=groups,
        people=beside.people,
        elsewhere=beside.others,
        more_elsewhere=beside.more_others,
        facts=_facts(busy, running, beside),
        apps=apps,
        places=places,
        more=more,
        unseen=found.fitting(asked.fact),
        at_least=found.uncertain,
        next_name=next_name,
    )


def in_order(scene: Scene) -> tuple[str, ...]:
    """Environments along the chain."""
    return tuple(sorted(scene.environments, key=lambda name: (scene.depth(name), name)))


@dataclass(slots=True)
class _Look:
    """One look at many apps."""

    connection: Connection
    now: datetime
    base: str | None
    memory: Memory
    asked: Asked
    fitting: list[str] | None = None
    unseen: Collection[str] = ()
    """Apps in which something may be going on, and that are not looked at."""
    late: Collection[str] = ()
    """Those of them that are to be planned anew."""

    def __post_init__(self) -> None:
        wanted = self.asked.wanted
        if wanted != _ALL:
            self.fitting = concerns.fitting(self.connection, wanted, self.memory.teams(self.connection))

    def count(self) -> tuple[int, int]:
        """Apps, and places."""
        if self.fitting is None:
            return concerns.count(self.connection)
        return len(self.fitting), concerns.places_of(self.connection, self.fitting)

    def rows(self, names: list[str]) -> dict[str, Row]:
        """These apps, in their order."""
        return self.memory.rows(self.connection, names, self.base or "", self.now, self._made)

    def _made(self, names: list[str]) -> Iterator[tuple[str, Row, datetime]]:
        for picture in pictures(self.connection, names, self.now, near=True):
            try:
                row = _row(picture, self.now, self.base)
            except FurtherBack:
                (whole,) = pictures(self.connection, [picture.name], self.now)
                row = _row(whole, self.now, self.base)
            cells = row.cells.values()
            ends = [said.until for cell in cells for said in cell.remarks if said.until is not None]
            # A start that was reported from elsewhere is wanted no more when time has passed, which leaves no fact.
            ends += [self.now + AGAIN for cell in cells for wait in cell.standing.waiting if wait.elsewhere]
            yield row.name, row, min(ends, default=_NEVER)

    def others(self, after: str, limit: int) -> list[str]:
        """Further apps, in order of name, but those in which something is likely to be going on."""
        found: list[str] = []
        at_a_time = LOOKED_THROUGH if self.unseen else limit
        while len(found) < limit:
            names = self._behind(after, at_a_time)
            found += [name for name in names if name not in self.unseen or name in self.late]
            if len(names) < at_a_time:
                break
            after = names[-1]
        return found[:limit]

    def _behind(self, after: str, limit: int) -> list[str]:
        if self.fitting is None:
            return concerns.others(self.connection, after, limit)
        return [name for name in self.fitting if name > after][:limit]

    def quiet(self, looked_at: dict[str, Row]) -> tuple[list[Row], str | None]:
        """The next quiet apps behind a name, and the name behind which there are more."""
        found: list[Row] = []
        if self.asked.fact not in (None, "running"):
            return found, None  # whatever is counted so has left a trace
        after, limit, seen = self.asked.after, self.asked.limit, 0
        most = limit if self.late else LOOKED_THROUGH  # what is to be planned anew is no row that was kept
        while True:
            names = self.others(after, limit + 1)
            page = names[:limit]
            new = self.rows([name for name in page if name not in looked_at])
            for name in page:
                row = looked_at.get(name) or new.get(name)
                after = name
                # Whatever has no trace waits for a moment that is far away.
                quiet = (
                    row is not None and row.cells and ((name in new and name not in self.late) or row.group == "quiet")
                )
                if row is not None and quiet and self.asked.fits(row):
                    found.append(replace(row, group="quiet"))
                if len(found) == limit:
                    return found, after if len(names) > limit or name != page[-1] else None
            seen += len(page)
            if len(names) <= limit:
                return found, None
            if seen >= most:
                return found, after


def _row(picture: Picture, now: datetime, base: str | None) -> Row:
    found = {one.environment: one for one in standings(picture, now)}
    complaints = [
        f"{one['path']}:{one['line']}:{one['column']}: {one['message']}" for one in picture.row.complaints or ()
    ]
    last = next(reversed(found), "")
    said = {name: tuple(remarks(one, complaints, told=name == last)) for name, one in found.items()}
    against = _number(found[base]) if base in found else None
    labels = picture.row.document["metadata"].get("labels") or {}
    return Row(
        name=picture.name,
        team=labels.get("team") or picture.row.document["spec"].get("owner") or "",
        group=group_of(list(map(list, said.values()))),
        cells={name: _cell(one, said[name], against) for name, one in found.items()},
    )


def _cell(one: Standing, said: tuple[Remark, ...], against: int | None) -> Cell:
    here = _number(one)
    ahead = here - against if here is not None and against is not None else 0
    return Cell(standing=one, remarks=said, ahead=ahead, differs=ahead != 0)


def _number(one: Standing) -> int | None:
    """The version that takes the largest share."""
    leading = largest(one.deployment.traffic) if one.deployment is not None else None
    return leading.number if leading is not None else None


def _facts(busy: Iterable[Row], places: int, beside: Beside) -> dict[Fact, int]:
    """`places`: those that were looked at, or in which nothing is going on."""
    counted = dict.fromkeys(FACTS, 0)
    off = 0
    for row in busy:
        for cell in row.cells.values():
            off += "running" not in cell.facts and cell.standing.desired is not None
            for fact in cell.facts:
                counted[fact] += 1
    counted["running"] = max(0, places - off)
    counted["waiting"] += beside.waiting
    counted["failed"] += beside.failed
    return counted
