"""Waiting for a condition, with room for a machine that has other work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 60.0
"""Seconds; a test that passes waits for far less."""


def until(condition: Callable[[], object]) -> None:
    """Wait until this holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.005)


def stop_after(file: Path, stop: threading.Event) -> list[float]:
    """Ask for a stop as soon as this file is there, beside what the test does; when that was, on the monotonic clock.

    The list is empty until then.
    """
    when: list[float] = []

    def wait() -> None:
        until(file.exists)
        when.append(time.monotonic())
        stop.set()

    threading.Thread(target=wait).start()
    return when
