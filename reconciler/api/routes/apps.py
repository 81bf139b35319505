"""Which apps are there, and how does one of them stand?"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from sqlalchemy import Connection

from reconciler.api import asked, cursors, examples
from reconciler.api.answers import Answer, tagged
from reconciler.api.context import Context, context
from reconciler.api.routes.reading import answers
from reconciler.api.routes.reading import router as reading
from reconciler.api.shapes import APP_SHOWN, AppShown, AppTold
from reconciler.errors import WrongUse
from reconciler.model.output import standing_json
from reconciler.store import apps
from reconciler.views import resolving
from reconciler.views.looked_for import app_facts, looked_for
from reconciler.views.pictures import pictures
from reconciler.views.scene import scene_of
from reconciler.views.standings import standings

router = reading("apps")
_LABEL = r"^[A-Za-z0-9][A-Za-z0-9._-]*=[^\x00-\x1f\x7f]*$"


@router.get("/apps", summary="List apps", **answers(AppShown, [examples.APP], pages=True))
def listed(
    request: Request,
    given: Annotated[Context, Depends(context)],
    q: Annotated[str | None, asked.word("In the name.", 100)] = None,
    label: Annotated[
        list[Annotated[str, Query(max_length=500, pattern=_LABEL)]] | None,
        Query(max_length=20, description="With this label, as `tier=web`; may be given several times."),
    ] = None,
    team: Annotated[str | None, asked.word("As `label=team=…`.", 100)] = None,
    environment: asked.InEnvironment = None,
    state: Annotated[apps.State | None, Query(description="In this state somewhere.")] = None,
    limit: asked.Limit = 100,
    cursor: asked.Cursor = None,
) -> Response:
    """Apps in order of their names, as git declares them; those that have left it with `state=removed`."""
    now, after = given.now(), cursors.after_name(cursor)
    wanted = apps.Filter(q=q, labels=_labels(label, team), environment=environment, state=state, limit=limit)

    def found(connection: Connection) -> Answer:
        if environment is not None:
            resolving.known_environment(connection, environment)
        rows, last = looked_for(connection, wanted, after, now)
        scene = scene_of(connection)
        shown = [APP_SHOWN.dump_python(AppShown(**app_facts(row, scene)), mode="json") for row in rows]
        return Answer(shown, cursors.written("n", last) if last is not None else None)

    return tagged(request, given, found, at=now)


@router.get("/apps/{app}", summary="Show an app", **answers(AppTold, examples.APP_TOLD))
def shown(request: Request, given: Annotated[Context, Depends(context)], app: asked.AppName) -> Response:
    """One app as git declares it, with how it stands in each environment."""
    now = given.now()

    def found(connection: Connection) -> dict[str, Any]:
        resolving.declared_app(connection, app)
        (picture,) = pictures(connection, [app], now)
        told: dict[str, Any] = APP_SHOWN.dump_python(AppShown(**app_facts(picture.row, picture.scene)), mode="json")
        return told | {"standings": [standing_json(one) for one in standings(picture, now)]}

    return tagged(request, given, found, at=now)


def _labels(written: list[str] | None, team: str | None) -> dict[str, str]:
    pairs = [one.partition("=") for one in written or ()] + ([("team", "=", team)] if team is not None else [])
    found: dict[str, str] = {}
    for key, _, value in pairs:
        if found.setdefault(key, value) != value:
            raise WrongUse(f"query.label: no app has two values of {key[:100]}", "ask for one of them")
    return found
