"""Can an environment go back, to what, how far is that, and does a guard speak against it?

Asked beforehand (`way`), and with the wish itself (`rollback`). What then happens is the daemon's: it goes back, holds
the environment there, and writes the commit that makes git say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from reconciler.errors import NotSo
from reconciler.model.version import spoken
from reconciler.model.wish import Recorded, Way
from reconciler.planner.going_back import NoWay, WayBack
from reconciler.store.database import Transaction
from reconciler.store.interventions import Wish
from reconciler.views import resolving
from reconciler.views.scene import scene_of
from reconciler.views.ways_back import find_way, steps_back
from reconciler.wishes import expecting, saying
from reconciler.wishes.recording import record
from reconciler.words import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """Where it goes, and how far that is."""

    app: str
    environment: str
    way: WayBack
    version: str | None
    """The id of the version that was named."""
    steps: int
    """So many deployments that completed lie between."""
    limit: int
    """So many there may be at most."""
    reason: str = ""

    @property
    def words(self) -> str:
        """What is done, in a line."""
        left = self.way.left
        far = f"{counted(self.steps, 'deployment')} back of at most {self.limit}"
        return (
            f"{self.app} in {self.environment} goes back to {spoken(self.way.traffic)} "
            f"from {spoken(left.traffic)} (deployment {left.number}): {far}; no guard speaks against it"
        )

    @property
    def shown(self) -> Way:
        """Where it goes back to, as it is shown."""
        return Way(
            app=self.app,
            environment=self.environment,
            traffic=self.way.traffic,
            rolled_back_from=self.way.left.id,
            deployments_back=self.steps,
            limit=self.limit,
        )

    def wish(self, actor: str) -> Wish:
        """What is asked of whoever leads."""
        return Wish(
            kind="rollback",
            app=self.app,
            environment=self.environment,
            subject=self.version,
            actor=actor,
            reason=self.reason,
        )


def way(
    connection: Connection,
    app: str,
    environment: str,
    to: str | None,
    now: datetime,
    *,
    reason: str = "",
    expected: str | None = None,
) -> Back:
    """Where it would go, to the version that `to` means or, for None, to what ran well before; now (UTC).

    Raises WrongUse, UnknownReference; NotSo where there is no way, with the guard's words.
    """
    reason = saying.reason(reason)
    resolving.placed(connection, app, environment)
    expecting.require(connection, app, environment, expected)
    found = resolving.version(connection, app, to) if to is not None else None
    scene = scene_of(connection)
    back = find_way(connection, scene, app, environment, found, now)
    if isinstance(back, NoWay):
        raise NotSo(back.reason, back.remedy)
    return Back(
        app=app,
        environment=environment,
        way=back,
        version=found.id if found else None,
        steps=steps_back(connection, app, environment, back.traffic),
        limit=scene.environments[environment].spec.rollback.limit,
        reason=reason,
    )


def ask(transaction: Transaction, back: Back, actor: str, now: datetime) -> Recorded:
    """Write down that somebody wants to go this way, which `way` has found. Raises WrongUse for no name of anybody."""
    return record(transaction, back.wish(saying.name(actor)), back.words, now, back.shown)


def rollback(
    transaction: Transaction,
    app: str,
    environment: str,
    *,
    actor: str,
    now: datetime,
    to: str | None = None,
    reason: str = "",
    expected: str | None = None,
) -> Recorded:
    """An environment is to go back, and to be held there; now (UTC). What is recorded tells where to, in `way`.

    Raises as `way` does.
    """
    back = way(transaction.connection, app, environment, to, now, reason=reason, expected=expected)
    return ask(transaction, back, actor, now)
