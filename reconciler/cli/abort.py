"""`reconciler abort`: a deployment that is still to end is stopped, and not begun again by automation."""

from __future__ import annotations

import click

from reconciler.cli import asking, wished


@asking.verb
@click.argument("id_", metavar="ID")
@asking.reason_option()
@asking.actor_option
@asking.output_option()
def command(id_: str, reason: str, actor: str, form: str) -> None:
    """Stop the deployment ID (the beginning of an id is enough)."""
    from reconciler.wishes.stopping import abort

    wished.record(
        lambda transaction, now: abort(transaction, id_, reason=reason, actor=actor, now=now),
        form,
    )
