"""How is a pause written into a manifest, or taken out, from the command line? The commit is drafted in `drafting`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from reconciler.cli import printing

if TYPE_CHECKING:
    from reconciler.drafting.committing import How
    from reconciler.drafting.pausing import Asked


def only_with_git(how: How, *, git: bool) -> None:
    """Refuse what says how a commit is written where none is."""
    if how.given and not git:
        raise click.UsageError("--push, --branch, --message, --dry-run and the like go with --git.")


def write(asked: Asked, how: How, form: str, now: datetime) -> None:
    """Write it, and tell when it holds."""
    from reconciler.cli import written
    from reconciler.drafting.pausing import report

    done = written.carry_out(lambda desk: report(desk, asked, how), how, form, now)
    if form == "text" and asked.until is not None and done.put is not None:
        printing.echo("it holds as soon as it is merged; without --git a pause holds at once", "quiet")
