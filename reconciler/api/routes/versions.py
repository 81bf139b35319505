"""What exactly can run of an app, and how do any two versions differ?"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request, Response
from sqlalchemy import Connection

from reconciler.api import asked, cursors, examples
from reconciler.api.answers import Answer, tagged
from reconciler.api.context import Context, context
from reconciler.api.routes.reading import answers
from reconciler.api.routes.reading import router as reading
from reconciler.model.comparison import Comparison, comparison_json
from reconciler.model.output import version_json
from reconciler.model.version import Version
from reconciler.store import versions
from reconciler.views import resolving
from reconciler.views.comparison import compared

router = reading("versions")
_LIST: dict[str, Any] = answers(Version, [examples.VERSION], pages=True)
_App = Annotated[str, asked.word("Of this app.")]
_Ref = Annotated[str, asked.word(asked.REFERENCES)]


@router.get("/versions", summary="List an app's versions", **_LIST)
def listed(
    request: Request,
    given: Annotated[Context, Depends(context)],
    app: _App,
    limit: asked.Limit = 10,
    cursor: asked.Cursor = None,
) -> Response:
    """The versions of an app, newest first."""
    return _listed(request, given, app, limit, cursor)


@router.get("/versions/compare", summary="Compare two versions", **answers(Comparison, examples.COMPARISON))
def compare(request: Request, given: Annotated[Context, Depends(context)], app: _App, a: _Ref, b: _Ref) -> Response:
    """How two versions of an app differ: code, settings, bindings, secrets, migrations, image."""
    return _compared(request, given, app, a, b)


@router.get("/apps/{app}/versions", summary="List an app's versions", **_LIST)
def of_app(
    request: Request,
    given: Annotated[Context, Depends(context)],
    app: asked.AppName,
    limit: asked.Limit = 10,
    cursor: asked.Cursor = None,
) -> Response:
    """The versions of an app, newest first."""
    return _listed(request, given, app, limit, cursor)


@router.get("/apps/{app}/versions/{ref}", summary="Show a version", **answers(Version, examples.VERSION))
def shown(
    request: Request, given: Annotated[Context, Depends(context)], app: asked.AppName, ref: asked.Reference
) -> Response:
    """One version: by a name, `v12`, a digest or `commit:SHA`."""
    return tagged(request, given, lambda connection: version_json(resolving.version(connection, app, ref)))


@router.get(
    "/apps/{app}/versions/{a}/compare/{b}", summary="Compare two versions", **answers(Comparison, examples.COMPARISON)
)
def compare_of_app(
    request: Request,
    given: Annotated[Context, Depends(context)],
    app: asked.AppName,
    a: asked.Reference,
    b: asked.Reference,
) -> Response:
    """How two versions of an app differ: code, settings, bindings, secrets, migrations, image."""
    return _compared(request, given, app, a, b)


def _listed(request: Request, given: Context, app: str, limit: int, cursor: str | None) -> Response:
    before = cursors.after_number(cursor)

    def found(connection: Connection) -> Answer:
        resolving.declared_app(connection, app)
        rows = versions.newest(connection, app, limit + 1, before)
        more = cursors.written("s", rows[limit - 1].number) if len(rows) > limit else None
        return Answer([version_json(one) for one in rows[:limit]], more)

    return tagged(request, given, found)


def _compared(request: Request, given: Context, app: str, a: str, b: str) -> Response:
    def found(connection: Connection) -> Any:
        one, other = (resolving.version(connection, app, reference) for reference in (a, b))
        return comparison_json(compared(connection, one, other, given.mirror))

    # Whether the mirror is there is known to nobody else.
    return tagged(request, given, found, besides=str((given.mirror / "objects").is_dir()))
