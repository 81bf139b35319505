"""What does another process on this machine learn of this one: how it fares, and what it spent its time on?

The daemon writes a small file into the data directory every few seconds, in a thread of its own; what serves metrics
reads it. A file that is old says that the daemon is gone, or stands still.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from reconciler.telemetry import failing, stages
from reconciler.telemetry.logs import logger

log = logger("daemon")

FILE = "vitals.json"
"""Its name in the data directory."""
EVERY = 5.0
"""Seconds between two writings."""
_LARGEST = 1 << 20


@contextmanager
def vitals(place: Path, now: Callable[[], datetime], every: float = EVERY) -> Iterator[None]:
    """Write this process's vitals into a directory, as long as this lasts; then they are taken away."""
    begun, over = now(), threading.Event()
    file = place / FILE

    def work() -> None:
        failed = False
        while True:
            try:
                write(file, begun, now())
                failed = False
            except OSError as error:
                if not failed:
                    log.warning(
                        "vitals.failed", error=str(error), next="tried again, silently, until it can be written"
                    )
                failed = True
            if over.wait(every):
                return

    thread = threading.Thread(target=work, name="vitals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        with contextlib.suppress(OSError):
            file.unlink()


def write(file: Path, begun: datetime, now: datetime) -> None:
    """Write what is so at this moment; nobody ever sees half of it. Raises OSError."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    trouble = failing.now()
    found = {
        "process": os.getpid(),
        "begun": begun.timestamp(),
        "written": now.timestamp(),
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "bounds": stages.BOUNDS,
        "stages": stages.measured(),
        "failing": trouble.as_json() if trouble else None,
    }
    beside = file.with_suffix(".new")
    # Not synced: after a power cut nothing of it is true any more.
    beside.write_text(json.dumps(found), encoding="utf-8")
    beside.replace(file)


def read(place: Path) -> dict[str, Any] | None:
    """What a daemon on this data directory wrote last; None where there is nothing that can be read."""
    try:
        with (place / FILE).open("rb") as file:
            found = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
