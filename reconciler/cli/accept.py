"""`reconciler accept`: a branch that somebody rewrote is followed to where it is now."""

from __future__ import annotations

import re

import click

from reconciler.cli import asking, opened, printing, wishes
from reconciler.errors import WrongUse

_SHA = re.compile(r"[0-9a-f]{7,64}")


@asking.verb
@click.argument("sha")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is recorded.")
@asking.actor_option
def command(sha: str, reason: str, actor: str) -> None:
    """Accept the rewritten branch at the commit SHA (seven digits or more)."""
    from reconciler.engine import clock
    from reconciler.store import repository

    settings = opened.settings()
    if not _SHA.fullmatch(sha.lower()):
        raise WrongUse(f"{sha[:100]} is no commit id", "give seven or more of its hexadecimal digits")
    with opened.store(settings) as store, store.write() as transaction:
        place = repository.followed(transaction.connection)
        held = place.held_head if place else None
        wishes.refuse_unless(held, "no rewritten branch is held", "`reconciler doctor` shows what the branch is at")
        wishes.refuse_unless(
            held and held.startswith(sha.lower()),
            f"the branch is held at {held}, not at {sha}",
            "look at that commit, then accept it by its own id",
        )
        wishes.record(transaction, clock.system(), kind="accept", subject=held, actor=actor, reason=reason)
    settings.nudge()
    printing.echo(f"the branch is accepted at {held}")
