"""What of many apps is known from the last time somebody looked?

A row is kept as long as nothing of its app can have changed: no fact about it or about an app that it waits for, the
same stamp, the same manifests that concern many apps. So with many readers, or with a daemon that is busy with other
apps, rows are not made again and again. Shared by the threads that answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection

from reconciler.planner import groups
from reconciler.store import concerns, declared, leases, ledger, repository, stamps
from reconciler.store.stamps import AppStamp
from reconciler.views.scene import declared_groups

_Row = TypeVar("_Row")
_Found = TypeVar("_Found")
MINUTE, MOST_KEYS = timedelta(minutes=1), 50
MOST_FACTS = 5_000
"""After more new facts than that, everything is looked at again."""
MOST_BYTES, TIMES = 24 << 20, 3
"""What rows may take together; and how many times what it would be in writing a row takes, about."""
_ASIDE = ("session.", "token.", "daemon.", "commit.noted")
"""Facts that are about no app at all, or about apps of which stamps tell."""


@dataclass(slots=True)
class Memory:
    """Rows by app, with when each becomes due; and the team of each app, of one commit."""

    _at: tuple[Any, ...] = ()
    _seen: tuple[Any, ...] = ()
    _newest: int = 0
    _rows: dict[tuple[str, str], tuple[Any, AppStamp, datetime, int]] = field(default_factory=dict)
    _bytes: int = 0
    _ahead: dict[tuple[str, ...], tuple[tuple[Any, ...], int, datetime, Any]] = field(default_factory=dict)
    _teams: tuple[tuple[Any, ...], Mapping[str, str]] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def teams(self, connection: Connection) -> Mapping[str, str]:
        """The team of each app that has one."""
        here = _state(connection)
        with self._lock:
            if self._teams is not None and self._teams[0] == here:
                return self._teams[1]
        found = concerns.teams(connection)
        with self._lock:
            self._teams = (here, found)
        return found

    def rows(
        self,
        connection: Connection,
        names: list[str],
        kind: str,
        now: datetime,
        make: Callable[[list[str]], Iterable[tuple[str, _Row, datetime]]],
    ) -> dict[str, _Row]:
        """Rows of these apps: those that are known, and those that `make` makes, with until when each is true as far
        as nothing happens (UTC)."""
        stamped = stamps.of_apps(connection, names)
        with self._lock:
            newest = self._forget(connection)
            found: dict[str, _Row] = {}
            for name in names:
                held = self._rows.get((kind, name))
                if held is not None and held[1] == stamped.get(name) and now < held[2]:
                    found[name] = held[0]
        for name, row, until in make([name for name in names if name not in found]):
            found[name] = row
            stamp = stamped.get(name)
            until = min(until, (stamp and stamp.due) or until)
            if stamp is not None and until > now:
                size = TIMES * len(repr(row))
                with self._lock:
                    # Of an older state than others have seen by now, it may be out of date already.
                    if self._newest == newest and self._bytes + size <= MOST_BYTES:
                        self._drop((kind, name))
                        self._rows[kind, name] = (row, stamp, until, size)
                        self._bytes += size
        return {name: found[name] for name in names if name in found}

    def ahead(self, connection: Connection, key: tuple[str, ...], now: datetime, make: Callable[[], _Found]) -> _Found:
        """What `make` foretells of many apps, of at most a minute ago: anew with each commit, and with each wish."""
        here, newest = _state(connection), ledger.newest(connection)
        with self._lock:
            state, seen, at, found = self._ahead.get(key, ((), 0, now, None))
        holds = found is not None and state == here and at <= now < at + MINUTE
        if not holds or ledger.any_after(connection, seen, "intervention."):
            found = make()
            with self._lock:
                if len(self._ahead) >= MOST_KEYS:
                    self._ahead.clear()
                self._ahead[key] = (here, newest, now, found)
        kept: _Found = found
        return kept

    def _forget(self, connection: Connection) -> int:
        """Forget what may have changed since the last look; up to which fact that is."""
        at = _state(connection)
        if at != self._at:
            # What many apps follow from is another one only with a commit, or in another life of the store.
            _, url, _, lineage = at
            here = (url, lineage, stamps.of_all(connection))
            self._at = at
            if here != self._seen:
                self._clear()
                self._seen, self._newest = here, ledger.newest(connection)
                return self._newest
        facts = ledger.after(connection, self._newest, MOST_FACTS + 1)
        if len(facts) > MOST_FACTS or any(fact.app is None and not fact.kind.startswith(_ASIDE) for fact in facts):
            self._clear()
            self._newest = ledger.newest(connection)
        elif facts:
            touched = _with_others(connection, {fact.app for fact in facts if fact.app is not None})
            for key in [key for key in self._rows if key[1] in touched]:
                self._drop(key)
            self._newest = facts[-1].sequence
        return self._newest

    def _clear(self) -> None:
        self._rows.clear()
        self._bytes = 0

    def _drop(self, key: tuple[str, str]) -> None:
        found = self._rows.pop(key, None)
        self._bytes -= found[3] if found is not None else 0


def _with_others(connection: Connection, apps: set[str]) -> set[str]:
    """These apps, and those that may wait for them: what depends on one of them, or moves together with one."""
    company = groups.companions(declared_groups(connection))
    known: set[str] = set()
    while new := apps - known:
        known |= new
        apps = declared.dependents(connection, new).union(*(company.get(name, ()) for name in new))
    return known


def _state(connection: Connection) -> tuple[Any, ...]:
    """Which commit is in force, and which life of a store this is."""
    place = repository.followed(connection)
    lineage = leases.lineage(connection)
    return (place.head, place.url, place.position, lineage) if place is not None else (None, None, None, lineage)
