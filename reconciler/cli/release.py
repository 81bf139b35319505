"""`reconciler release`: a hold ends, and what git says is carried out again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from reconciler.cli import asking, opened, printing, wishes

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reconciler.model.output import Standing


@asking.verb
@click.argument("app")
@click.argument("environment")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is recorded.")
@asking.actor_option
def command(app: str, environment: str, reason: str, actor: str) -> None:
    """End the hold of APP in ENVIRONMENT: what went wrong there is forgotten, and git's word is carried out again."""
    from reconciler.engine import clock

    settings, now = opened.settings(), clock.system()
    with opened.store(settings) as store, store.write() as transaction:
        wishes.placed(transaction.connection, app, environment)
        standing = _standing(transaction.connection, app, environment, now)
        wishes.refuse_unless(
            standing is not None and standing.held is not None,
            f"{app} is not held in {environment}",
            f"`reconciler why {app} {environment}` tells how it stands",
        )
        wishes.record(transaction, now, kind="release", app=app, environment=environment, actor=actor, reason=reason)
    settings.nudge()
    printing.echo(f"{app} follows git again in {environment}")


def _standing(connection: Connection, app: str, environment: str, now: datetime) -> Standing | None:
    from reconciler.views.pictures import pictures
    from reconciler.views.standings import standings

    found = (one for picture in pictures(connection, [app], now) for one in standings(picture, now))
    return next((one for one in found if one.environment == environment), None)
