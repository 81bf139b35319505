"""Runs the command in processes of its own without importing everything anew for each: importing takes a second.

    python -m tests.e2e.launch

Reads one request a line from standard input, as JSON, and answers each with one line:

    {"arguments": […], "log": FILE}   runs `reconciler` with these arguments; the process id
    {"poll": ID}                      the exit status of that process (negative for a signal), null while it runs
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from reconciler import wiring  # noqa: F401 - what takes long to import is imported here, once
from reconciler.cli import run  # noqa: F401
from reconciler.cli.main import main as command


def answer(request: dict[str, Any]) -> int | None:
    """What a request is answered with."""
    if "poll" in request:
        ended, status = os.waitpid(request["poll"], os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if ended else None
    process = os.fork()
    if process == 0:
        _become(request["arguments"], request["log"])
    return process


def _become(arguments: list[str], log: str) -> None:
    """Be `reconciler` in this process, to its end."""
    with open(os.devnull) as nothing, open(log, "a") as said:
        os.dup2(nothing.fileno(), 0)
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    sys.argv = ["reconciler", *arguments]
    try:
        command()
    except SystemExit as ending:
        os._exit(ending.code if isinstance(ending.code, int) else 0)
    finally:
        os._exit(70)


def main() -> None:
    """Answer requests until there are no more."""
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps(answer(json.loads(line)))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
