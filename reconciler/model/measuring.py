"""How are the figures worked out of the deployments that were made?

Pure, in one pass over rows that come in order of app, environment and time. Memory holds the deployments of one app in
one environment, and a number for each length of time. What each figure means is in docs/metrics.md.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import groupby
from math import ceil
from typing import NamedTuple

from reconciler.model.deployment import ACTIVE, EXTERNAL, Cause, goes_back
from reconciler.model.figures import Figures, FiguresOf, Measured, Spread

DAY, WEEK = timedelta(days=1), timedelta(days=7)
LONGEST_BY_DAY = 62
"""A period of more days has a series by week."""
MOST_PARTS = 100
"""So many apps or environments are told apart at most, those with the most changes."""

CAUSES_OF_COMMITS: frozenset[Cause] = frozenset({"release", "promotion", "restore", "retry", EXTERNAL})
"""A schedule's or a season's commit may be a year old by plan: their lead time would say nothing."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Made(NamedTuple):
    """A deployment as far as figures ask. Moments are whole microseconds since 1970 (UTC)."""

    app: str
    environment: str
    id: str
    status: str
    cause: Cause
    created_at: int
    started_at: int | None = None
    finished_at: int | None = None
    committed_at: int | None = None
    """When the commit was made that asked for it; None where that is not known."""
    left: str | None = None
    """The id of the deployment that it rolls back from."""
    gradual: bool = False
    """Whether it was released step by step or watched: then its duration is its schedule."""

    @property
    def goes_back(self) -> bool:
        """Whether it takes something back."""
        return goes_back(self.cause, self.left)

    @property
    def is_change(self) -> bool:
        """Whether it brings something, and does not only put right what is there."""
        return not self.goes_back and self.cause != "repair"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What is looked at: from `since` up to `until`, and as long before. UTC."""

    since: datetime
    until: datetime
    zone: tzinfo = UTC
    """On whose calendar the series goes: its first and its last day may be parts of one."""

    @property
    def earlier(self) -> datetime:
        """When the period before begins."""
        least = datetime.min.replace(tzinfo=UTC) + WEEK
        return self.since - min(self.until - self.since, self.since - least)

    @property
    def step(self) -> timedelta:
        """How long a point of the series is, but for those that the period cuts and those in which a clock changes."""
        return DAY if self.until - self.since <= LONGEST_BY_DAY * DAY else WEEK

    def steps(self) -> Iterator[tuple[datetime, datetime]]:
        """From when to when each point of the series is: days, or weeks that begin with Monday."""
        begin = self.since
        while begin < self.until:
            here = begin.astimezone(self.zone).date()
            end = begin
            while end <= begin:  # a zone may leave a day out
                here += DAY if self.step == DAY else WEEK - here.weekday() * DAY
                end = datetime.combine(here, time(), self.zone).astimezone(UTC)
            yield begin, min(end, self.until)
            begin = end


class _Kind(NamedTuple):
    """What a deployment counts as; those that are alike are counted together."""

    status: str
    change: bool
    back: bool
    restore: bool
    went_wrong: bool

    @property
    def completed(self) -> bool:
        return self.status == "completed"


@dataclass(slots=True)
class _Tally:
    """What was counted of one period."""

    since: datetime
    until: datetime
    whole: timedelta = timedelta()
    """What of it is no more than a part: a day that has just begun is no busier than one that is over."""
    kinds: dict[_Kind, int] = field(default_factory=dict)
    not_restored: int = 0
    lead: array[float] = field(default_factory=lambda: array("d"))
    restoring: array[float] = field(default_factory=lambda: array("d"))
    between: array[float] = field(default_factory=lambda: array("d"))
    duration: array[float] = field(default_factory=lambda: array("d"))

    def add(self, other: _Tally) -> None:
        """Count what another one has counted too."""
        for kind, count in other.kinds.items():
            self.kinds[kind] = self.kinds.get(kind, 0) + count
        self.not_restored += other.not_restored
        for name in ("lead", "restoring", "between", "duration"):
            getattr(self, name).extend(getattr(other, name))

    @property
    def changes(self) -> int:
        """Changes that completed."""
        return self._sum(one for one in self.kinds if one.completed and one.change)

    def figures(self) -> Figures:
        """What it all adds up to."""
        completed, failed = self._of("completed"), self._of("failed")
        changes = self.changes
        went_wrong = self._sum(one for one in self.kinds if one.went_wrong)
        ended = self._sum(one for one in self.kinds if one.change and (one.completed or one.went_wrong))
        return Figures(
            since=self.since,
            until=self.until,
            deployments=self._sum(self.kinds),
            completed=completed,
            failed=failed,
            aborted=self._of("aborted"),
            active=sum(self._of(status) for status in ACTIVE),
            changes=changes,
            changes_failed=went_wrong,
            rollbacks=self._sum(one for one in self.kinds if one.completed and one.back),
            restores=self._sum(one for one in self.kinds if one.completed and one.restore),
            deployment_frequency=changes * (DAY / max(self.until - self.since, self.whole)),
            success_rate=_share(completed, completed + failed),
            failure_rate=_share(failed, completed + failed),
            change_failure_rate=_share(went_wrong, ended),
            lead_time=spread(self.lead),
            time_to_restore=spread(self.restoring),
            not_restored=self.not_restored,
            time_between=spread(self.between),
            duration=spread(self.duration),
        )

    def _of(self, status: str) -> int:
        return self._sum(one for one in self.kinds if one.status == status)

    def _sum(self, which: Iterable[_Kind]) -> int:
        return sum(self.kinds[one] for one in which)


@dataclass(slots=True)
class _Book:
    """All the tallies that a deployment may belong to; what the whole period has is what its steps have."""

    period: Period
    earlier: _Tally
    series: list[_Tally]
    apps: dict[str, _Tally] = field(default_factory=dict)
    environments: dict[str, _Tally] = field(default_factory=dict)
    since: int = 0
    begins: Sequence[int] = ()
    """When each step of the series does."""

    def of(self, one: Made) -> list[_Tally]:
        """Those of this one."""
        if one.created_at < self.since:
            return [self.earlier]
        step = self.series[bisect_right(self.begins, one.created_at) - 1]
        return [step, self._part(self.apps, one.app), self._part(self.environments, one.environment)]

    def _part(self, parts: dict[str, _Tally], name: str) -> _Tally:
        found = parts.get(name)
        if found is None:
            found = parts[name] = _Tally(self.period.since, self.period.until)
        return found

    def whole(self) -> Figures:
        """The figures of the whole period."""
        found = _Tally(self.period.since, self.period.until)
        for one in self.series:
            found.add(one)
        return found.figures()


def microseconds(moment: datetime) -> int:
    """A moment as rows have it."""
    return (moment - _EPOCH) // _MICROSECOND


def measure(made: Iterable[Made], period: Period, app: str | None = None, environment: str | None = None) -> Measured:
    """The figures of deployments that were made from `period.earlier` up to `period.until`.

    `made` is in order of app, environment and the moment at which each was made; what is outside of that time is left
    out. `app` and `environment` are said again: whoever read the rows has chosen by them.
    """
    book = _book(period)
    first, end = microseconds(period.earlier), microseconds(period.until)
    for _, rows in groupby((one for one in made if first <= one.created_at < end), key=lambda one: one[:2]):
        _count(list(rows), book)
    return Measured(
        app=app,
        environment=environment,
        figures=book.whole(),
        earlier=book.earlier.figures(),
        series=tuple(one.figures() for one in book.series),
        apps=_parts(book.apps),
        environments=_parts(book.environments),
    )


def _book(period: Period) -> _Book:
    steps = list(period.steps())
    return _Book(
        period=period,
        earlier=_Tally(period.earlier, period.since),
        series=[_Tally(begin, end, period.step) for begin, end in steps],
        since=microseconds(period.since),
        begins=[microseconds(begin) for begin, _ in steps],
    )


def _count(rows: Sequence[Made], book: _Book) -> None:
    """Count what was made of one app in one environment."""
    left = {one.left for one in rows if one.left and one.goes_back and one.status != "aborted"}
    broken: Made | None = None
    before: Made | None = None
    for one in rows:
        kind, tallies = _kind(one, left), book.of(one)
        for tally in tallies:
            tally.kinds[kind] = tally.kinds.get(kind, 0) + 1
        if kind.completed:
            _note_lengths(one, kind, tallies)
        if kind.went_wrong:
            broken = broken or one
        elif broken is not None and kind.completed:
            _note(book.of(broken), "restoring", broken.finished_at, one.finished_at)
            broken = None
        if kind.completed and kind.change:
            if before is not None and (before.created_at < book.since) == (one.created_at < book.since):
                _note(tallies, "between", before.finished_at, one.finished_at)
            before = one
    for tally in book.of(broken) if broken is not None else ():
        tally.not_restored += 1


def _kind(one: Made, left: set[str]) -> _Kind:
    """What it counts as. What is still to end has not gone wrong yet, and a way back is no change that could."""
    change, ended = one.is_change, one.status not in ACTIVE
    went_wrong = change and ended and (one.status == "failed" or one.id in left)
    return _Kind(one.status, change, one.goes_back, one.cause == "restore", went_wrong)


def _note_lengths(one: Made, kind: _Kind, tallies: Sequence[_Tally]) -> None:
    if kind.change and one.cause in CAUSES_OF_COMMITS:
        _note(tallies, "lead", one.committed_at, one.finished_at)
    if not one.gradual:
        _note(tallies, "duration", one.started_at, one.finished_at)


def _note(tallies: Iterable[_Tally], what: str, begin: int | None, end: int | None) -> None:
    """Note a length of time; where a clock was set back, it is none."""
    if begin is None or end is None:
        return
    seconds = max(end - begin, 0) / 1_000_000
    for tally in tallies:
        getattr(tally, what).append(seconds)


def spread(lengths: Iterable[float]) -> Spread:
    """Count, median, p90 and mean of lengths of time."""
    ordered = sorted(lengths)
    if not ordered:
        return Spread()
    count = len(ordered)
    return Spread(
        count=count,
        median=ordered[ceil(count * 0.5) - 1],
        p90=ordered[ceil(count * 0.9) - 1],
        mean=sum(ordered) / count,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _parts(tallies: dict[str, _Tally]) -> tuple[FiguresOf, ...]:
    most = sorted(tallies.items(), key=lambda one: (-one[1].changes, one[0]))[:MOST_PARTS]
    return tuple(FiguresOf(name=name, figures=tally.figures()) for name, tally in most)
