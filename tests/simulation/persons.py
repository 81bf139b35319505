"""People who look at what the daemons do, and wish for something: by the store, as the command line does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import Connection

from reconciler.store import declared, deployments, due, gates, holds, interventions, repository, tables
from reconciler.store.database import Transaction
from reconciler.store.rows import deployment_of
from reconciler.views.matrix import Asked, matrix
from reconciler.views.remembering import Memory
from tests.simulation.author import BRANCH, Author
from tests.simulation.machine import PREFIX, Surround
from tests.simulation.storage import SimulatedDatabase, session
from tests.world import CHAIN

ANN = "zoe@example.com"
"""Nobody who writes commits."""
KINDS = ("pause", "resume", "approve", "abort", "retry", "rollback", "release", "merge", "accept")


class Persons:
    """Wish for something so many times a day."""

    def __init__(self, around: Surround, author: Author, random: Random) -> None:
        self._around = around
        self._author = author
        self._random = random
        self._database = SimulatedDatabase(around.storage, around.tell)
        self._memory = Memory()

    def begin(self, wishes_a_day: float, approvals: bool, looks_a_day: float) -> None:
        """Wish now and then; `approvals`: approve what waits for it, within hours; look at the matrix."""
        if wishes_a_day:
            self._now_and_then(wishes_a_day, lambda: self.wish(self._random.choice(KINDS)))
        if approvals:
            self._now_and_then(8, lambda: self.wish("approve"))
        if looks_a_day:
            self._now_and_then(looks_a_day, self.look)

    def _now_and_then(self, a_day: float, what: Callable[[], None]) -> None:
        def happen() -> None:
            if self.active:
                what()
                self._now_and_then(a_day, what)

        self._around.moments.at(self._random.expovariate(a_day / 86400), happen)

    active = True

    def wish(self, kind: str) -> None:
        """Wish for something of this kind, if there is anything to wish for."""
        if self._around.storage.trouble:
            return  # the command line says that the store does not answer
        now = self._around.moments.now
        with session(self._around.storage.ours), self._database.write() as transaction:
            said = getattr(self, f"_{kind}")(transaction, now)
        if said:
            self._around.moments.say("person", f"{kind} {said}")
            self._around.nudge()

    def look(self) -> None:
        """Look at the matrix: it must say the same with what is remembered of earlier looks as without."""
        if self._around.storage.trouble:
            return
        moments = self._around.moments
        with session(self._around.storage.ours), self._database.read() as connection:
            kept, fresh = (matrix(connection, Asked(), moments.now, memory) for memory in (self._memory, Memory()))
        if kept != fresh:
            moments.broken.append(f"{moments.now}: the matrix remembers what is not so: {kept} and not {fresh}")

    def settle(self) -> None:
        """End what people hold up: every pause, and a head that waits to be accepted."""
        for app in self._author.apps:
            with session(self._around.storage.ours), self._database.write() as transaction:
                interventions.resume(transaction, app, None, ANN, self._around.moments.now)
                due.mark(transaction, [app], self._around.moments.now)
        self.wish("accept")

    def approve_all(self) -> None:
        """Approve whatever is asked for."""
        with session(self._around.storage.ours), self._database.write() as transaction:
            rows = transaction.connection.execute(tables.requests.select()).all()
            given = {row.key for row in transaction.connection.execute(tables.approvals.select())}
            for row in rows:
                if row.key not in given:
                    now = self._around.moments.now
                    gates.approve(transaction, row.app, row.environment, row.key, ANN, None, "", now)
                    due.mark(transaction, [row.app], now)

    def _record(self, transaction: Transaction, now: Any, kind: str, app: str | None = None, **what: Any) -> str:
        transaction_wish = interventions.Wish(kind=kind, actor=ANN, app=app, **what)  # type: ignore[arg-type]
        interventions.record(transaction, transaction_wish, now)
        if app is not None:
            due.mark(transaction, [app], now)
        return f"{app or ''} {what.get('environment', '')} {str(what.get('subject', ''))[:12]}"

    def _one(self, several: list[Any]) -> Any:
        return self._random.choice(several) if several else None

    def _place(self, connection: Connection) -> tuple[str, str] | None:
        found = self._one(declared.known_names(connection))
        return (found, self._random.choice(CHAIN)) if found else None

    def _pause(self, transaction: Transaction, now: Any) -> str:
        place = self._place(transaction.connection)
        if place is None:
            return ""
        until = now + timedelta(hours=self._random.uniform(1, 12))
        return self._record(transaction, now, "pause", place[0], environment=place[1], until=until)

    def _resume(self, transaction: Transaction, now: Any) -> str:
        place = self._place(transaction.connection)
        if place is None or not interventions.resume(transaction, place[0], None, ANN, now):
            return ""
        due.mark(transaction, [place[0]], now)
        return place[0]

    def _approve(self, transaction: Transaction, now: Any) -> str:
        connection = transaction.connection
        given = {row.key for row in connection.execute(tables.approvals.select())}
        rows = connection.execute(tables.requests.select().order_by(tables.requests.c.key)).all()
        row = self._one([one for one in rows if one.key not in given])
        if row is None:
            return ""
        gates.approve(transaction, row.app, row.environment, row.key, ANN, None, "", now)
        due.mark(transaction, [row.app], now)
        return f"{row.app} {row.environment}"

    def _abort(self, transaction: Transaction, now: Any) -> str:
        rows = sorted(deployments.active(transaction.connection), key=lambda row: row.id)
        row = self._one([deployment_of(one) for one in rows])
        if row is None:
            return ""
        return self._record(transaction, now, "abort", row.app, environment=row.environment, subject=row.id)

    def _retry(self, transaction: Transaction, now: Any) -> str:
        listed = deployments.listed(transaction.connection, deployments.Filter(limit=50))
        row = self._one([one for one in listed if one.status in ("failed", "aborted")])
        if row is None:
            return ""
        return self._record(transaction, now, "retry", row.app, environment=row.environment, subject=row.id)

    def _rollback(self, transaction: Transaction, now: Any) -> str:
        place = self._place(transaction.connection)
        if place is None:
            return ""
        return self._record(transaction, now, "rollback", place[0], environment=place[1])

    def _release(self, transaction: Transaction, now: Any) -> str:
        rows = sorted(holds.of(transaction.connection, self._author.apps), key=lambda row: (row.app, row.environment))
        row = self._one(rows)
        if row is None:
            return ""
        return self._record(transaction, now, "release", row.app, environment=row.environment)

    def _merge(self, _transaction: Transaction, _now: Any) -> str:
        """A pull request with a revert that the daemon prepared is merged."""
        branches = self._around.repository.branches
        ready = [n for n, c in branches.items() if n.startswith(PREFIX)]
        name = self._one(sorted(ready))
        if name is None or self._around.repository.parents(branches[name])[0] != branches[BRANCH]:
            return ""
        self._author.takes_over(branches.pop(name))
        return name

    def _accept(self, transaction: Transaction, now: Any) -> str:
        followed = repository.followed(transaction.connection)
        if followed is None or followed.held_head is None:
            return ""
        return self._record(transaction, now, "accept", subject=followed.held_head)
