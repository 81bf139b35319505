"""Does an address hold a token?

What stands in an address is read by others: by proxies that write it down, in a browser's history, by whoever is sent
it. So it is refused before anything could repeat it, with the advice to revoke the token. Only the calendar's address
has a place for one. Plain ASGI around the application.
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.api import problems
from reconciler.api.shielding import FEED
from reconciler.model import access

_DEEPEST = 8
"""How often what is percent-encoded may be encoded again. Nobody who links to an address goes that far."""


class Revealed:
    """Refuses every address with a token in it, however it is written."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _token(scope) if scope["type"] == "http" else None
        if found is None:
            await self._application(scope, receive, send)
            return
        refused = problems.response(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "a token must not stand in an address: revoke it, since others may have read it by now",
            f"`reconciler tokens revoke {found.id}`; then send another one as `Authorization: Bearer …`",
            headers={"Cache-Control": "no-store"},
        )
        await problems.at_once(scope, refused)(scope, receive, send)


def _token(scope: Scope) -> access.Written | None:
    path, query = scope["path"], scope["query_string"].decode("latin-1")
    if path.rstrip("/") == FEED:
        query = "&".join(one for one in query.split("&") if unquote(one.partition("=")[0]) != "token")
    text = f"{path}?{query}"
    for _ in range(_DEEPEST):
        if (found := access.found_in(text)) is not None:
            return found
        plainer = unquote(text)
        if plainer == text:
            break
        text = plainer
    return None
