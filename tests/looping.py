"""What a test awaits, in a loop of its own: the browser's client leaves one running in the thread of the tests."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar("Answer")


def run(awaited: Coroutine[object, object, Answer]) -> Answer:
    """Run this to its end, in a thread that no other loop runs in."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, awaited).result()
