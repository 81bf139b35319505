"""What runs in an environment although git says otherwise, or would not run there if something else were asked for?

Set against set: for what one commit changes everywhere at once. What runs of one app is told by its deployments.
"""

from sqlalchemy import Connection, ScalarSelect, Select, Text, select, type_coerce

from reconciler.model.environment import LATEST
from reconciler.store import tables

_P, _A = tables.placements.c, tables.apps.c
NOTHING = "[]"


def left_behind(connection: Connection, environment: str) -> list[str]:
    """Apps that run in an environment where git places them no longer."""
    here = select(_P.app).where(_P.environment == environment, _P.declared.is_(False))
    return _apps(connection, here.where(_traffic(environment) != NOTHING))


def others_than(connection: Connection, environment: str, track: str) -> list[str]:
    """Apps that git places in an environment, and that run there in another version than what it would take from
    `track`: another environment, or `latest`. Pins are not regarded."""
    runs = _traffic(environment)
    here = select(_P.app).where(_P.environment == environment, _P.declared, runs != NOTHING)
    if track == LATEST:
        return _apps(connection, here.join(tables.apps, _A.name == _P.app).where(~runs.contains(_A.content)))
    return _apps(connection, here.where(_traffic(track) != runs))


def in_another_place(connection: Connection, environment: str, target: str) -> list[str]:
    """Apps that git places in an environment, and that run where its target was when they were released; `target` is
    the digest of what it is now."""
    here = select(_P.app).where(_P.environment == environment, _P.declared, _traffic(environment) != NOTHING)
    grounds = _newest(environment, "grounds")
    known = grounds.contains('"target":"') & ~grounds.contains('"target":""')
    return _apps(connection, here.where(known, ~grounds.contains(f'"target":"{target}"')))


def _traffic(environment: str) -> ScalarSelect[str]:
    return _newest(environment, "traffic")


def _newest(environment: str, column: str) -> ScalarSelect[str]:
    """A column of what completed last of a placement's app in an environment, as its text; NULL where nothing did."""
    d = tables.deployments.alias().c
    newest = select(type_coerce(d[column], Text)).where(d.app == _P.app, d.environment == environment)
    return newest.where(d.status == "completed").order_by(d.number.desc()).limit(1).scalar_subquery()


def _apps(connection: Connection, query: Select[str]) -> list[str]:
    return list(connection.execute(query).scalars())
