"""python -m benchmarks.fixed PORT: the framework of the HTTP face, answering fixed bytes of any size.

Nothing of ours: what this takes is what an answer costs when nothing has to be found out.
"""

from __future__ import annotations

import os
import sys
from functools import cache

import uvicorn
from fastapi import FastAPI, Response

NICE = 10
"""As far as the face beside a daemon stands back."""
made = FastAPI()


@cache
def _bytes(size: int) -> bytes:
    return b"x" * size


@made.get("/bytes/{size}")
async def fixed(size: int) -> Response:
    """So many bytes."""
    return Response(_bytes(size), media_type="text/html; charset=utf-8")


if __name__ == "__main__":
    os.nice(NICE)
    uvicorn.run(made, port=int(sys.argv[1]), access_log=False, log_config=None)
