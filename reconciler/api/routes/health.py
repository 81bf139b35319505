"""Does this process live (`/healthz`), and is it of use (`/readyz`)? Neither needs a token."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from reconciler.api.context import Context, context
from reconciler.model.shape import shape
from reconciler.store import repository

router = APIRouter(tags=["health"])


@shape
class Health:
    """That it answers."""

    status: str = "ok"


@router.get("/healthz")
async def healthz() -> Health:
    """Whether this process answers at all; it asks nothing else."""
    return Health()


@router.get("/readyz")
def readyz(given: Annotated[Context, Depends(context)]) -> Health:
    """Whether the store answers, so that something can be shown and recorded; 503 else."""
    with given.read() as connection:
        repository.followed(connection)
    return Health()
