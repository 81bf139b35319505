"""How do paths that only read begin: what is asked for is known, and whoever asks may read?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import GenericAlias
from typing import Any

from fastapi import APIRouter, Depends, Response

from reconciler.api import asked
from reconciler.api.access import reader
from reconciler.api.examples import kept
from reconciler.words import plain

_TAG = {"ETag": {"description": "What `If-None-Match` takes.", "schema": {"type": "string"}}}
_LINK = {
    "Link": {"description": 'Where the next page is (`rel="next"`), if there is one.', "schema": {"type": "string"}}
}
_LEFT_OUT = {
    "Reconciler-Left-Out": {"description": "What is not in it, if anything is not.", "schema": {"type": "string"}}
}
_UNCHANGED: dict[str, Any] = {"description": "It is as it was", "headers": _TAG}


def router(tag: str, who: Callable[..., Any] = reader) -> APIRouter:
    """A router for paths that only read, by whoever passes `who`. They answer with ready bytes, of whose shape the
    description tells."""
    return APIRouter(
        tags=[tag], dependencies=[Depends(asked.only_known), Depends(who)], default_response_class=Response
    )


def answers(
    model: Any,
    example: Any,
    *,
    pages: bool = False,
    tags: bool = True,
    bounded: bool = False,
    media_type: str = "application/json",
) -> dict[str, Any]:
    """What a path says of its answers: their shape, an example, whether they have tags and pages, and whether they say
    what is left out.

    Where the example is a list, `model` is the shape of what is in it; None: it is a text.
    """
    headers = {**(_TAG if tags else {}), **(_LINK if pages else {}), **(_LEFT_OUT if bounded else {})}
    told: dict[str, Any] = {
        "description": "Found",
        "headers": headers,
        "content": {media_type: {"example": kept(example)}},
    }
    if model is None:
        told["content"][media_type]["schema"] = {"type": "string"}
    else:
        told["model"] = GenericAlias(list, (model,)) if isinstance(example, list) else model
    found: dict[int, Any] = {200: told}
    return {"responses": found | ({304: _UNCHANGED} if tags else {})}


def left_out(said: Iterable[str]) -> dict[str, str]:
    """The header that says what is not in an answer."""
    words = plain("; ".join(said))
    return {"Reconciler-Left-Out": words.encode("ascii", "replace").decode()} if words else {}
