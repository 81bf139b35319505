"""What does `docs/commands.md` say? Made from the commands' own help, so that both say the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

import click

from reconciler.cli.main import VERBS, program, verb

_EVERYWHERE = {"config", "help"}
"""Options that every command has; they are told once."""

_INTRODUCTION = """\
# Commands

`reconciler COMMAND --help` says the same as this page. Every command takes `--config FILE`, before or after its name;
without it `reconciler.yaml` is read where there is one ([settings](settings.md)). `reconciler --version` says which one
this is.

- The exit status is 0 for done, 1 when the thing asked about is not so, 2 for wrong use, 130 when interrupted.
- What was asked for is printed on standard output, what is said beside it on standard error; `-o json` prints JSON.
- A deployment is named by the beginning of its id, a version by name, `v12`, a digest or `commit:SHA`.
- A moment is `2026-12-01T09:00+01:00`, or `2h` from now; without an offset it is this machine's time.
"""


def page() -> str:
    """The page, a heading for each command."""
    told = [_told(name, command) for name, command in commands()]
    return "\n".join([_INTRODUCTION, *told])


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command by its whole name, groups before what is in them."""
    for name in VERBS:
        command = verb(name)
        yield name, command
        if isinstance(command, click.Group):
            for its, inner in command.commands.items():
                yield f"{name} {its}", inner


def options(command: click.Command) -> list[click.Option]:
    """The options of a command's own."""
    return [one for one in command.params if _shown(one)]


def _shown(one: click.Parameter) -> TypeGuard[click.Option]:
    return isinstance(one, click.Option) and not one.hidden and one.name not in _EVERYWHERE


def _told(name: str, command: click.Command) -> str:
    above = click.Context(program, info_name="reconciler")
    context = click.Context(command, info_name=name, parent=above)
    usage = [piece.replace("...", "…") for piece in command.collect_usage_pieces(context)]
    parts = [f"{'#' * (2 + name.count(' '))} {name}", f"`{' '.join(['reconciler', name, *usage])}`", _said(command)]
    if given := options(command):
        rows = [f"| {_written(one, context)} | {_meant(one)} |" for one in given]
        parts.append("\n".join(["| option | |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _said(command: click.Command) -> str:
    paragraphs = (command.help or "").split("\n\n")
    return "\n\n".join(" ".join(one.split()) for one in paragraphs)


def _written(option: click.Option, context: click.Context) -> str:
    names = [*option.opts, *option.secondary_opts]
    value = "" if option.is_flag or option.count else " " + option.make_metavar(context)
    return f"`{', '.join(names)}{value}`".replace("|", "\\|")


def _meant(option: click.Option) -> str:
    needed = "**Required.** " if option.required else ""
    return needed + " ".join((option.help or "").split()).replace("|", "\\|")
