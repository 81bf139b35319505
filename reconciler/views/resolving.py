"""Which recorded thing does somebody mean: an app, an environment, a version, a deployment, what stands at a gate?

What every face lets people type. Words that mean nothing, or several things, are answered with what is like them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any, NoReturn
from urllib.parse import quote

from sqlalchemy import Connection

from reconciler.errors import AmbiguousReference, UnknownReference, WrongUse
from reconciler.model.deployment import Deployment
from reconciler.model.version import Version, label
from reconciler.store import declared, deployments, elsewhere, figures, gates, starts, versions
from reconciler.words import instead, meant

_ID = re.compile(r"[0-9a-f]{1,64}")
_CANDIDATES = 5
_LONGEST = 100
SHORTEST = 4
"""With fewer digits of its id nothing at a gate is named: too easily something else is."""
_SHOWN = "`reconciler status` shows the ids"


def known_app(names: Sequence[str], app: str) -> str:
    """`app`, if it is one of the names. Raises UnknownReference with the one that is most like it."""
    if _askable(app) and app in names:
        return app
    remedy = meant(app, names, "`reconciler status` lists the apps that are known")
    raise UnknownReference(f"there is no app {app[:_LONGEST]}", remedy)


def declared_app(connection: Connection, app: str) -> str:
    """`app`, if git declares it or did. Raises UnknownReference with what is known of it, or with what is like it."""
    names = declared.known_names(connection)
    if _askable(app) and app in names:
        return app
    if reported(connection, app):
        raise UnknownReference(
            f"git declares no app {app[:_LONGEST]}: it is known from reports alone",
            f"`reconciler status {shlex.quote(app)}`, or GET /status?app={quote(app, safe='')}, tells how it stands",
        )
    return known_app([*names, *elsewhere.undeclared(connection)], app)


def reported(connection: Connection, app: str) -> bool:
    """Whether a deployment of an app was reported that is made elsewhere, or was to start."""
    return app.isprintable() and (figures.reported(connection, app=app) or starts.ever(connection, app))


def reported_alone(connection: Connection, app: str) -> bool:
    """Whether that is all that is known of it: git does not declare it, and never did."""
    return app.isprintable() and app not in declared.known_names(connection) and reported(connection, app)


def known_environment(connection: Connection, name: str) -> str:
    """`name`, if an environment is or was called so. Raises UnknownReference with the one that is most like it."""
    names = set(declared.documents(connection, "Environment"))
    # What left git has a history still.
    if name in names or (_askable(name) and deployments.ever_in(connection, name)):
        return name
    raise UnknownReference(f"there is no environment {name[:_LONGEST]}", instead(name, names))


def placed(connection: Connection, app: str, environment: str | None) -> None:
    """Check that the app, and it in the environment, is known. Raises UnknownReference."""
    declared_app(connection, app)
    environments = sorted(declared.placements(connection, [app]).get(app, {}))
    if environment is not None and environment not in environments:
        remedy = f"it is in {', '.join(environments)}" if environments else "it is in no environment"
        raise UnknownReference(f"{app} is not in an environment {environment[:_LONGEST]}", remedy)


def version(connection: Connection, app: str, reference: str) -> Version:
    """The version of an app that a reference means. Raises UnknownReference with what is nearest to it."""
    found = versions.find(connection, app, reference) if _askable(app) and _askable(reference) else None
    if found is not None:
        return found
    declared_app(connection, app)
    names = [label(one.number, one.name) for one in versions.newest(connection, app, 1_000)]
    otherwise = f"`reconciler versions list {app}` shows those it has; a number is written like v12"
    raise UnknownReference(f"{app} has no version {reference[:_LONGEST]}", meant(reference, names, otherwise))


def _askable(word: str) -> bool:
    """Whether a database can be asked for a word at all: not every text fits into one."""
    return 0 < len(word) <= _LONGEST and word.isprintable()


def is_id(beginning: str) -> bool:
    """Whether an id can begin so: it has hexadecimal digits in lower case, and nothing else."""
    return _ID.fullmatch(beginning) is not None


def deployment(connection: Connection, identifier: str) -> Deployment:
    """The deployment of an id, or of the beginning of one, however short. Raises UnknownReference."""
    beginning = identifier.lower()
    if not is_id(beginning):
        raise UnknownReference(
            f"{identifier[:_LONGEST]} is no deployment's id",
            "give an id's hexadecimal digits, or the first of them; `reconciler deployments list` shows ids",
        )
    found = deployments.find(connection, beginning)
    if found is None:
        _refuse(connection, beginning)
    return found


def _refuse(connection: Connection, beginning: str) -> NoReturn:
    """No deployment, or several, have an id that begins so; the newest of several are named."""
    rows = deployments.beginning_with(connection, beginning, _CANDIDATES + 1)
    if not rows:
        raise UnknownReference(
            f"no deployment has an id that begins with {beginning}", "`reconciler deployments list` shows ids"
        )
    named = [f"{row.id} ({row.number} of {row.app} in {row.environment})" for row in rows[:_CANDIDATES]]
    more = ["more"] if len(rows) > _CANDIDATES else []
    raise AmbiguousReference(
        f"several deployments have an id that begins with {beginning}: {', '.join([*named, *more])}",
        "give more digits of the one that is meant",
    )


def at_gate(connection: Connection, identifier: str) -> Sequence[Any]:
    """What stands or stood at a gate: one by the beginning of its id, or all of APP/ENVIRONMENT, newest first.

    Raises WrongUse, UnknownReference.
    """
    app, slash, environment = identifier.partition("/")
    if slash:
        found = _asked_in(connection, identifier)
        if not found:
            placed(connection, app, environment)
            raise UnknownReference(f"nothing at a gate answers to {identifier[: 2 * _LONGEST]}", _SHOWN)
        return found
    beginning = identifier.lower()
    if not is_id(beginning):
        raise UnknownReference(f"{identifier[:_LONGEST]} is no id", f"{_SHOWN} of what waits at a gate")
    if len(beginning) < SHORTEST:
        raise WrongUse(f"{beginning} is too little of an id", f"give at least {SHORTEST} digits; {_SHOWN}")
    found = gates.asked(connection, beginning)
    if len(found) != 1:
        if found:
            raise AmbiguousReference(f"more than one thing at a gate answers to {beginning}", _SHOWN)
        raise UnknownReference(f"nothing at a gate answers to {beginning}", _SHOWN)
    return found


def _asked_in(connection: Connection, place: str) -> Sequence[Any]:
    """What stood at the gate of APP/ENVIRONMENT. What is deployed elsewhere may have a name with a `/` in it."""
    parts = place.split("/")
    if not all(map(_askable, parts)):
        return []
    splits = ("/".join(parts[:end]) for end in range(1, min(len(parts), _CANDIDATES)))
    return [row for app in splits for row in gates.asked_in(connection, app, place[len(app) + 1 :])]
