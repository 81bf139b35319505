"""How does the API describe itself: as OpenAPI 3.1 for machines, as pages for people?

The pages need nothing from elsewhere: Swagger UI lies beside them as it was published. No script stands in a page.
"""

from __future__ import annotations

import warnings
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import TypeAdapter
from pydantic.warnings import UnsupportedFieldAttributeWarning

from reconciler.api import access, examples
from reconciler.api.problems import Problem

router = APIRouter(include_in_schema=False)
REFERENCES = "#/components/schemas/{model}"
STATIC = "/ui/static/swagger"
DESCRIPTION = """\
What runs where and why, what will change and when, and what people may ask for. Field names are those of the command
line's `-o json`. Instants are RFC 3339 in UTC. A list leads to its next page by a `Link` header with `rel="next"`.
Most answers have an `ETag`: with `If-None-Match` nothing is looked up while nothing has changed. Whatever is refused is
a problem document (RFC 9457), whose `next_step` says what happens next or what you do.
"""
_PAGE = f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Reconciler: HTTP API</title>
<link rel="icon" href="/ui/static/icon.svg">
<link rel="stylesheet" href="{STATIC}/swagger-ui.css">
<script src="{STATIC}/swagger-ui-bundle.js" defer></script>
<script src="{STATIC}/init.js" defer></script>
</head>
<body>
<div id="swagger" data-url="/openapi.json"></div>
<noscript>This page needs scripts. The description itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
</body>
</html>
"""


@router.get("/docs")
async def pages() -> HTMLResponse:
    """The description as pages to try it out."""
    return HTMLResponse(_PAGE, headers={"Cache-Control": "no-cache"})


@router.get("/")
async def start() -> Response:
    """People come to the dashboard."""
    return RedirectResponse("/ui/", 307)


def describe(application: FastAPI) -> None:
    """Let an application describe itself completely: problem documents are none of FastAPI's own."""

    def described() -> dict[str, Any]:
        if application.openapi_schema is None:
            application.openapi_schema = _described(application)
        return application.openapi_schema

    application.openapi = described  # type: ignore[method-assign]


_FEED = {
    "type": "apiKey",
    "in": "query",
    "name": "token",
    "description": "A token of the scope `feed` alone, for calendar programs, which can send no header.",
}
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "rec_…",
    "description": "A token, as `reconciler tokens create --scope …` printed it. Each path says which scope it needs.",
}
_ACTING = {access.reporter: "report", access.approver: "approve", access.operator: "operate"}


def _say_who_may(made: dict[str, Any], application: FastAPI) -> None:
    """Write into the description which scope each path needs, as its own checks ask for it."""
    made["components"]["securitySchemes"] = {"token": _BEARER, "feed": _FEED}
    everywhere = application.state.context.terms.reading_needs_token
    for route in iter_route_contexts(application.routes):
        told_of = made["paths"].get(route.path_format, {})
        if not told_of or not isinstance(route.original_route, APIRoute):
            continue
        asks = _asks(route.dependant)
        scope = next((word for check, word in _ACTING.items() if check in asks), "")
        for told in (told_of[method.lower()] for method in route.methods or () if method.lower() in told_of):
            if scope:
                told["security"] = [{"token": [scope]}]
                told["description"] = f"{told.get('description', '')}\n\nNeeds the scope `{scope}`.".strip()
            elif access.reader in asks or access.subscriber in asks:
                feed = [{"feed": ["feed"]}] if access.subscriber in asks else []
                told["security"] = [{"token": ["read"]}, *feed, *([] if everywhere else [{}])]
            else:
                told["security"] = []


def _asks(dependant: Dependant) -> set[Any]:
    """Everything that is asked before a path's own function."""
    return {dependant.call}.union(*(_asks(one) for one in dependant.dependencies))


def _described(application: FastAPI) -> dict[str, Any]:
    with warnings.catch_warnings():
        # Of a body that two paths share: FastAPI tells pydantic its name in a place where that says nothing.
        warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
        made = get_openapi(
            title=application.title,
            version=application.version,
            summary=application.summary,
            description=DESCRIPTION,
            routes=application.routes,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        )
    examples.restored(made)
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    problem = TypeAdapter(Problem).json_schema(mode="serialization", ref_template=REFERENCES)
    schemas |= problem.pop("$defs", {})
    schemas["Problem"] = problem
    made["components"]["schemas"] = dict(sorted(schemas.items()))
    _say_who_may(made, application)
    return made
