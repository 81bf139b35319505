"""Did a page of ours send this request, and are our pages had by HTTPS alone?

A browser says from where a request comes, and no page can make it say something else. What has neither word comes from
no browser that anybody's page could use, and needs a token like every program. Plain ASGI around the application.
"""

from __future__ import annotations

from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.api import problems
from reconciler.api.access import COOKIE
from reconciler.api.shielding import SAFE

_OURS = {"same-origin", "none"}
"""What `Sec-Fetch-Site` says of a page of ours, and of what a person typed. Pages of a neighbour are `same-site`."""
_PORTS = {"http": 80, "https": 443}


class Origins:
    """Refuses what pages elsewhere send: every form of the pages, also that which signs in, and whatever changes
    something by a cookie. What only reads changes nothing, and its answer is kept from other pages by the browser."""

    def __init__(self, application: ASGIApp, address: str) -> None:
        self._application = application
        self._address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE and self._concerns(scope) and not self._ours(scope):
            refused = problems.response(
                HTTPStatus.FORBIDDEN,
                "this did not come from a page of the reconciler",
                "open the page again, and act from there; behind a proxy set api.address to what browsers see",
            )
            await problems.at_once(scope, refused)(scope, receive, send)
            return
        await self._application(scope, receive, send)

    def _concerns(self, scope: Scope) -> bool:
        return scope["path"].startswith("/ui/") or any(_has_session(text) for text in _headers(scope, b"cookie"))

    def _ours(self, scope: Scope) -> bool:
        said = _headers(scope, b"sec-fetch-site")
        if said:
            return all(one in _OURS for one in said)
        hosts = _headers(scope, b"host")
        return all(self._is_ours(origin, hosts) for origin in _headers(scope, b"origin"))

    def _is_ours(self, origin: str, hosts: list[str]) -> bool:
        """Of the name by which we are asked the scheme is not known here: a proxy in front may have ended TLS."""
        if self._address and _origin(origin) == _origin(self._address):
            return True
        scheme, name, port = _origin(origin) or ("", "", 0)
        return bool(name) and len(hosts) == 1 and _origin(f"{scheme}://{hosts[0]}") == (scheme, name, port)


def _origin(address: str) -> tuple[str, str, int] | None:
    """Scheme, name and port of an address; None where it is none."""
    try:
        found = urlsplit(address)
        if found.scheme not in _PORTS or not found.hostname:
            return None
        return found.scheme, found.hostname, found.port or _PORTS[found.scheme]
    except ValueError:
        return None


def _has_session(text: str) -> bool:
    try:
        return COOKIE in SimpleCookie(text)
    except CookieError:
        return COOKIE in text


def _headers(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def is_https(request: Request) -> bool:
    """Whether browsers have our pages by HTTPS: a cookie must not be sent along without it then."""
    address: str = request.app.state.context.terms.address
    return request.url.scheme == "https" or address.startswith("https:")
