"""What is recorded besides, where gates, freezes, holds and ways back ask for it?

Most apps at most moments need none of this: `recorded` asks first whether there is anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, Connection, Select, Text, bindparam, func, select, type_coerce

from reconciler.model.deployment import Allotment, Deployment
from reconciler.model.version import Version
from reconciler.planner.recorded import Allowance, Approval, Checked, HoldRecord, Override, Signed
from reconciler.store import declared, gates, holds, overrides, tables, versions
from reconciler.store.commits import writers as commits_of
from reconciler.store.declared import chunks
from reconciler.store.rows import deployment_of
from reconciler.store.statements import Prepared, given

_D = tables.deployments.c
_ONE = tables.deployments.alias("one")
_COMPLETED = _ONE.c.status == "completed"
_RELEASED = _ONE.c.cause != "repair"
_HIGHEST = 2_147_483_647
"""No deployment has a higher number."""


def _there(place: CTE, *which: ColumnElement[bool]) -> Select[Any]:
    """Numbers of the deployments of a place that are so."""
    here = (_ONE.c.app == place.c.app) & (_ONE.c.environment == place.c.environment)
    return select(_ONE.c.number).where(here, *which).correlate(place)


def _of(place: CTE, *which: ColumnElement[bool]) -> Prepared:
    """The deployments of each of these places that are so."""
    here = (_D.app == place.c.app) & (_D.environment == place.c.environment)
    return Prepared(select(tables.deployments).join(place, here).where(*which))


def _before() -> Prepared:
    of = given("places", app=_D.app, environment=_D.environment, oldest=_D.number)
    there = _there(of, _RELEASED, _ONE.c.number < of.c.oldest).order_by(_ONE.c.number.desc())
    first = there.limit(1).offset(bindparam("besides")).scalar_subquery()
    return _of(of, _D.cause != "repair", _D.number < of.c.oldest, _D.number >= func.coalesce(first, 0))


def _in_line() -> Prepared:
    told = given("lines", app=_D.app, environment=_D.environment, moment=_D.finished_at)
    passed = _there(told, _COMPLETED, _ONE.c.finished_at <= told.c.moment).order_by(_ONE.c.number.desc()).limit(1)
    passes = select(
        told.c.app,
        told.c.environment,
        func.coalesce(passed.offset(2).scalar_subquery(), 0).label("least"),
        func.coalesce(passed.scalar_subquery(), 0).label("newest"),
    ).cte("passes")
    coming = _there(passes, _COMPLETED, _ONE.c.number > passes.c.newest).order_by(_ONE.c.number).limit(1).offset(2)
    last = func.coalesce(coming.scalar_subquery(), _HIGHEST)
    return _of(passes, _D.status == "completed", _D.number >= passes.c.least, _D.number <= last)


def _depths() -> Prepared:
    asked = given("asked", app=_D.app, environment=_D.environment, version=tables.versions.c.id)
    holds = type_coerce(_ONE.c.traffic, Text).contains(asked.c.version)
    last = _there(asked, _COMPLETED, _RELEASED, holds).order_by(_ONE.c.number.desc()).limit(1).scalar_subquery()
    ran = select(asked, last.label("number")).cte("ran")
    since = _there(ran, _COMPLETED, _RELEASED, _ONE.c.number > ran.c.number).with_only_columns(func.count())
    return Prepared(select(ran, since.scalar_subquery().label("since")).where(ran.c.number.is_not(None)))


_BEFORE, _IN_LINE, _DEPTHS = _before(), _in_line(), _depths()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An app's deployments of one environment that stand in line for another."""

    app: str
    environment: str
    """Where they completed."""
    moment: datetime
    """What completed there up to this moment has soaked long enough (UTC)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the manifests and the moment ask to be known besides."""

    lines: tuple[Line, ...] = ()
    versions: bool = False
    """Whether the versions that ran are asked for, and not only those that the branch and references name."""
    signed: bool = False
    """Whether signatures of commits are asked for."""


NOTHING_MORE = Needs()


@dataclass(slots=True)
class Passing:
    """The rows by what they are about."""

    approvals: dict[tuple[str, str], dict[str, list[Approval]]] = field(default_factory=dict)
    checked: dict[tuple[str, str], dict[tuple[str, str], Checked]] = field(default_factory=dict)
    holds: dict[tuple[str, str], HoldRecord] = field(default_factory=dict)
    allowances: dict[str, list[Allowance]] = field(default_factory=dict)
    overrides: dict[str, Override] = field(default_factory=dict)
    signatures: dict[str, Signed] = field(default_factory=dict)
    writers: dict[str, frozenset[str]] = field(default_factory=dict)
    versions: dict[str, Version] = field(default_factory=dict)
    depths: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    resources: frozenset[str] | None = None


def in_line(connection: Connection, lines: Iterable[Line]) -> list[Deployment]:
    """Of each line the newest three that have soaked long enough, and the first three that come next."""
    told = [(line.app, line.environment, line.moment) for line in lines]
    return [deployment_of(row) for part in chunks(told) for row in _IN_LINE.run(connection, lines=part)]


def before_repairs(connection: Connection, places: Iterable[Sequence[Deployment]]) -> list[Deployment]:
    """What came before the recent deployments of each of these places: as many that repaired nothing as there are
    repairs among the recent ones, newest first."""
    repairs = {(recent[0].app, recent[0].environment): (_repairs(recent), recent[-1].number) for recent in places}
    found: list[Deployment] = []
    for part in chunks([(*place, oldest) for place, (count, oldest) in repairs.items() if count]):
        most = max(repairs[app, environment][0] for app, environment, _ in part)
        rows = _BEFORE.run(connection, places=part, besides=most - 1)
        by_place: dict[tuple[str, str], list[Any]] = {}
        for row in sorted(rows, key=lambda row: -row.number):
            by_place.setdefault((row.app, row.environment), []).append(row)
        found += [deployment_of(row) for place, several in by_place.items() for row in several[: repairs[place][0]]]
    return found


def _repairs(recent: Iterable[Deployment]) -> int:
    return sum(one.cause == "repair" for one in recent)


def depths(
    connection: Connection, places: Iterable[tuple[Sequence[Deployment], Iterable[str | None]]]
) -> dict[tuple[str, str], dict[str, int]]:
    """How many completed deployments ago each of these versions ran, by app and environment: of each place its recent
    deployments and the versions, of which those are left out that are among the recent ones. Repairs released
    nothing: they do not count."""
    asked = [
        (recent[0].app, recent[0].environment, version)
        for recent, versions in places
        for version in {one for one in versions if one is not None} - {p.version for d in recent for p in d.traffic}
    ]
    found: dict[tuple[str, str], dict[str, int]] = {}
    for part in chunks(asked):
        for row in _DEPTHS.run(connection, asked=part):
            found.setdefault((row.app, row.environment), {})[row.version] = row.since
    return found


def gather_words(connection: Connection, names: Sequence[str], passing: Passing) -> None:
    """Approvals and outcomes of checks."""
    for row in gates.approvals(connection, names):
        by_key = passing.approvals.setdefault((row.app, row.environment), {})
        by_key.setdefault(row.key, []).append(Approval(actor=row.actor, role=row.role, at=row.at))
    for row in gates.checks(connection, names):
        found = Checked(verdict=row.verdict, at=row.at, detail=row.detail, again_at=row.next_attempt_at)
        passing.checked.setdefault((row.app, row.environment), {})[row.key, row.name] = found


def gather_holds(connection: Connection, names: Sequence[str], passing: Passing) -> None:
    """Holds of these apps."""
    for row in holds.of(connection, names):
        passing.holds[row.app, row.environment] = HoldRecord(
            by=row.by,
            reason=row.reason,
            since=row.since,
            traffic=tuple(Allotment(**part) for part in row.traffic),
            deployment=row.deployment,
            version=row.version,
            branch=row.branch or None,
            trouble=row.trouble,
        )


def gather_allowances(connection: Connection, names: Sequence[str], passing: Passing) -> None:
    """Commits' words that rollbacks may go past their guards."""
    for row in overrides.of_apps(connection, names):
        passing.allowances.setdefault(row.app, []).append(
            Allowance(
                environment=row.environment, position=row.position, at=row.at, author=row.author, commit=row.commit
            )
        )


def gather_versions(
    connection: Connection, ran: Iterable[Deployment], known: Mapping[str, Version], passing: Passing
) -> None:
    """The versions that ran, and which resources git declares."""
    wanted = {part.version for deployment in ran for part in deployment.traffic} - set(known)
    passing.versions = versions.by_id(connection, wanted)
    passing.resources = frozenset(declared.texts(connection, "Resource"))


def gather_commits(connection: Connection, commits: Iterable[str], signed: bool, passing: Passing) -> None:
    """What these commits say about freezes, and whether they are signed."""
    wanted = sorted({commit for commit in commits if commit})
    if not wanted:
        return
    passing.writers = commits_of(connection, wanted)
    for row in overrides.of_commits(connection, wanted):
        passing.overrides[row.commit] = Override(commit=row.commit, author=row.author, reason=row.reason)
    for row in overrides.signatures(connection, wanted) if signed else ():
        passing.signatures[row.commit] = Signed(good=row.good, detail=row.detail)
