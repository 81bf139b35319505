"""Who is refused before anything of a body is read?

What changes something needs a token with a scope, or a session with one. Whoever has none is told so by the head of the
request alone, or led to sign in from a page: a body takes time to come and memory to hold. What anybody may send, such
as the form that signs in, is as small as any body may be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIRouter
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.api import access, problems
from reconciler.api.access import Actor
from reconciler.api.context import Context
from reconciler.errors import ReconcilerError

Needs = Callable[[Actor, Request], Actor]
_NEEDS: tuple[Needs, ...] = (
    access.reporter,
    access.approver,
    access.operator,
    access.approver_by_form,
    access.operator_by_form,
)


class Doors:
    """Asks of each request that has a body what its handler would ask of whoever sends it, before it is read."""

    def __init__(self, application: ASGIApp, context: Context, routers: Iterable[APIRouter]) -> None:
        self._application = application
        self._context = context
        self._doors = list(_doors(routers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (needs := self._needs(scope)) is not None:
            request = Request(scope)
            try:
                # Its handler finds out there who it is, and does not ask the store again.
                scope[access.KNOWN] = needs(await access.known(request, self._context), request)
            except ReconcilerError as error:
                refused = await problems.as_asked(request, problems.of_error(error))
                refused.headers["Connection"] = "close"  # what still comes is nothing that anybody waits for
                await refused(scope, receive, send)
                return
        await self._application(scope, receive, send)

    def _needs(self, scope: Scope) -> Needs | None:
        for methods, fits, needs in self._doors:
            if scope["method"] in methods and fits(scope["path"]):
                return needs
        return None


def _doors(routers: Iterable[APIRouter]) -> Iterator[tuple[set[str], Callable[[str], object], Needs]]:
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                found = next((one for one in _NEEDS if one in _calls(route.dependant)), None)
                if found is not None:
                    yield route.methods or set(), route.path_regex.fullmatch, found


def _calls(dependant: Dependant) -> Iterator[object]:
    for one in dependant.dependencies:
        yield one.call
        yield from _calls(one)
