"""What are all verbs that write a commit asked alike? How it is written then is in `drafting`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from reconciler.cli import asking
from reconciler.drafting.committing import How as How
from reconciler.drafting.committing import own_words
from reconciler.errors import WrongUse

F = TypeVar("F", bound=Callable[..., Any])


def options(function: F) -> F:
    """`--actor` and the options that say how a commit is written; passed as `how`."""

    @wraps(function)
    def gathered(*arguments: Any, **rest: Any) -> Any:
        names = ("actor", "message", "branch", "push", "onto_followed", "dry_run", "freeze_override")
        how = How(**{name: rest.pop(name) for name in names})
        if how.onto_followed and how.branch is not None:
            raise click.UsageError("--branch and --onto-followed-branch exclude each other.")
        return function(*arguments, how=how, **rest)

    made: Any = gathered
    for option in reversed(_OPTIONS):
        made = option(made)
    return made  # type: ignore[no-any-return]


def _told(_context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    try:
        return own_words(value, option.opts[-1], one_line=option.name == "freeze_override")
    except WrongUse as error:
        raise click.BadParameter(f"{error.next_step}.", param=option) from None


_OPTIONS = (
    click.option("--dry-run", is_flag=True, help="Tell what it would do, and write nothing."),
    click.option("--push", is_flag=True, help="Push the branch."),
    click.option("--branch", metavar="NAME", help="The name of the branch; by default it says what is done."),
    click.option(
        "--onto-followed-branch",
        "onto_followed",
        is_flag=True,
        help="No branch of its own: move the followed branch itself forward.",
    ),
    click.option("--message", metavar="TEXT", callback=_told, help="What the commit says, in place of our words."),
    click.option(
        "--freeze-override",
        metavar="REASON",
        callback=_told,
        help="Let the commit pass freezes: it carries the trailer Freeze-Override.",
    ),
    asking.actor_option,
)
