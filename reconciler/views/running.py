"""Where does each version of an app run now?"""

from __future__ import annotations

from sqlalchemy import Connection

from reconciler.store import deployments


def runs_in(connection: Connection, app: str) -> dict[str, list[str]]:
    """The environments where each version runs, by its id: those of what completed last in each."""
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for one in deployments.recent(connection, [app], 1):
        if one.status == "completed" and one.environment not in seen:
            seen.add(one.environment)
            for part in one.traffic:
                found.setdefault(part.version, []).append(one.environment)
    return found
