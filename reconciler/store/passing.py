"""What is recorded besides, where gates, freezes, holds and ways back ask for it?

Most apps at most moments need none of this: `recorded` asks first whether there is anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Text, bindparam, cast, func, select

from reconciler.model.deployment import Allotment, Deployment
from reconciler.model.version import Version
from reconciler.planner.recorded import Allowance, Approval, Checked, HoldRecord, Override, Signed
from reconciler.store import declared, gates, holds, overrides, tables, versions
from reconciler.store.commits import writers as commits_of
from reconciler.store.rows import deployment_of
from reconciler.store.types import Moment

_D = tables.deployments.c
_COMPLETED = select(tables.deployments).where(
    _D.app == bindparam("of_app"), _D.environment == bindparam("in_environment"), _D.status == "completed"
)
_BEFORE = (
    select(tables.deployments)
    .where(_D.app == bindparam("of_app"), _D.environment == bindparam("in_environment"), _D.cause != "repair")
    .where(_D.number < bindparam("oldest"))
    .order_by(_D.number.desc())
    .limit(bindparam("most"))
)
_MOMENT = bindparam("moment", type_=Moment())
_PASSED = _COMPLETED.where(_D.finished_at <= _MOMENT).order_by(_D.number.desc()).limit(3)
_COMING = _COMPLETED.where(_D.finished_at > _MOMENT).order_by(_D.number).limit(3)


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


def in_line(connection: Connection, line: Line) -> list[Deployment]:
    """The newest that have soaked long enough, and the first that come next."""
    which = {"of_app": line.app, "in_environment": line.environment, "moment": line.moment}
    rows = [*connection.execute(_PASSED, which), *connection.execute(_COMING, which)]
    return [deployment_of(row) for row in rows]


def before_repairs(connection: Connection, recent: Sequence[Deployment]) -> list[Deployment]:
    """As many deployments that repaired nothing as there are repairs among the `recent` ones: those that came before
    them, newest first."""
    repairs = sum(one.cause == "repair" for one in recent)
    if not repairs:
        return []
    which = {"of_app": recent[0].app, "in_environment": recent[0].environment}
    oldest = min(one.number for one in recent)
    return [deployment_of(row) for row in connection.execute(_BEFORE, {**which, "oldest": oldest, "most": repairs})]


def depths(connection: Connection, recent: Sequence[Deployment], references: Iterable[str | None]) -> dict[str, int]:
    """How many completed deployments ago each of these versions ran, where that is none of the `recent` ones. Repairs
    released nothing: they do not count."""
    near = {part.version for one in recent for part in one.traffic}
    here = (_D.app == recent[0].app) & (_D.environment == recent[0].environment) & (_D.status == "completed")
    here &= _D.cause != "repair"
    found = {}
    for version in {one for one in references if one is not None} - near:
        last = select(func.max(_D.number)).where(here, cast(_D.traffic, Text).contains(version))
        number = connection.scalar(last)
        if number is not None:
            since = select(func.count()).select_from(tables.deployments).where(here, _D.number > number)
            found[version] = int(connection.scalar(since) or 0)
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
