"""What runs in each environment, since when, and what waits for what?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from sqlalchemy import Connection

from reconciler.api import asked, cursors, examples
from reconciler.api.answers import Answer, tagged
from reconciler.api.context import Context, context
from reconciler.api.routes.reading import answers
from reconciler.api.routes.reading import router as reading
from reconciler.api.shapes import StatusShown
from reconciler.model.output import Standing, standing_json
from reconciler.model.surroundings import Surroundings, surroundings_json
from reconciler.store import complaining, declared, deployments, repository
from reconciler.telemetry.failing import Failing
from reconciler.views import resolving, undeclared
from reconciler.views.pictures import pictures
from reconciler.views.standings import past, standings
from reconciler.views.surroundings import surroundings

router = reading("status")
START = "start it with `reconciler run`"


@router.get("/status", summary="How everything stands", **answers(StatusShown, [examples.STATUS], pages=True))
def listed(
    request: Request,
    given: Annotated[Context, Depends(context)],
    app: asked.OfApp = None,
    environment: asked.InEnvironment = None,
    at: asked.At = None,
    limit: Annotated[int, Query(ge=1, le=1_000, description="How many apps at most.")] = 100,
    cursor: asked.Cursor = None,
) -> Response:
    """How each app stands in each environment, by name: what runs, what git asks for, what waits for what.

    With `at`: what ran then, or what will be asked for.
    """
    now, after = given.now(), cursors.after_name(cursor)
    moment = asked.ahead(at, now) or now

    def found(connection: Connection) -> Answer:
        if environment is not None:
            resolving.known_environment(connection, environment)
        reported = app is not None and moment >= now and resolving.reported_alone(connection, app)
        names, last = ([], None) if reported else _names(connection, app, environment, after, limit)
        around = surroundings_json(_around(connection, runs, failing))
        several = chain(_standings(connection, names, moment, now), _others(connection, app, last, moment, now))
        shown = [standing_json(one) | around for one in several if environment in (None, one.environment)]
        return Answer(shown, cursors.written("n", last) if last is not None else None)

    with given.read() as connection:
        runs = given.daemon_runs(connection)
    failing = given.daemon_fails()
    return tagged(request, given, found, at=now, besides=f"{runs} {failing}")


def _around(connection: Connection, runs: bool, failing: Failing | None) -> Surroundings:
    place, broken = repository.followed(connection), complaining.broken(connection)
    return surroundings(place, broken, daemon=runs, failing=failing, start=START)


def _names(
    connection: Connection, app: str | None, environment: str | None, after: str, limit: int
) -> tuple[list[str], str | None]:
    """The apps of a page, and the name behind which the next one begins."""
    if app is not None:
        return [resolving.declared_app(connection, app)], None
    if environment is None:
        names = declared.names_after(connection, after, limit + 1)
    else:
        names = sorted(name for name in declared.apps_in(connection, environment) if name > after)[: limit + 1]
    return names[:limit], names[limit - 1] if len(names) > limit else None


def _others(
    connection: Connection, app: str | None, last: str | None, at: datetime, now: datetime
) -> Iterator[Standing]:
    """Apps that git does not know: the one that is asked for; or on the last page those that wait for people."""
    if at < now or last is not None:
        return
    if app is None:
        yield from undeclared.those_waiting(connection, at)
    elif resolving.reported_alone(connection, app):
        yield from undeclared.standings_of(connection, app, at)


def _standings(connection: Connection, names: list[str], at: datetime, now: datetime) -> Iterator[Standing]:
    ran = deployments.ran_at(connection, names, at) if at < now else {}
    for picture in pictures(connection, names, at):
        yield from past(picture, ran) if at < now else standings(picture, at)
