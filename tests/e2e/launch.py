"""Runs the command in processes of its own that do not begin from nothing: that would take each of them a second.

Modules are imported here, and a reconciler has released something here, so that types and statements are built.

    python -m tests.e2e.launch

Reads one request a line from standard input, as JSON, and answers each with one line:

    {"arguments": […], "log": FILE}   runs `reconciler` with these arguments; the process id
    {"readies": "alerts"}             imports what sends messages, for those that are started after it
    {"poll": ID}                      the exit status of that process (negative for a signal), null while it runs
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys
from typing import Any

# What takes long to import is imported here, once; a daemon itself imports most of it when it first needs it.
from reconciler import engine, git, manifest, planner, store, targets, views, wiring  # noqa: F401
from reconciler.cli import run  # noqa: F401
from reconciler.cli.main import main as command

for room in (engine, git, manifest, planner, store, targets, views):
    for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
        importlib.import_module(module.name)
importlib.import_module("psycopg")
os.environ.pop("TESTS_STORE", None)  # what is released here is recorded in a file: a server would have to be ended
from tests.beforehand import live_once  # noqa: E402


def answer(request: dict[str, Any]) -> int | None:
    """What a request is answered with."""
    if "poll" in request:
        ended, status = os.waitpid(request["poll"], os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if ended else None
    if "readies" in request:
        _ready()
        return None
    process = os.fork()
    if process == 0:
        _become(request["arguments"], request["log"])
    return process


def _ready() -> None:
    """Know every kind of address already: a daemon that sends its first message takes more than a second to."""
    import apprise

    apprise.Apprise().add("json://127.0.0.1/")


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
    live_once()
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps(answer(json.loads(line)))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
