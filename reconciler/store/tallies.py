"""How many deployments ended how, ever since, and how long did they take?

Counted once over the whole history, which takes seconds where there are a million; from then on only what the ledger
says has ended since the last look. What was counted once is never counted again.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger as Whole
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)

from reconciler.model.deployment import EXTERNAL
from reconciler.model.measuring import CAUSES_OF_COMMITS
from reconciler.store import leases, ledger, tables
from reconciler.store.statements import Prepared

DURATIONS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600)
"""Seconds that a deployment takes, up to which they are counted together."""
LEAD_TIMES = (60, 300, 900, 3_600, 4 * 3_600, 12 * 3_600, *(days * 86_400 for days in (1, 2, 4, 7, 14, 30)))
"""Seconds from the commit to the end, likewise."""

_D, _R, _G = tables.deployments.c, tables.reports.c, tables.ledger.c
_SECOND = 1_000_000
ENDS = ("completed", "failed", "aborted")
_EACH = ("environment", "cause", "status", "took", "led")


def _of(of: Any, cause: ColumnElement[Any], commit: ColumnElement[Any], *, at_once: ColumnElement[bool]) -> Select[Any]:
    """What each deployment that ended counts as; lengths of time are None where they say nothing.

    Its status is asked as no index has it: everything is counted anyhow, or else the ids say which rows to read.
    """
    begun, ended = (type_coerce(column, Whole) for column in (of.started_at, of.finished_at))
    well = of.status == "completed"
    committed = select(func.min(type_coerce(tables.commits.c.committed_at, Whole)))
    committed = committed.where(tables.commits.c.id == commit).correlate(of.id.table)
    return select(
        of.id,
        of.environment,
        cause.label("cause"),
        of.status,
        case((and_(well, at_once), _length(begun, ended)), else_=null()).label("duration"),
        case((and_(well, _brings(of, cause)), _length(committed.scalar_subquery(), ended)), else_=null()).label("lead"),
    ).where(of.status.concat("").in_(ENDS))


def _brings(of: Any, cause: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether it brings a commit: as figures have it."""
    brings = cause.in_(sorted(CAUSES_OF_COMMITS))
    return and_(brings, or_(cause != "retry", of.rolled_back_from.is_(None))) if hasattr(of, "cause") else brings


def _length(begin: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((end < begin, 0), else_=end - begin)


def _counted(*which: Select[Any]) -> Prepared:
    """Counts and sums of these, by everything that they are told apart by."""
    every = union_all(*which).subquery().c
    took, led = _bucket(every.duration, DURATIONS), _bucket(every.lead, LEAD_TIMES)
    by = [every.environment, every.cause, every.status, took.label("took"), led.label("led")]
    sums = [
        func.count().label("several"),
        func.sum(every.duration).label("durations"),
        func.sum(every.lead).label("leads"),
    ]
    return Prepared(select(*by, *sums).group_by(*_EACH))


def _bucket(length: ColumnElement[Any], bounds: tuple[float, ...]) -> ColumnElement[Any]:
    """The place of the first bound that a length does not exceed."""
    steps = [(length <= literal(round(bound * _SECOND), Whole), place) for place, bound in enumerate(bounds)]
    return case((length.is_(None), null()), *steps, else_=len(bounds))


def _ended_since(of: Any) -> ColumnElement[bool]:
    kinds = or_(*(_G.kind.endswith(f".{status}") for status in ENDS))
    found: ColumnElement[bool] = of.id.in_(select(_G.subject).where(_G.sequence > bindparam("after"), kinds))
    return found


_DEPLOYMENTS = _of(_D, _D.cause, _D.commit, at_once=_D.rollout.is_(None))
_REPORTS = _of(_R, literal(EXTERNAL), _R.scm_sha, at_once=literal(True))
_ALL = _counted(_DEPLOYMENTS, _REPORTS)
_SINCE = _counted(_DEPLOYMENTS.where(_ended_since(_D)), _REPORTS.where(_ended_since(_R)))


@dataclass(slots=True)
class Lengths:
    """Lengths of time: how many are up to each bound and longer than the one before, and their sum in seconds."""

    counts: list[int]
    seconds: float = 0.0


@dataclass(slots=True)
class Tallies:
    """What was counted, and up to which fact of the ledger."""

    upto: int | None = None
    """None before anything was."""
    lineage: str = ""
    ended: dict[tuple[str, str, str], int] = field(default_factory=lambda: defaultdict(int))
    """By environment, cause and status."""
    durations: dict[str, Lengths] = field(default_factory=dict)
    """Of deployments that completed, by environment; what goes step by step is left out."""
    lead_times: dict[str, Lengths] = field(default_factory=dict)

    def count(self, connection: Connection) -> None:
        """Count what has ended since the last time; everything, at first and where the store is another one now."""
        newest = ledger.newest(connection)
        lineage = leases.lineage(connection)
        if self.upto is None or newest < self.upto or lineage != self.lineage:
            self.ended.clear()
            self.durations.clear()
            self.lead_times.clear()
            rows = _ALL.run(connection)
        elif newest == self.upto:
            return
        else:
            rows = _SINCE.run(connection, after=self.upto)
        for row in rows:
            self.ended[row.environment, row.cause, row.status] += row.several
            _add(self.durations, DURATIONS, row.environment, row.took, row.several, row.durations)
            _add(self.lead_times, LEAD_TIMES, row.environment, row.led, row.several, row.leads)
        self.upto, self.lineage = newest, lineage


def _add(
    known: dict[str, Lengths], bounds: tuple[float, ...], name: str, place: int | None, count: int, microseconds: Any
) -> None:
    if place is None:
        return
    found = known.setdefault(name, Lengths([0] * (len(bounds) + 1)))
    found.counts[place] += count
    found.seconds += float(microseconds) / _SECOND
