"""How is a refusal said over HTTP? As a problem document of RFC 9457, made in this one place.

`detail` says what is wrong, `next_step` what happens next or what a person does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from math import ceil
from typing import Annotated, Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.types import Scope

from reconciler import telemetry
from reconciler.api import mistakes
from reconciler.errors import (
    AmbiguousReference,
    NotSo,
    ReconcilerError,
    ScheduleError,
    StoreError,
    UnknownReference,
    WrongUse,
)
from reconciler.model.shape import shape

log = telemetry.logger("api")
MEDIA_TYPE = "application/problem+json"
_LONGEST = 2_000
_AGAIN_AFTER = 5.0
"""Seconds after which a store that did not answer may be asked again."""


@shape
class Wrong:
    """One part of a request that cannot be taken."""

    at: str
    """Where it is: `query.limit`, `body.status`."""
    message: str


@shape
class Problem:
    """Why a request was not done (RFC 9457)."""

    type: str = "about:blank"
    title: str
    """The name of the status."""
    status: int
    detail: str
    next_step: str = ""
    """What happens next, or what a person does."""
    errors: tuple[Wrong, ...] = ()
    """Each mistake of a request that makes no sense."""
    details: Annotated[dict[str, Any], Field(default_factory=dict)]
    """The numbers of a refusal: rules, moments, who waits for what."""
    retry_after: float | None = None
    """Seconds after which the same request may be taken, where that is known."""


class Refused(ReconcilerError):
    """A refusal with a status of its own, its numbers and headers."""

    def __init__(
        self,
        status: int,
        message: str,
        next_step: str = "",
        *,
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, next_step)
        self.status = status
        self.details = dict(details or {})
        self.retry_after = retry_after
        self.headers = dict(headers or {})


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": said,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, said in (("4XX", "The request was not done"), ("5XX", "It cannot be answered just now"))
}
"""How every path may refuse, for its description."""


def response(
    status: int,
    detail: str,
    next_step: str = "",
    *,
    errors: tuple[Wrong, ...] = (),
    details: Mapping[str, Any] | None = None,
    retry_after: float | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document."""
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail[:_LONGEST],
        next_step=next_step[:_LONGEST],
        errors=errors,
        details=dict(details or {}),
        retry_after=retry_after,
    )
    found = Response(to_json(body), status, dict(headers or {}), MEDIA_TYPE)
    if retry_after is not None:
        found.headers["Retry-After"] = str(max(1, ceil(retry_after)))
    return found


def status_of(error: ReconcilerError) -> int:
    """Which status one of our errors has."""
    match error:
        case Refused():
            return error.status
        case AmbiguousReference():
            return HTTPStatus.CONFLICT
        case UnknownReference():
            return HTTPStatus.NOT_FOUND
        case WrongUse() | ScheduleError():
            return HTTPStatus.UNPROCESSABLE_ENTITY
        case NotSo():
            return HTTPStatus.CONFLICT
        case _:
            return HTTPStatus.SERVICE_UNAVAILABLE


def of_error(error: ReconcilerError) -> Response:
    """The problem that one of our errors is."""
    if isinstance(error, Refused):
        return response(
            error.status,
            error.message,
            error.next_step,
            details=error.details,
            retry_after=error.retry_after,
            headers=error.headers,
        )
    again = _AGAIN_AFTER if isinstance(error, StoreError) else None
    step = error.next_step
    if again is not None and step.startswith("tried again"):  # by the daemon, not for whoever asked
        step = f"ask again in {again:.0f} s"
    return response(status_of(error), error.message, step, retry_after=again)


def install(application: FastAPI, said: Callable[[str], Iterable[tuple[bytes, bytes]]]) -> None:
    """Let an application answer with problem documents, whatever goes wrong. `said` has the headers that every answer
    has: what was not foreseen is answered outside of everything that would add them."""

    async def fault(request: Request, error: Exception) -> Response:
        found = await _fault(request, error)
        found.raw_headers.extend(said(request.url.path))
        return found

    application.add_exception_handler(ReconcilerError, _ours)
    application.add_exception_handler(RequestValidationError, _invalid)
    application.add_exception_handler(HTTPException, _plain)
    application.add_exception_handler(Exception, fault)


async def as_asked(request: Request, problem: Response) -> Response:
    """The problem; whoever was at a page gets it as one."""
    if not request.url.path.startswith("/ui/"):
        return problem
    page: Callable[[Request, Response], Awaitable[Response]] = request.app.state.error_page
    return await page(request, problem)


def at_once(scope: Scope, problem: Response) -> Response:
    """As `as_asked`, of a request that is refused before anything is looked up: to make its page, nothing is either.
    Programs get the problem as it is, whatever they asked for."""
    asks = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    if not scope["path"].startswith("/ui/") or b"text/html" not in asks:
        return problem
    page: Callable[[Request, Response], Response] = scope["app"].state.error_page_at_once
    return page(Request(scope), problem)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, ReconcilerError)
    return await as_asked(request, of_error(error))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()[:20]
    if mistakes.is_other_type(found):
        said, remedy = mistakes.sent_as(request), f"send JSON with the header Content-Type: {mistakes.JSON}"
        return await as_asked(request, response(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, said, remedy))
    wrong = tuple(
        Wrong(at=".".join(str(part) for part in one["loc"])[:200], message=mistakes.sentence(one)[:500])
        for one in found
    )
    said = "; ".join(f"{one.at}: {one.message}" for one in wrong)
    refused = response(HTTPStatus.UNPROCESSABLE_ENTITY, said, mistakes.remedy(found), errors=wrong)
    return await as_asked(request, refused)


async def _plain(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if found := mistakes.unreadable(error):
        wrong = (Wrong(at="body", message=found),)
        refused = response(HTTPStatus.UNPROCESSABLE_ENTITY, f"body: {found}", mistakes.AS_JSON, errors=wrong)
        return await as_asked(request, refused)
    said, remedy, headers = mistakes.elsewhere(request, error)
    return await as_asked(request, response(error.status_code, said, remedy, headers=headers))


async def _fault(request: Request, error: Exception) -> Response:
    """A mistake of ours: the log has it in full, whoever asked reads that nothing was done."""
    log.exception("request.broke", path=request.url.path[:200], method=request.method, exc_info=error)
    reference = str(structlog.contextvars.get_contextvars().get("request", ""))
    found = response(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "this was not foreseen; nothing was recorded",
        "report it with what the log says at this moment",
        details={"reference": reference} if reference else None,
    )
    try:
        return await as_asked(request, found)
    except Exception:  # noqa: BLE001 - the page itself may be what broke; the log has the first mistake
        return found
