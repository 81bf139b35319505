"""`reconciler accept`: a branch that somebody rewrote is followed to where it is now."""

from __future__ import annotations

import click

from reconciler.cli import asking, wished


@asking.verb
@click.argument("sha")
@asking.reason_option()
@asking.actor_option
@asking.output_option()
def command(sha: str, reason: str, actor: str, form: str) -> None:
    """Accept the rewritten branch at the commit SHA (seven digits or more)."""
    from reconciler.wishes.accepting import accept

    wished.record(
        lambda transaction, now: accept(transaction, sha, reason=reason, actor=actor, now=now),
        form,
    )
