"""Which scheduled changes come within the time that somebody wants to know before, and which were called off?

The forecast is computed anew when a commit or a person changed something, and when its time runs out; else a look
compares moments. Each edge is announced once, with its difference and the line that calls it off; one that is not there
any more after that is told once more, as called off or moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from reconciler.git.objects import Objects
from reconciler.model.alert import Alert
from reconciler.notify.deriving import labels_of, notice
from reconciler.notify.facts import Happening, stable_id
from reconciler.schedule import rfc3339
from reconciler.store import declared, interventions, notices, repository
from reconciler.store.database import Database, Transaction
from reconciler.views.scene import declared_alerts

if TYPE_CHECKING:
    from reconciler.model.output import Edge

CAUSES = frozenset({"season-start", "season-end", "schedule", "experiment-end", "pause-end"})
SPARE = timedelta(hours=1)
"""So much further than asked is looked, so that it need not be done with every look."""
AGAIN = timedelta(seconds=20)
"""So often at the most it is computed anew, however often something changes."""
FAR = timedelta(days=366)
"""So far a change that was moved is looked for."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A forecast, what it was made of, and how far it reaches."""

    stamp: tuple[object, ...]
    at: datetime
    until: datetime
    edges: Sequence[Edge]


class Foresight:
    """Looks ahead, and remembers what it saw until something changes."""

    def __init__(self, database: Database, mirror: Path) -> None:
        """`mirror` tells the lines in which changes are declared, once it is there."""
        self._database = database
        self._mirror = mirror
        self._seen: _Seen | None = None
        self._quiet: tuple[int, datetime] | None = None
        """With which newest fact nothing happens before which moment."""

    def look(self, now: datetime, newest: int) -> int:
        """Announce what is due to be announced, and what was called off; how many notices. Raises StoreError.

        `newest` is the newest fact: without another one, nothing happens before the next moment that matters.
        """
        if self._quiet is not None and self._quiet[0] == newest and now < self._quiet[1]:
            return 0
        self._quiet = None
        with self._database.read() as connection:
            alerts = [alert for alert in declared_alerts(connection) if alert.spec.ahead is not None]
            if not alerts:
                self._seen, self._quiet = None, (newest, now + SPARE)
                return 0
            seen = self._up_to_date(connection, alerts, now)
            labels = labels_of(connection, alerts, {edge.app for edge in seen.edges if edge.app})
            found = {alert.name: _compared(connection, alert, labels, seen, now) for alert in alerts}
            outdated = seen.stamp != _stamp(connection)
        if not any(one.anything for one in found.values()):
            self._quiet = None if outdated else (newest, _next(alerts, seen, now))
            return 0
        from reconciler.views.forecast import forecast

        with self._database.read() as connection, self._objects() as objects:
            apps = sorted({edge.app for one in found.values() for edge in (*one.new, *one.gone)})
            told = forecast(connection, apps, now, now + FAR, objects).edges if apps else []
        with self._database.write() as transaction:
            place = repository.followed(transaction.connection)
            stamp = str(place.position if place is not None else 0)
            return sum(_write(transaction, alert, found[alert.name], told, stamp, now) for alert in alerts)

    def _up_to_date(self, connection: Connection, alerts: Sequence[Alert], now: datetime) -> _Seen:
        longest = max(alert.spec.ahead for alert in alerts if alert.spec.ahead is not None)
        stamp, seen = _stamp(connection), self._seen
        if seen is not None and seen.until >= now + longest and (seen.stamp == stamp or now < seen.at + AGAIN):
            return seen
        # Imported where somebody wants to know before: it brings along all that plans.
        from reconciler.views.forecast import forecast

        until = now + longest + SPARE
        edges = [edge for edge in forecast(connection, _names(connection, alerts), now, until).edges if _told(edge)]
        self._seen = _Seen(stamp, now, until, edges)
        return self._seen

    @contextmanager
    def _objects(self) -> Iterator[Objects | None]:
        if not (self._mirror / "objects").is_dir():
            yield None
            return
        with Objects(self._mirror) as objects:
            yield objects


def _stamp(connection: Connection) -> tuple[object, ...]:
    """Another one as soon as a commit was noted, or a person asked for something."""
    place = repository.followed(connection)
    return place.head if place else None, place.position if place else 0, interventions.stamp(connection)


def _next(alerts: Iterable[Alert], seen: _Seen, now: datetime) -> datetime:
    """When the next change is to be told, or comes, or the forecast has to be computed anew."""
    lengths = [alert.spec.ahead for alert in alerts if alert.spec.ahead is not None]
    moments = {edge.at - length for edge in seen.edges for length in (*lengths, timedelta())}
    return min([seen.until - max(lengths), *(moment for moment in moments if moment > now)])


def _names(connection: Connection, alerts: Iterable[Alert]) -> list[str]:
    """The apps that are to be looked at."""
    wanted: set[str] = set()
    for alert in alerts:
        if not isinstance(alert.spec.apps, tuple):
            return declared.app_names(connection)
        wanted |= set(alert.spec.apps)
    return sorted(wanted & set(declared.app_names(connection)))


def _told(edge: Edge) -> bool:
    return edge.cause in CAUSES and bool(edge.app)


@dataclass(frozen=True, slots=True)
class _Compared:
    """What is new within the time of an alert, what it was told of that is not there any more, and what has passed."""

    new: Sequence[Edge]
    gone: Sequence[Any]
    passed: bool

    @property
    def anything(self) -> bool:
        return bool(self.new or self.gone or self.passed)


def key(edge: Any) -> str:
    """What an edge is known by."""
    return stable_id(edge.cause, edge.app, edge.environment, edge.name, rfc3339(edge.at))


def _compared(
    connection: Connection, alert: Alert, labels: Mapping[str, dict[str, str]], seen: _Seen, now: datetime
) -> _Compared:
    assert alert.spec.ahead is not None
    told = {row.edge: row for row in notices.announced(connection, alert.name)}
    mine = {key(edge): edge for edge in seen.edges if edge.at > now and _concerns(alert, edge, labels)}
    new = [edge for name, edge in mine.items() if name not in told and edge.at <= now + alert.spec.ahead]
    there = {key(edge) for edge in seen.edges} if told else set()
    gone = [row for name, row in told.items() if now < row.at <= seen.until and name not in there]
    return _Compared(new, gone, any(row.at <= now for row in told.values()))


def _concerns(alert: Alert, edge: Edge, labels: Mapping[str, dict[str, str]]) -> bool:
    return alert.concerns("change-ahead", edge.app, labels.get(edge.app, {}), edge.environment, "")


def _write(
    transaction: Transaction, alert: Alert, found: _Compared, told: Sequence[Edge], stamp: str, now: datetime
) -> int:
    exact = {key(edge): edge for edge in told}
    known = {row.edge for row in notices.announced(transaction.connection, alert.name)}
    new = [exact.get(key(edge), edge) for edge in found.new if key(edge) not in known]
    gone = [row for row in found.gone if row.edge in known]
    rows, announced = [], {key(edge): edge for edge in new}
    for row in gone:
        moved = _moved(row, told, known)
        announced |= {key(moved): moved} if moved is not None and _within(alert, moved, now) else {}
        new = [edge for edge in new if moved is None or key(edge) != key(moved)]
        rows.append(notice(alert, _off(row, moved, stamp, now)))
    rows += [notice(alert, _coming(edge, stamp, now)) for edge in new]
    count = notices.add(transaction, rows)
    notices.past(transaction, [(alert.name, row.edge) for row in gone], now)
    notices.announce(transaction, [_row(alert, edge) for edge in announced.values()])
    return count


def _within(alert: Alert, edge: Edge, now: datetime) -> bool:
    return alert.spec.ahead is not None and edge.at <= now + alert.spec.ahead


def _moved(row: Any, told: Iterable[Edge], known: set[str]) -> Edge | None:
    """Where the same change is now: the nearest that nobody was told of yet."""
    same = [
        edge
        for edge in told
        if (edge.cause, edge.app, edge.environment, edge.name) == (row.cause, row.app, row.environment, row.name)
        and key(edge) not in known
    ]
    return min(same, key=lambda edge: abs(edge.at - row.at), default=None)


def _row(alert: Alert, edge: Edge) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "edge": key(edge),
        "cause": edge.cause,
        "app": edge.app,
        "environment": edge.environment,
        "name": edge.name,
        "at": edge.at,
        "detail": edge.detail,
    }


def _coming(edge: Edge, stamp: str, now: datetime) -> Happening:
    what = f"{edge.cause} {edge.name}".strip()
    return _happening(
        f"ahead:{key(edge)}:{stamp}",
        edge,
        now,
        title=f"{edge.app} in {edge.environment} changes at {rfc3339(edge.at)}: {what}",
        message=edge.detail,
        next=edge.cancel,
    )


def _off(row: Any, moved: Edge | None, stamp: str, now: datetime) -> Happening:
    what = f"{row.cause} {row.name}".strip()
    where = f"{row.app} in {row.environment}"
    if moved is None:
        title = f"called off: {what} of {where} at {rfc3339(row.at)}"
        return _happening(f"ahead-off:{row.edge}:{stamp}", row, now, title=title, message=row.detail, next="")
    title = f"moved: {what} of {where} from {rfc3339(row.at)} to {rfc3339(moved.at)}"
    return _happening(f"ahead-off:{row.edge}:{stamp}", moved, now, title=title, message=moved.detail, next=moved.cancel)


def _happening(fact: str, edge: Any, now: datetime, **said: str) -> Happening:
    common = {"event": "change-ahead", "app": edge.app, "environment": edge.environment, "at": rfc3339(edge.at)}
    return Happening(
        fact=fact,
        at=now,
        event="change-ahead",
        app=edge.app,
        environment=edge.environment,
        said=common | {"reason": edge.name} | said,
    )
