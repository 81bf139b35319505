"""`reconciler release`: a hold ends, and what git says is carried out again."""

from __future__ import annotations

import click

from reconciler.cli import asking, wished


@asking.verb
@click.argument("app", type=asking.APP)
@click.argument("environment", type=asking.ENVIRONMENT)
@asking.reason_option()
@asking.actor_option
@asking.output_option()
def command(app: str, environment: str, reason: str, actor: str, form: str) -> None:
    """End the hold of APP in ENVIRONMENT: what went wrong there is forgotten, and git's word is carried out again."""
    from reconciler.wishes.releasing import release

    wished.record(
        lambda transaction, now: release(transaction, app, environment, reason=reason, actor=actor, now=now),
        form,
    )
