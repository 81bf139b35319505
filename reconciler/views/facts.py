"""Which facts does somebody ask for; and where there are none, does nobody know such an app or such a kind?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from reconciler.errors import UnknownReference, WrongUse
from reconciler.store import ledger
from reconciler.store.ledger import Filter
from reconciler.views import history
from reconciler.words import instead

_LONGEST = 100


def listed(connection: Connection, which: Filter, before: int | None = None) -> tuple[list[dict[str, Any]], int | None]:
    """As `ledger.listed`. Raises UnknownReference, WrongUse for what nobody knows; what only the ledger knows of is
    known, and where that would take more than one look it is taken to be."""
    found, below = ledger.listed(connection, which, before)
    if not found and below is None and before is None and ledger.newest(connection) <= ledger.LOOKED_AT:
        _known(connection, which)
    return found, below


def _known(connection: Connection, which: Filter) -> None:
    for asked in (Filter(app=which.app), Filter(environment=which.environment)):
        try:
            history.known(connection, asked.app, asked.environment)
        except UnknownReference:
            if not _tells_of(connection, asked):
                raise
    if which.kind is not None:
        word = which.kind.partition(".")[0]
        if word not in ledger.KINDS and not _tells_of(connection, Filter(kind=word)):
            raise WrongUse(f"there is no kind of fact {which.kind[:_LONGEST]}", instead(word, ledger.KINDS))


def _tells_of(connection: Connection, asked: Filter) -> bool:
    return bool(ledger.listed(connection, replace(asked, limit=1))[0])
