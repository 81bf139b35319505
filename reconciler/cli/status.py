"""`reconciler status`: what runs in each environment, since when, and what waits for what."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import asking, opened, printing
from reconciler.cli.printing import Cell

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reconciler.model.output import Standing
    from reconciler.store.database import Database

PAUSE = 1.0
"""Seconds between two looks of `--watch`."""


@asking.verb
@click.argument("app", required=False)
@click.option("--at", type=asking.MOMENT, help="At another moment: what ran then, or what will be asked for.")
@click.option("--watch", is_flag=True, help="Go on, and print anew whenever something changes.")
@asking.output_option()
def command(app: str | None, at: datetime | None, watch: bool, form: str) -> None:
    """Show what runs in each environment (of APP alone), for how long, and what waits for what."""
    settings = opened.settings()
    with opened.store(settings) as store:
        if watch:
            _watch(store, app, at, form)
            return
        with store.read() as connection:
            _print(connection, app, at, form)


def _watch(store: Database, app: str | None, at: datetime | None, form: str) -> None:
    """Print anew whenever something changes, until Ctrl-C."""
    before = None
    try:
        while True:
            with store.read() as connection:
                seen = _seen(connection)
                if seen != before:
                    if printing.on_terminal() and form == "text":
                        click.clear()
                    _print(connection, app, at, form)
            before = seen
            time.sleep(PAUSE)
    except KeyboardInterrupt:
        return


def _seen(connection: Connection) -> Any:
    """What changes whenever there is something new to show."""
    from reconciler.store import declared, ledger

    return ledger.newest(connection), declared.next_due(connection)


def _print(connection: Connection, app: str | None, at: datetime | None, form: str) -> None:
    from reconciler.engine import clock
    from reconciler.model.output import standing_json

    now = clock.system()
    found = list(_standings(connection, app, at or now, now))
    if form == "json":
        printing.as_json([standing_json(one) for one in found])
        return
    moment = at or now
    if at is not None:
        printing.echo(f"at {printing.when(at)}{', by the manifests of today' if at != now else ''}")
    if found:
        headings = ("APP", "ENVIRONMENT", "RUNS", "SINCE", "FOR", "STATE")
        printing.table(headings, [_row(one, moment, over=moment < now) for one in found])
        _details(found)
    else:
        printing.echo("no app is known yet")
    _trouble(connection)


def _standings(connection: Connection, app: str | None, at: datetime, now: datetime) -> Iterator[Standing]:
    from reconciler.store import declared, deployments
    from reconciler.views.pictures import pictures
    from reconciler.views.standings import past, standings

    names = declared.known_names(connection)
    wanted = names if app is None else [opened.known_app(names, app)]
    for picture in pictures(connection, wanted, at):
        if at < now:
            yield from past(picture, deployments.ran_at(connection, [picture.name], at))
        else:
            yield from standings(picture, at)


def _row(one: Standing, now: datetime, *, over: bool) -> list[Cell | str]:
    from reconciler.planner.causes import spoken

    running = one.deployment
    since = running.finished_at if running else None
    return [
        one.app,
        one.environment,
        spoken(running.traffic) if running else "–",
        printing.when(since) if since else "–",
        printing.age(now - since) if since else "–",
        Cell("ran then" if running else "nothing ran", "quiet") if over else state(one),
    ]


def state(one: Standing) -> Cell:
    """How it stands in a few words; the details follow below."""
    from reconciler.planner.causes import spoken

    seasons = f" (season {', '.join(one.seasons)})" if one.seasons else ""
    if one.active is not None:
        said = Cell(f"{spoken(one.active.traffic)} is {one.active.status}", one.active.status)
    elif one.refused:
        said = Cell(f"refused: {one.refused[0].rule}", "bad")
    elif one.waiting:
        said = Cell(f"waits for {one.waiting[0].waits_for}", "warning")
    elif one.due is not None:
        said = Cell("a release is due", "started")
    elif one.orphaned:
        said = Cell("orphaned: left git", "warning")
    else:
        said = Cell("in sync", "good") if one.in_sync else Cell("not in sync", "warning")
    paused = ", paused" if one.paused and not any(w.waits_for == "pause" for w in one.waiting) else ""
    return Cell(f"{said.text}{paused}{seasons}", said.says)


def _details(found: list[Standing]) -> None:
    """Every sentence behind a state: what it waits for until when, what was refused, who paused it."""
    told = [line for one in found for line in _sentences(one)]
    if told:
        printing.echo()
    for line, says in told:
        printing.echo(line, says)


def _sentences(one: Standing) -> Iterator[tuple[str, str]]:
    here = f"{one.app} in {one.environment}"
    if one.held is not None:
        since = printing.when(one.held.since)
        yield f"{here} differs from git, held by {one.held.by} since {since}: {one.held.reason}", "bad"
    for wait in one.waiting:
        until = f" until {printing.when(wait.until)}" if wait.until else ""
        yield f"{here} waits for {wait.waits_for}{until}: {wait.detail}", "warning"
    for refusal in one.refused:
        yield f"{here}: refused ({refusal.rule}): {refusal.detail}", "bad"
    if one.paused is not None and not any(wait.waits_for == "pause" for wait in one.waiting):
        until = printing.when(one.paused.until)
        yield f"{here} is paused by {one.paused.by} until {until}: {one.paused.reason}", "warning"


def _trouble(connection: Connection) -> None:
    """What concerns everything: files that are broken, a branch that is held."""
    from reconciler.store import declared, repository

    complaints = declared.complaints(connection)
    if complaints:
        printing.echo()
        printing.heading(printing.counted(len(complaints), "complaint"))
    for one in complaints:
        remedy = f" ({one['remedy']})" if one["remedy"] else ""
        where = f"{one['path']}:{one['line']}:{one['column']}"
        printing.echo(f"  {where}: {one['message']}{remedy}", "error")
    place = repository.followed(connection)
    if place is not None and place.held_head is not None and place.held_since is not None:
        since = printing.when(place.held_since)
        printing.echo()
        printing.echo(
            f"the branch {place.branch} was rewritten: {place.held_head} is held since {since}; "
            f"`reconciler accept {place.held_head[:10]}` follows it",
            "bad",
        )
