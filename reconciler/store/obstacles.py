"""What stands in the way of an app in an environment: a rule that refuses it, an approval that is missing, or a gate,
a freeze, a dependency that it waits for?

A plan says so again and again as long as it is so. That a person is needed is in the ledger, once, when it begins.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Connection, bindparam, delete, select

from reconciler.model.plan import Plan, WaitsFor
from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.statements import Among, Prepared

_O = tables.obstacles.c
_OF = Among(select(tables.obstacles), _O.app)
_OF_KIND = Prepared(select(_O.app).where(_O.kind == bindparam("of_kind")))
_Key = tuple[str, str, str, str]
_COLUMNS = ("app", "environment", "kind", "mark")
_BEGUN = Prepared(tables.obstacles.insert())
_OF_COLUMNS = tuple(f"of_{name}" for name in _COLUMNS)
_OVER = Prepared(
    delete(tables.obstacles).where(*(_O[name] == bindparam(of) for name, of in zip(_COLUMNS, _OF_COLUMNS, strict=True)))
)

APPROVAL, REFUSED = "approval", "refused"
NEEDS_PERSON = (APPROVAL, REFUSED)
# Waiting for one of these has traces of its own: manifests with complaints, deployments on their way, and where nothing
# has completed yet.
_TRACED: frozenset[WaitsFor] = frozenset({"manifest", "deployment", "promotion", "retry", "rollout"})
WAITS: tuple[WaitsFor, ...] = tuple(one for one in get_args(WaitsFor) if one not in {*_TRACED, APPROVAL})
"""What only a plan knows that it is waited for."""


def apps(connection: Connection, kind: WaitsFor) -> set[str]:
    """Apps in the way of which something of this kind stands."""
    return set(_OF_KIND.run(connection, of_kind=kind).scalars())


def record(transaction: Transaction, plans: Mapping[str, Plan], now: datetime) -> None:
    """Write down what these plans of apps say is in the way, and forget what is not in the way any more."""
    wanted = {key: body for plan in plans.values() for key, body in _of(plan).items()}
    rows = _OF.run(transaction.connection, sorted(plans))
    known = {(row.app, row.environment, row.kind, row.mark) for row in rows}
    over = sorted(known - wanted.keys())
    _OVER.each(
        transaction.connection, [{f"of_{name}": one for name, one in zip(_COLUMNS, key, strict=True)} for key in over]
    )
    new = sorted(wanted.keys() - known)
    added = [{**dict(zip(_COLUMNS, key, strict=True)), "since": now} for key in new]
    _BEGUN.each(transaction.connection, added)
    for key in new:
        app, environment, kind, _ = key
        if kind not in NEEDS_PERSON:
            continue
        said = "gate.waits" if kind == APPROVAL else "plan.refused"
        transaction.note(said, now, wanted[key], app=app, environment=environment, subject=wanted[key].get("key"))


def _of(plan: Plan) -> dict[_Key, dict[str, Any]]:
    found: dict[_Key, dict[str, Any]] = {}
    for one in plan.waiting:
        if one.waits_for == APPROVAL:
            body = {"key": one.key, "role": one.role, "message": one.detail}
            found[one.app, one.environment, APPROVAL, f"{one.key} {one.role or ''}"[:200]] = body
        elif one.waits_for in WAITS:
            found[one.app, one.environment, one.waits_for, ""] = {}
    for refused in plan.refused:
        body = {"rule": refused.rule, "key": refused.key, "message": refused.detail}
        found[refused.app, refused.environment, REFUSED, f"{refused.rule} {refused.key or ''}"] = body
    return found
