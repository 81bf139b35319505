"""How does a person's wish reach whoever leads? It is recorded in the store, and the daemon is nudged to look."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from reconciler.cli import opened
from reconciler.errors import NotSo, UnknownReference, WrongUse

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reconciler.model.deployment import Deployment
    from reconciler.store.database import Transaction

_ID = re.compile(r"[0-9a-f]{1,64}")
_CANDIDATES = 5


def record(transaction: Transaction, now: Any, **wish: Any) -> None:
    """Write a wish down, and mark its app for planning."""
    from reconciler.store import declared, interventions

    interventions.record(transaction, interventions.Wish(**wish), now)
    if wish.get("app"):
        declared.mark_due(transaction, [wish["app"]], now)


def about(transaction: Transaction, now: Any, kind: str, found: Deployment, actor: str, reason: str) -> None:
    """Write a wish about a deployment down."""
    here = {"app": found.app, "environment": found.environment, "subject": found.id}
    record(transaction, now, kind=kind, **here, actor=actor, reason=reason)


def placed(connection: Connection, app: str, environment: str | None) -> None:
    """Check that the app, and it in the environment, is known. Raises UnknownReference."""
    from reconciler.store import declared

    opened.known_app(declared.known_names(connection), app)
    environments = sorted(declared.placements(connection, [app]).get(app, {}))
    if environment is not None and environment not in environments:
        remedy = f"it is in {', '.join(environments)}" if environments else "it is in no environment"
        raise UnknownReference(f"{app} is not in an environment {environment[:100]}", remedy)


def deployment(connection: Connection, identifier: str) -> Deployment:
    """The deployment of an id, or of the beginning of one, however short. Raises WrongUse, UnknownReference."""
    from reconciler.store import deployments

    beginning = identifier.lower()
    if not _ID.fullmatch(beginning):
        raise WrongUse(
            f"{identifier[:100]} is no deployment's id",
            "give an id's hexadecimal digits, or the first of them; `reconciler deployments list` shows ids",
        )
    found = deployments.find(connection, beginning)
    if found is None:
        _refuse(connection, beginning)
    return found


def _refuse(connection: Connection, beginning: str) -> NoReturn:
    """No deployment, or several, have an id that begins so; the newest of several are named."""
    from sqlalchemy import select

    from reconciler.store.tables import deployments

    of = deployments.c
    query = select(of.id, of.number, of.app, of.environment).where(of.id >= beginning, of.id < f"{beginning}g")
    rows = connection.execute(query.order_by(of.sequence.desc()).limit(_CANDIDATES + 1)).all()
    if not rows:
        raise UnknownReference(
            f"no deployment has an id that begins with {beginning}", "`reconciler deployments list` shows ids"
        )
    named = [f"{row.id} ({row.number} of {row.app} in {row.environment})" for row in rows[:_CANDIDATES]]
    more = ["more"] if len(rows) > _CANDIDATES else []
    raise UnknownReference(
        f"several deployments have an id that begins with {beginning}: {', '.join([*named, *more])}",
        "give more digits of the one that is meant",
    )


def refuse_unless(condition: object, message: str, next_step: str) -> None:
    """Raise NotSo unless the condition holds."""
    if not condition:
        raise NotSo(message, next_step)


def at_gate(connection: Connection, identifier: str) -> tuple[str, str, str]:
    """App, environment and key of what stands at a gate, by the beginning of its id or as APP/ENVIRONMENT.

    Raises WrongUse, UnknownReference.
    """
    from reconciler.store import gates

    app, slash, environment = identifier.partition("/")
    if slash:
        placed(connection, app, environment)
        found = gates.asked_in(connection, app, environment)[:1]
    elif _ID.fullmatch(identifier):
        found = gates.asked(connection, identifier)
    else:
        raise WrongUse(f"{identifier[:100]} is no id", "`reconciler status` shows the ids of what waits at a gate")
    if len(found) != 1:
        many = "more than one thing" if found else "nothing"
        raise UnknownReference(f"{many} at a gate answers to {identifier}", "`reconciler status` shows ids")
    return found[0].app, found[0].environment, found[0].key
