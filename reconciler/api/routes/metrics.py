"""`/metrics`: what Prometheus reads."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from reconciler.api import examples
from reconciler.api.access import Reader
from reconciler.api.context import Context, context
from reconciler.api.exposition import CONTENT_TYPE

router = APIRouter(tags=["metrics"])
_TEXT = {"text/plain": {"schema": {"type": "string"}, "example": examples.METRICS}}


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Every metric, in the text format of Prometheus", "content": _TEXT}},
)
def metrics(given: Annotated[Context, Depends(context)], _actor: Reader) -> Response:
    """How everything stands and what has been, for Prometheus. The metrics are told in docs/metrics.md."""
    return Response(given.exposition.text(given.now()), media_type=CONTENT_TYPE)
