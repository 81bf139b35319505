"""What stands in the way of an app in an environment: a rule that refuses it, or an approval that is missing?

A plan says so again and again as long as it is so; that it began is in the ledger, once.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from reconciler.model.plan import Plan
from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.statements import Among

_O = tables.obstacles.c
_OF = Among(select(tables.obstacles), _O.app)
_Key = tuple[str, str, str, str]


def record(transaction: Transaction, plans: Mapping[str, Plan], now: datetime) -> None:
    """Write down what these plans of apps say is in the way, and forget what is not in the way any more."""
    wanted = {key: body for plan in plans.values() for key, body in _of(plan).items()}
    rows = _OF.run(transaction.connection, sorted(plans))
    known = {(row.app, row.environment, row.kind, row.mark) for row in rows}
    for app, environment, kind, mark in known - wanted.keys():
        here = (_O.app == app) & (_O.environment == environment) & (_O.kind == kind) & (_O.mark == mark)
        transaction.connection.execute(delete(tables.obstacles).where(here))
    new = sorted(wanted.keys() - known)
    if new:
        columns = ("app", "environment", "kind", "mark")
        added = [{**dict(zip(columns, key, strict=True)), "since": now} for key in new]
        transaction.connection.execute(tables.obstacles.insert(), added)
    for key in new:
        app, environment, kind, _ = key
        said = "gate.waits" if kind == "approval" else "plan.refused"
        transaction.note(said, now, wanted[key], app=app, environment=environment, subject=wanted[key].get("key"))


def _of(plan: Plan) -> dict[_Key, dict[str, Any]]:
    found: dict[_Key, dict[str, Any]] = {}
    for one in plan.waiting:
        if one.waits_for == "approval":
            body = {"key": one.key, "role": one.role, "message": one.detail}
            found[one.app, one.environment, "approval", f"{one.key} {one.role or ''}"[:200]] = body
    for refused in plan.refused:
        body = {"rule": refused.rule, "key": refused.key, "message": refused.detail}
        found[refused.app, refused.environment, "refused", f"{refused.rule} {refused.key or ''}"] = body
    return found
