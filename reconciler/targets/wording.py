"""How is it told how a command ended, and what the disk refused?

Deployments and checks tell it alike; what follows from it is theirs.
"""

from __future__ import annotations

import os
import signal

from reconciler.targets.bundle import printable
from reconciler.targets.process import Ran

TRY_AGAIN = os.EX_TEMPFAIL
"""75: the exit status with which a command asks to be run again later."""


def ended(name: str, ran: Ran) -> str:
    """How the command `name` ended by itself, with the last lines of what it printed."""
    return f"{name} {_ended(ran.exit)}{_last_lines(ran.output)}"


def refused(wrong: OSError) -> str:
    """What the disk refused, without a path of this machine."""
    name = os.path.basename(os.fsdecode(wrong.filename)) if wrong.filename else "the data directory"
    return f"{wrong.strerror or wrong} at {printable(name)}"


def _ended(status: int) -> str:
    if status > 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def _last_lines(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()][-3:]
    return f": {' / '.join(lines)[-300:]}" if lines else ""
