"""Which verbs are there, and how does the program end?

Exit status: 0 done, 1 the thing asked about is not so, 2 wrong use, 130 interrupted. Whatever goes wrong, a person
reads a sentence and never a traceback. A verb's module is imported when the verb is asked for, so that `--help` starts
at once.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from reconciler import __version__
from reconciler.cli import asking, endings

VERBS = {
    "init": "Make a desired repository to start from.",
    "validate": "Check manifests, all mistakes at once.",
    "schema": "Print the JSON Schema of a kind, or of all.",
    "run": "Follow the branch and carry out what it asks for.",
    "serve": "Serve the HTTP API and the dashboard.",
    "plan": "Show what would happen, without doing it.",
    "status": "Show what runs where, for how long, and what waits.",
    "versions": "List, show and compare versions.",
    "deployments": "List and show deployments.",
    "metrics": "Show how often, how fast and how well is deployed.",
    "why": "Explain what runs, from the commit on.",
    "drift": "Ask the targets whether what runs is what was deployed.",
    "calendar": "Show what will change without a new commit.",
    "alerts": "List who is told of what, and how that went.",
    "promote": "Write a commit that makes an environment run a version.",
    "rollback": "Go back now, and write the commit that says so.",
    "pin": "Write a commit that keeps an environment at a version.",
    "pause": "Start nothing new for an app, until a moment.",
    "resume": "End a pause.",
    "approve": "Approve what waits at a gate.",
    "release": "End a hold: carry out again what git says.",
    "abort": "Stop a deployment that is still to end.",
    "retry": "Try a failed or aborted deployment again.",
    "accept": "Accept a branch that was rewritten.",
    "tokens": "Make and revoke tokens for the HTTP API.",
    "audit": "Verify or export the ledger.",
    "backup": "Copy everything that is recorded into a file.",
    "restore": "Let the store be what a backup holds.",
    "rebuild": "Make a lost store anew from git's history.",
    "doctor": "Check that everything is in its place.",
    "health": "Say whether daemon and HTTP live, as a health check.",
}


class Program(click.Group):
    """A group whose verbs are known by name and help alone until one of them is asked for."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest)
        for name, short in VERBS.items():
            self.add_command(click.Command(name, help=short, short_help=short))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """In the order in which they are needed."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb itself, imported now."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, verb(name) if name and command else command, rest


def verb(name: str) -> click.Command:
    """The command of a verb, imported if need be."""
    found: click.Command = import_module(f"reconciler.cli.{name}").command
    return found


EPILOG = """\
Exit status: 0 done, 1 the thing asked about is not so, 2 wrong use. Every setting can be given as a variable too, such
as RECONCILER_REPOSITORY__URL.
"""


@click.group(cls=Program, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", message="%(prog)s %(version)s")
@asking.config_option
def program() -> None:
    """What should run at this commit and at this moment, carried out and recorded."""


def main() -> None:
    """The console script: run what was typed, and end with its exit status."""
    status = attempt(sys.argv[1:])
    # What is still to be written may meet a closed pipe; then nobody wants to hear about it.
    try:
        sys.stdout.flush()
    except OSError as error:
        status = max(status, endings.ended_by(error))
        # Python would try once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    # Python looks through everything that there is for garbage as it ends. All of it goes with the process, and what
    # holds files or processes was closed by then: it took a fifth of a short command's time.
    gc.freeze()
    sys.exit(status)


def attempt(arguments: Sequence[str]) -> int:
    """Run these arguments; the exit status. Raises nothing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # Names from git may hold anything: what cannot be written is spelled out.
            stream.reconfigure(errors="backslashreplace")
    try:
        outcome = program.main(list(arguments), prog_name="reconciler", standalone_mode=False)
    except BaseException as error:  # noqa: BLE001 - each becomes a sentence and an exit status
        return endings.ended_by(error)
    return outcome if isinstance(outcome, int) else endings.DONE
