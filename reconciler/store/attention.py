"""Which apps have something to say although nothing has become due of them?

Apps that wait for something or that a rule stops are planned once and then left alone; a dry run is to name them all
the same. What only a plan knows is in the way was written down with it (`obstacles`); the rest is found by its traces.
So not every app need be planned; it may find some too many.
"""

from sqlalchemy import Connection, Text, except_, exists, func, select, type_coerce, union

from reconciler.store import tables

_APPS = tables.apps.c
_PLACED = tables.placements.c
_DEPLOYED = tables.deployments.c

# Set against set: a look for each placement would take the square of their number.
_nothing_completed = except_(
    select(_PLACED.app, _PLACED.environment).where(_PLACED.declared),
    select(_DEPLOYED.app, _DEPLOYED.environment).where(_DEPLOYED.status == "completed"),
).subquery()
_WITHDRAWN = tables.withdrawals.c
_completed = tables.deployments.alias("completed")
_newest_completed = (
    select(func.coalesce(func.max(_completed.c.number), 0))
    .where(
        _completed.c.app == _DEPLOYED.app,
        _completed.c.environment == _DEPLOYED.environment,
        _completed.c.status == "completed",
    )
    .correlate(tables.deployments)
    .scalar_subquery()
)
# What was taken back once and is nowhere any more has nothing to say: else its app would be planned for ever after.
_withdrawn_and_here = select(_WITHDRAWN.app).where(
    exists().where(
        _DEPLOYED.app == _WITHDRAWN.app,
        type_coerce(_DEPLOYED.traffic, Text).contains(_WITHDRAWN.version),
        _DEPLOYED.number >= _newest_completed,
    )
)
_TRACES = union(
    select(_APPS.name).where(_APPS.complaints.is_not(None)),
    select(_DEPLOYED.app).where(_DEPLOYED.status.in_(["pending", "started"])),
    select(_nothing_completed.c.app),
    select(tables.suspicions.c.app),
    _withdrawn_and_here,
    select(tables.touches.c.app).where(tables.touches.c.braked),
    select(tables.interventions.c.app).where(tables.interventions.c.done_at.is_(None)),
    select(tables.obstacles.c.app),
)


def with_something_to_say(connection: Connection) -> set[str]:
    """Apps that may wait for something, or be stopped by a rule, although they are not due."""
    return {name for name in connection.execute(_TRACES).scalars() if name}
