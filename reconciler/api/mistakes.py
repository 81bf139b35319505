"""How is a mistake in a request said to whoever wrote the request, who knows neither our code nor patterns?

What was found is pydantic's, or the framework's; here it gets words. Refusals of our own have theirs already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount

from reconciler.model.shape import LINE_PATTERN, NAME_PATTERN, PROSE_PATTERN

JSON = "application/json"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_OBJECT = "a JSON object is expected, such as {}"
_PATTERNS = {
    NAME_PATTERN: "use letters, digits, '.', '_' and '-', beginning with a letter or a digit",
    LINE_PATTERN: "write it in one line, without control characters",
    PROSE_PATTERN: "leave out control characters",
    r"^[^\x00-\x1f\x7f]+$": "write it in one line, without control characters",
    "^[0-9a-fA-F]{7,64}$": "a commit is named by 7 to 64 digits of 0-9 and a-f",
}
AS_JSON = "send one JSON object, with texts in double quotes and no comma after the last field; /docs describes it"
_CORRECT = "correct the request; /docs describes it"
_OTHER_PATTERN = "it is not written as it has to be; /docs shows how"


def sentence(wrong: Mapping[str, Any]) -> str:
    """What is wrong in one place, and what our own checks say can be done about it."""
    context = wrong.get("ctx") or {}
    match wrong["type"]:
        case "unexpected_keyword_argument" | "extra_forbidden":
            return "there is no such field"
        case "dataclass_type" | "model_attributes_type" | "dict_type":
            return _OBJECT
        case "missing" if wrong["loc"] == ("body",):
            return _OBJECT
        case "json_invalid":
            return f"this is no JSON: {context.get('error', 'it cannot be read')}"
        case "string_too_long":
            return f"write at most {context['max_length']} letters"
        case "string_pattern_mismatch":
            return _PATTERNS.get(context.get("pattern", ""), _OTHER_PATTERN)
        case _:
            remedy = context.get("remedy", "")
            return f"{wrong['msg']} ({remedy})" if remedy else str(wrong["msg"])


def remedy(wrong: Sequence[Mapping[str, Any]]) -> str:
    """What to do about all of them."""
    return AS_JSON if any(one["type"] == "json_invalid" for one in wrong) else _CORRECT


def unreadable(error: HTTPException) -> str:
    """Why a body cannot be read at all, where that is what the framework complains of; else ''."""
    if error.status_code != HTTPStatus.BAD_REQUEST:
        return ""
    match error.__cause__:
        case UnicodeDecodeError():
            return "this is no JSON: it is not text in UTF-8"
        case RecursionError():
            return "this is no JSON that can be read: it is nested too deeply"
        case ValueError():
            return "this is no JSON that can be read: a number in it has too many digits"
        case _:
            return ""


def is_other_type(wrong: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a body was not read since it does not say that it is JSON."""
    return any(one["loc"] == ("body",) and isinstance(one.get("input"), bytes) for one in wrong)


def sent_as(request: Request) -> str:
    """What a body says that it is."""
    found = request.headers.get("content-type", "")[:100]
    return f"the body is sent as {found}" if found else "the body does not say what it is"


def elsewhere(request: Request, error: HTTPException) -> tuple[str, str, dict[str, str]]:
    """What the framework refuses: why, what to do instead, and headers."""
    headers = dict(error.headers or {})
    if error.detail != HTTPStatus(error.status_code).phrase:
        return error.detail, _CORRECT, headers
    path = request.url.path[:200]
    if error.status_code == HTTPStatus.NOT_FOUND:
        return f"there is nothing at {path}", "/docs describes every address; pages begin at /ui/", headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(_methods(request))
        return f"{path} does not take {request.method[:20]}", f"use {allowed}", {**headers, "Allow": allowed}
    return error.detail, "", headers


def _methods(request: Request) -> list[str]:
    """What a path takes. Whatever is there to be read takes HEAD too; files are there to be read alone."""
    asked = {**request.scope, "root_path": request.scope.get("app_root_path", request.scope.get("root_path", ""))}
    found = {
        method
        for route in request.app.routes
        for method in (("GET",) if isinstance(route, Mount) else _METHODS)
        if route.matches({**asked, "method": method})[0] is Match.FULL
    }
    return sorted(found | {"HEAD"}) if "GET" in found else sorted(found)
