"""Does a command still run that a killed daemon began?

Nobody knows how it ends, and the deployment is carried out once more: so the first one is ended before the
second begins. It is recognised by its variables, which its children inherit. Where there is no /proc
nothing is found.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from reconciler.errors import TryAgainLater
from reconciler.targets.process import GRACE

_TICK = 0.02


def end_leftovers(variables: Mapping[str, str], stop: threading.Event, grace: float = GRACE) -> int:
    """End every process that runs with these variables: TERM, and KILL after `grace` seconds or when `stop`
    is set.

    Returns how many there were. Raises TryAgainLater when one does not even end by KILL.
    """
    wanted = [f"{name}={value}".encode("utf-8", "surrogateescape") for name, value in variables.items()]
    found = _running_with(wanted)
    _signal(found, signal.SIGTERM)
    # Each round looks anew: they may start others while they end, and numbers are given out again.
    deadline = time.monotonic() + grace
    while (rest := _running_with(wanted)) and time.monotonic() < deadline and not stop.wait(_TICK):
        pass
    deadline = time.monotonic() + grace
    while rest and time.monotonic() < deadline:
        _signal(rest, signal.SIGKILL)
        time.sleep(_TICK)
        rest = _running_with(wanted)
    if rest:
        raise TryAgainLater(f"process {rest[0]} of an earlier attempt does not end", "tried again when it has")
    return len(found)


def _running_with(wanted: list[bytes]) -> list[int]:
    """Numbers of the processes, other than this one, whose variables are all those."""
    try:
        numbers = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return []
    return [number for number in numbers if number != os.getpid() and _has(number, wanted)]


def _has(number: int, wanted: list[bytes]) -> bool:
    try:
        with open(f"/proc/{number}/environ", "rb") as file:
            held = set(file.read().split(b"\0"))
    except OSError:
        return False
    return held.issuperset(wanted)


def _signal(numbers: list[int], which: signal.Signals) -> None:
    for number in numbers:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(number, which)
