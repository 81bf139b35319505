"""`reconciler retry`: what failed or was stopped is tried again, as a new deployment; what waits, at once."""

from __future__ import annotations

import click

from reconciler.cli import asking, wished


@asking.verb
@click.argument("id_", metavar="ID")
@asking.reason_option()
@asking.actor_option
@asking.output_option()
def command(id_: str, reason: str, actor: str, form: str) -> None:
    """Try the failed or aborted deployment ID again (the beginning of an id is enough).

    Where it waits for its next attempt, that one is made at once. ID may also be what `status` shows for a check that
    failed at a gate: then the check is run again.
    """
    from reconciler.wishes.stopping import retry

    wished.record(
        lambda transaction, now: retry(transaction, id_, reason=reason, actor=actor, now=now),
        form,
    )
