"""`reconciler approve`: what waits at a gate may enter, says a person who did not write it."""

from __future__ import annotations

import click

from reconciler.cli import asking, wished


@asking.verb
@click.argument("id_", metavar="ID")
@click.option("--role", metavar="NAME", help="The role that you approve in, such as qa, where the gate asks for roles.")
@asking.reason_option("What you looked at; it is recorded.")
@asking.actor_option
@asking.output_option()
def command(id_: str, role: str | None, reason: str, actor: str, form: str) -> None:
    """Approve what waits at a gate: ID as `status` shows it, or at least its first four digits.

    ID may also be APP/ENVIRONMENT, where nothing else waits: of several the ids are told.
    It counts for exactly that plan: the same versions with the same settings. One person counts once, the author not.
    """
    from reconciler.wishes.approving import approve

    wished.record(
        lambda transaction, now: approve(transaction, id_, role=role, reason=reason, actor=actor, now=now),
        form,
    )
