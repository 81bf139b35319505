"""What a process does before it forks others that are reconcilers, so that each of them does not begin from nothing."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from structlog.testing import capture_logs

from tests.world import World


def live_once() -> None:
    """Let a reconciler release something here; nothing stays but what Python keeps: modules, types and statements.

    To build these takes a process half a second.
    """
    with tempfile.TemporaryDirectory() as place, capture_logs():
        World(Path(place)).begun()
    assert threading.active_count() == 1, "a process that is forked has one thread"
