"""Does a daemon work on a store, and does its work come to anything? Asked by other processes than its own."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from reconciler.engine import alone
from reconciler.store import leases
from reconciler.telemetry import vitals
from reconciler.telemetry.failing import Failing


def somebody_runs(place: Path, connection: Connection) -> bool:
    """Whether a daemon lives that works on this store: on this data directory, or elsewhere where it is shared."""
    shared = connection.dialect.name != "sqlite"
    return alone.somebody_runs(place) or (shared and bool(leases.at_work(connection)))


def failing(place: Path) -> Failing | None:
    """Why the turns of the daemon on this data directory fail just now; None where they do not, or none runs."""
    found = Failing.from_json((vitals.read(place) or {}).get("failing"))
    # One that was killed wrote what it wrote before; where nothing is wrong, nobody need ask.
    return found if found is not None and alone.somebody_runs(place) else None
