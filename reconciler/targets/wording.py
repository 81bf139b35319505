"""How is it told how a command ended, and what the disk refused?

Deployments and checks tell it alike; what follows from it is theirs.
"""

from __future__ import annotations

import errno
import os
import signal

from reconciler.errors import AttemptFailed, TryAgainLater
from reconciler.targets.bundle import printable
from reconciler.targets.process import Ran

TRY_AGAIN = os.EX_TEMPFAIL
"""75: the exit status with which a command asks to be run again later."""
_OF_THE_MACHINE = {
    errno.EACCES,
    errno.EAGAIN,
    errno.EBUSY,
    errno.EDQUOT,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
    errno.ESTALE,
}
"""What no version is to blame for: a full disk, missing rights, too many open files."""


def hindered(message: str, wrong: OSError, next_step: str) -> AttemptFailed | TryAgainLater:
    """The error for what the machine refused. It is no failure of the version where no version can be to blame for it.

    A failure would take the version back and ask a person for a retry, long after there is room again.
    """
    return (TryAgainLater if wrong.errno in _OF_THE_MACHINE else AttemptFailed)(message, next_step)


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
