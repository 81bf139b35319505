"""How does an error end the program: with which words, with which exit status?"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback

import click

from reconciler.errors import ReconcilerError, WrongUse

DONE, NOT_SO, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


def ended_by(error: BaseException) -> int:
    """Say what went wrong on standard error; the exit status."""
    match error:
        case ReconcilerError():
            say(error.message, error.next_step)
            return WRONG_USE if isinstance(error, WrongUse) else NOT_SO
        case click.ClickException():
            error.show()
            return error.exit_code
        case click.Abort() | KeyboardInterrupt():
            return INTERRUPTED
        case SystemExit():
            return error.code if isinstance(error.code, int) else DONE
        case BrokenPipeError():
            # Nobody reads any more, and nothing that is left may try to write.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return NOT_SO
        case MemoryError() | RecursionError():
            say("there is not enough memory for this", "ask for less, or give it more")
            return NOT_SO
        case OSError():
            about = f"{error.filename}: " if isinstance(error.filename, str) else ""
            say(f"{about}{error.strerror or error}", "see to the rights and the space there, or set another path")
            return NOT_SO
        case _:
            return _unforeseen(error)


def say(message: str, next_step: str = "") -> None:
    """A sentence, and what to do next, on standard error."""
    from reconciler.cli.printing import plain

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
