"""`reconciler alerts`: who is told of what, and how did the telling go?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import asking, opened, printing
from reconciler.cli.printing import Cell
from reconciler.model.telling import MESSAGE_STATUSES

if TYPE_CHECKING:
    from reconciler.model.telling import AlertShown, MessageShown, MessageStatus

_MANNER = {"sent": "good", "failed": "bad", "waiting": "pending"}


@asking.nouns
def command() -> None:
    """List who is told of what, and how that went."""


@asking.verb
@asking.output_option()
def listed(form: str) -> None:
    """List the alerts in force, with how many messages each has by now.

    Addresses are secrets and are shown nowhere: only where each is found.
    """
    from reconciler.model.telling import alert_json
    from reconciler.views import alerts

    with opened.store(opened.settings()) as store, store.read() as connection:
        found = alerts.alerts(connection)
    if form == "json":
        printing.as_json([alert_json(one) for one in found])
    elif found:
        headings = ("NAME", "EVENTS", "APPS", "ENVIRONMENTS", "TO", "FORMAT", "MESSAGES")
        printing.table(headings, [_alert(one) for one in found])
    else:
        printing.echo("nobody is told of anything: declare a manifest of kind Alert")


def _alert(one: AlertShown) -> list[Cell | str]:
    apps = ", ".join(f"{key}={value}" for key, value in one.apps.items()) if isinstance(one.apps, dict) else ""
    apps = apps or ", ".join(one.apps or ()) or "all"
    counted = ", ".join(f"{number} {status}" for status, number in sorted(one.messages.items())) or "none yet"
    where = ", ".join(one.environments or ()) or "all"
    return [one.name, ", ".join(one.events), apps, where, one.to, one.format, counted]


@asking.verb
@click.argument("alert", required=False)
@click.option("--status", type=click.Choice(MESSAGE_STATUSES), help="With this status.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=10, show_default=True, help="How many at most.")
@asking.output_option()
def log(alert: str | None, status: MessageStatus | None, limit: int, form: str) -> None:
    """List messages (of ALERT alone), newest first, with each attempt to send them."""
    from reconciler.model.telling import message_json
    from reconciler.views import alerts

    with opened.store(opened.settings()) as store, store.read() as connection:
        found = alerts.log(connection, alert=alert, status=status, limit=limit).messages
    if form == "json":
        printing.as_json([message_json(one) for one in found])
        return
    for one in found:
        _message(one)
    if not found:
        printing.echo("nothing was sent yet")


def _message(one: MessageShown) -> None:
    counted = printing.counted(one.notices, "notice")
    printing.heading(f"{one.id[:12]}  {one.alert or one.channel}: {one.title}")
    again = f", tried again {printing.when(one.next_at)}" if one.next_at and one.deliveries else ""
    error = f": {one.error}" if one.error else ""
    printing.echo(
        f"  {one.status} ({counted}, made {printing.when(one.made_at)}){error}{again}", _MANNER.get(one.status, "")
    )
    for attempt in one.deliveries:
        said = f": {attempt.detail}" if attempt.detail else ""
        printing.echo(f"    {printing.when(attempt.at)}  attempt {attempt.attempt}: {attempt.outcome}{said}", "quiet")


@asking.verb
@click.argument("id_", metavar="ID")
@asking.output_option()
def show(id_: str, form: str) -> None:
    """Show the message ID (the beginning of an id is enough) with every notice that it carries."""
    from reconciler.model.telling import message_json
    from reconciler.views import alerts

    with opened.store(opened.settings()) as store, store.read() as connection:
        found = alerts.message(connection, id_)
    if form == "json":
        printing.as_json(message_json(found.message, found.notices))
        return
    _message(found.message)
    for line in printing.lines(found.message.body):
        printing.echo(f"    | {line}", "quiet")
    rows = [[printing.when(one.at), one.event, one.app, one.environment, one.title] for one in found.notices]
    if rows:
        printing.table(("WHEN", "EVENT", "APP", "ENVIRONMENT", "WHAT"), rows)


command.add_command(show, "show")
command.add_command(listed, "list")
command.add_command(log, "log")
