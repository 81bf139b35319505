"""How is a wish written down? Beside what git says, and its app marked for planning."""

from __future__ import annotations

from datetime import datetime

from reconciler.errors import NotSo
from reconciler.model.wish import Recorded, Way
from reconciler.store import due, interventions
from reconciler.store.database import Transaction
from reconciler.store.interventions import Wish


def record(transaction: Transaction, wish: Wish, detail: str, now: datetime, way: Way | None = None) -> Recorded:
    """Write a wish down, and mark its app for planning. `detail` says in a line what is asked for."""
    number = interventions.record(transaction, wish, now)
    if wish.app is not None:
        due.mark(transaction, [wish.app], now)
    return Recorded(
        kind=wish.kind,
        detail=detail,
        actor=wish.actor,
        at=now,
        app=wish.app,
        environment=wish.environment,
        subject=wish.subject,
        reason=wish.reason,
        until=wish.until,
        number=number,
        way=way,
    )


def refuse_unless(condition: object, message: str, next_step: str) -> None:
    """Raise NotSo unless the condition holds."""
    if not condition:
        raise NotSo(message, next_step)
