"""How do paths that only read begin: what is asked for is known, and whoever asks may read?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import GenericAlias
from typing import Any

from fastapi import APIRouter, Depends, Response

from reconciler.api import asked
from reconciler.api.access import reader
from reconciler.api.examples import kept

_TAG = {"ETag": {"description": "What `If-None-Match` takes.", "schema": {"type": "string"}}}
_LINK = {
    "Link": {"description": 'Where the next page is (`rel="next"`), if there is one.', "schema": {"type": "string"}}
}
_UNCHANGED: dict[str, Any] = {"description": "It is as it was", "headers": _TAG}


def router(tag: str, who: Callable[..., Any] = reader) -> APIRouter:
    """A router for paths that only read, by whoever passes `who`. They answer with ready bytes, of whose shape the
    description tells."""
    return APIRouter(
        tags=[tag], dependencies=[Depends(asked.only_known), Depends(who)], default_response_class=Response
    )


def answers(
    model: Any, example: Any, *, pages: bool = False, tags: bool = True, media_type: str = "application/json"
) -> dict[str, Any]:
    """What a path says of its answers: their shape, an example, and whether they have tags and pages.

    Where the example is a list, `model` is the shape of what is in it; None: it is a text.
    """
    headers: Mapping[str, Any] = {**(_TAG if tags else {}), **(_LINK if pages else {})}
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
