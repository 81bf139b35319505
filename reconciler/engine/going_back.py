"""How does a person's wish to go back, or to end a hold, become facts?

Inside a cycle's transaction, before it plans: what is written down here is what the plan then follows. A wish that
cannot be granted ends with the reason, in the ledger and in the log.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from reconciler import telemetry
from reconciler.model.deployment import Subject
from reconciler.model.version import spoken
from reconciler.store import due, holds, interventions, suspicions, versions
from reconciler.store.database import Transaction
from reconciler.store.rows import traffic_row
from reconciler.views.scene import Scene

if TYPE_CHECKING:
    from reconciler.planner.going_back import WayBack

log = telemetry.logger("daemon")


def answer_wishes(transaction: Transaction, scene: Scene, now: datetime) -> None:
    """Act on every wish to go back and to end a hold that is open."""
    for wish in interventions.open_ways(transaction.connection):
        outcome = _go_back(transaction, wish, scene, now) if wish.kind == "rollback" else _end(transaction, wish, now)
        interventions.done(transaction, wish, now, outcome)
        due.mark(transaction, [wish.app], now)


def _go_back(transaction: Transaction, wish: Row[Any], scene: Scene, now: datetime) -> str:
    # With the first wish: it brings along all that plans, and mostly nobody wishes anything.
    from reconciler.planner.going_back import NoWay
    from reconciler.views.ways_back import find_way

    connection = transaction.connection
    version = versions.by_id(connection, [wish.subject]).get(wish.subject) if wish.subject else None
    way = find_way(connection, scene, wish.app, wish.environment, version, now)
    if isinstance(way, NoWay):
        log.warning(
            "rollback.refused",
            app=wish.app,
            environment=wish.environment,
            asked_by=wish.actor,
            reason=way.reason,
            next=way.remedy,
        )
        return f"refused: {way.reason} ({way.remedy})"
    _hold(transaction, wish, way, now)
    return f"back to {spoken(way.traffic)} from deployment {way.left.number}"


def _hold(transaction: Transaction, wish: Row[Any], way: WayBack, now: datetime) -> None:
    why = f"was rolled back by {wish.actor}" + (f": {wish.reason}" if wish.reason else "")
    for subject, taken in way.suspects:
        suspicions.note(transaction, way.left, subject, taken, now, why)
    holds.hold(
        transaction,
        wish.app,
        wish.environment,
        wish.actor,
        wish.reason or "no reason was given",
        now,
        traffic=traffic_row(Subject(traffic=way.traffic)),
        deployment=way.left.id,
        version=way.version,
    )


def _end(transaction: Transaction, wish: Row[Any], now: datetime) -> str:
    """What went wrong there is forgotten, and git's word holds again."""
    where = {"app": wish.app, "environment": wish.environment}
    suspicions.clear(transaction, wish.app, wish.environment)
    transaction.note("suspicion.lifted", now, {"reason": wish.reason}, **where, actor=wish.actor)
    reason = f"released by {wish.actor}" + (f": {wish.reason}" if wish.reason else "")
    return reason if holds.lift(transaction, **where, reason=reason, now=now, actor=wish.actor) else "nothing was held"
