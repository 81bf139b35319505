"""`reconciler deployments`: what was released where, when, by whom, why, and how it went."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

import click

from reconciler.cli import asking, opened, printing
from reconciler.cli.printing import Cell
from reconciler.model.deployment import Cause, Deployment, Event, Status


@asking.nouns
def command() -> None:
    """List and show deployments."""


@asking.verb
@click.option("--app", type=asking.APP, help="Of this app.")
@click.option("--environment", type=asking.ENVIRONMENT, help="In this environment.")
@click.option("--status", type=click.Choice(get_args(Status)), help="With this status.")
@click.option("--cause", type=click.Choice(get_args(Cause)), help="With this cause.")
@click.option(
    "--since",
    type=asking.AGO,
    help="Made after a moment (without an offset by this machine's time), or a length of time ago such as 7d.",
)
@click.option("--limit", type=click.IntRange(1, 100_000), default=10, show_default=True, help="How many at most.")
@asking.output_option()
def listed(
    app: str | None,
    environment: str | None,
    status: str | None,
    cause: str | None,
    since: datetime | None,
    limit: int,
    form: str,
) -> None:
    """List deployments, newest first; those that were reported from elsewhere have the cause `external`."""
    from reconciler.model.output import deployment_json
    from reconciler.store.deployments import Filter
    from reconciler.views import history

    wanted = Filter(app=app, environment=environment, status=status, cause=cause, since=since, limit=limit)
    with opened.store(opened.settings()) as store, store.read() as connection:
        history.known(connection, app, environment)
        found = history.page(connection, wanted).found
    if form == "json":
        printing.as_json([deployment_json(one) for one in found])
    elif found:
        headings = ("ID", "APP", "ENVIRONMENT", "NO", "STATUS", "CAUSE", "VERSIONS", "CREATED", "TOOK", "REASON")
        printing.table(headings, [_row(one) for one in found])
    else:
        printing.echo("no deployment fits")


def _row(one: Deployment) -> list[Cell | str]:
    from reconciler.model.version import spoken
    from reconciler.views import history

    took = "" if one.duration_seconds is None else f"{one.duration_seconds:.1f} s"
    return [
        one.id,
        one.app,
        one.environment,
        str(one.number),
        Cell(one.status, one.status),
        "external (elsewhere)" if history.is_reported(one) else one.cause,
        spoken(one.traffic),
        printing.when(one.created_at),
        took,
        one.reason,
    ]


@asking.verb
@click.argument("id_", metavar="ID")
@asking.output_option()
def show(id_: str, form: str) -> None:
    """Show the deployment ID (the beginning of an id is enough) with everything that happened to it.

    What its target printed is shown as well.
    """
    from reconciler.model.output import deployment_json
    from reconciler.views import history

    with opened.store(opened.settings()) as store, store.read() as connection:
        found, events = history.shown(connection, id_)
    if form == "json":
        printing.as_json(deployment_json(found, events))
        return
    made = ", made elsewhere" if history.is_reported(found) else ""
    printing.heading(f"deployment {found.number} of {found.app} in {found.environment}{made}: {found.status}")
    for name, value in _facts(found):
        if value:
            printing.echo(f"  {name:12} {value}")
    printing.echo()
    for event in events:
        _print_event(event)


def _facts(found: Deployment) -> list[tuple[str, str]]:
    from reconciler.model.version import canonical, spoken
    from reconciler.planner import rollouts

    took, late = found.duration_seconds, found.late_by_seconds
    return [
        ("id", found.id),
        ("versions", spoken(found.traffic)),
        ("settings", canonical(found.config) if found.config else ""),
        ("cause", found.cause),
        ("reason", found.reason),
        ("by", found.deployed_by),
        ("commit", found.commit or ""),
        ("reverts", ", ".join(found.reverts)),
        ("back from", found.rolled_back_from or ""),
        ("created", printing.when(found.created_at)),
        ("finished", printing.when(found.finished_at) if found.finished_at else ""),
        ("took", f"{took:.1f} s" if took is not None else ""),
        ("late by", f"{late:.0f} s" if late else ""),
        ("rollout", rollouts.said(found) if found.rolling else ""),
        ("next attempt", printing.when(found.next_attempt_at) if found.next_attempt_at else ""),
        ("error", found.error or ""),
    ]


def _print_event(event: Event) -> None:
    if event.status == "output":
        for line in printing.lines(event.message):
            printing.echo(f"    | {line}", "quiet")
        return
    by = f" ({event.actor})" if event.actor not in ("", "reconciler") else ""
    said = f": {event.message}" if event.message else ""
    printing.echo(f"  {printing.when(event.at)}  {event.status}{by}{said}", event.status)


command.add_command(listed, "list")
command.add_command(show, "show")
