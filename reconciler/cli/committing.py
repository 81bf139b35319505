"""What are all verbs that write a commit asked alike? How it is written then is in `drafting`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from reconciler.cli import asking
from reconciler.drafting.committing import How as How

F = TypeVar("F", bound=Callable[..., Any])
_LONGEST_MESSAGE = 10_000


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
    if value is None:
        return None
    text = value.strip()
    if not text or len(text) > _LONGEST_MESSAGE:
        raise click.BadParameter(f"say something in at most {_LONGEST_MESSAGE} letters.", param=option)
    if option.name == "freeze_override" and not text.isprintable():
        raise click.BadParameter("say it in one line.", param=option)
    return text


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
