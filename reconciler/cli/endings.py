"""How does an error end the program: with which words, with which exit status?"""

from __future__ import annotations

import os
import re
import select
import sys
import tempfile
import traceback

import click

from reconciler.errors import ReconcilerError, StoreError, WrongUse
from reconciler.words import plain

DONE, NOT_SO, WRONG_USE, INTERRUPTED = 0, 1, 2, 130

MEND = (
    "stop the daemon and put a backup in its place: `reconciler restore FILE --force` sets the damaged file aside. "
    "Without a backup `reconciler rebuild --force` makes the store anew from git's history"
)
_LOOK = (
    "see that the database runs and that state.url is right, then type this again; `reconciler doctor` looks at both"
)
# Each: what the driver says, and what a person does about it.
_STORE = (
    ("malformed|not a database|corrupt", MEND),
    (
        '(database|role) ".*" does not exist|password authentication failed|no pg_hba.conf entry|permission denied for',
        "see to the database, the user and its rights on the server, and to state.url, then type this again",
    ),
    (
        "remaining connection slots|too many clients|too many connections",
        "the server takes no more connections: raise its max_connections, or end something that holds them; then type "
        "this again",
    ),
    (
        "locked|busy",
        "another process has been writing to it all the time: wait until that is done, then type this again",
    ),
    (
        "readonly|read-only|[Pp]ermission|unable to open",
        "see to the rights on the file and its directory, then type this again",
    ),
    ("disk I/O|full", "see to the disk and the space on it, then type this again"),
    (
        "no such (table|column)|does not exist",
        "start `reconciler run` with this version, or restore a backup: it is no whole store",
    ),
    ("tried again|does not answer", _LOOK),
)


def ended_by(error: BaseException) -> int:
    """Say what went wrong on standard error; the exit status."""
    match error:
        case ReconcilerError():
            say(error.message, remedy(error))
            return WRONG_USE if isinstance(error, WrongUse) else NOT_SO
        case click.ClickException():
            error.show()
            return error.exit_code
        case click.Abort() | KeyboardInterrupt():
            return INTERRUPTED
        case SystemExit() if isinstance(error.__context__, BrokenPipeError) and nobody_reads():
            # Click makes this of it.
            return DONE
        case SystemExit():
            return error.code if isinstance(error.code, int) else DONE
        case BrokenPipeError() if nobody_reads():
            return DONE
        case MemoryError() | RecursionError():
            say("there is not enough memory for this", "ask for less, or give it more")
            return NOT_SO
        case OSError():
            about = f"{error.filename}: " if isinstance(error.filename, str) else ""
            say(f"{about}{error.strerror or error}", "see to the rights and the space there, or set another path")
            return NOT_SO
        case _:
            return _unforeseen(error)


def nobody_reads() -> bool:
    """Whether standard output leads into a pipe that nobody reads any more; what is left to write goes nowhere then.

    `| head` has what it wanted: that is no failure, and nothing to read about.
    """
    try:
        output = sys.stdout.fileno()
        asked = select.poll()
        asked.register(output, select.POLLOUT)
        closed = any(event & (select.POLLERR | select.POLLHUP) for _, event in asked.poll(0))
    except (OSError, ValueError):
        return False
    if closed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), output)
    return closed


def remedy(error: ReconcilerError) -> str:
    """What a person does about it: a command that was typed once is not tried again by itself, as a cycle is."""
    if not isinstance(error, StoreError) or error.__cause__ is None:
        return error.next_step
    return next((what for said, what in _STORE if re.search(said, error.message)), error.next_step or _LOOK)


def say(message: str, next_step: str = "") -> None:
    """A sentence, and what to do next, on standard error."""
    click.secho(f"error: {plain(message)}", fg="red", err=True)
    if next_step:
        click.echo(f"  {plain(next_step)}", err=True)


def _unforeseen(error: BaseException) -> int:
    said = f"{type(error).__name__}: {error}"
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="reconciler-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as log:
            log.writelines(traceback.format_exception(error))
        say(f"this was not foreseen: {said[:300]}", f"the log is in {log.name}; please report it")
    except OSError:
        say(f"this was not foreseen: {said[:300]}", "no log of it could be written")
    return NOT_SO
