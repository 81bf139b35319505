"""`reconciler status`: what runs in each environment, since when, and what waits for what."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import asking, opened, printing, surroundings
from reconciler.cli.printing import Cell
from reconciler.errors import NotSo

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reconciler.config import Settings
    from reconciler.model.output import Standing
    from reconciler.store.database import Database

PAUSE = 1.0
"""Seconds between two looks of `--watch`."""


@asking.verb
@click.argument("app", type=asking.APP, required=False)
@click.option("--at", type=asking.MOMENT, help="At another moment: what ran then, or what will be asked for.")
@click.option("--watch", is_flag=True, help="Go on, and print anew whenever something changes.")
@asking.output_option()
def command(app: str | None, at: datetime | None, watch: bool, form: str) -> None:
    """Show what runs in each environment (of APP alone), for how long, and what waits for what."""
    settings = opened.settings()
    with _store(settings) as store:
        if watch:
            _watch(settings, store, app, at, form)
            return
        with store.read() as connection:
            _print(settings, connection, app, at, form)


@contextmanager
def _store(settings: Settings) -> Iterator[Database]:
    """The store as it is. Raises NotSo where there is none, also while a daemon is just making it."""
    store = opened.existing_store(settings)
    if store is None:
        from reconciler.engine.alone import somebody_runs

        if somebody_runs(settings.place):
            raise NotSo("a daemon has just started here and has recorded nothing yet", "look again in a moment")
        raise opened.nothing_yet(settings)
    try:
        yield store
    finally:
        store.close()


def _watch(settings: Settings, store: Database, app: str | None, at: datetime | None, form: str) -> None:
    """Print anew whenever something changes, until Ctrl-C."""
    before = None
    try:
        while True:
            with store.read() as connection:
                seen = _seen(settings, connection)
                if seen != before:
                    if printing.on_terminal() and form == "text":
                        click.clear()
                    _print(settings, connection, app, at, form)
            before = seen
            time.sleep(PAUSE)
    except KeyboardInterrupt:
        return


def _seen(settings: Settings, connection: Connection) -> Any:
    """What changes whenever there is something new to show."""
    from reconciler.store import due, ledger

    return ledger.newest(connection), due.next_due(connection), surroundings.look(settings, connection)


def _print(settings: Settings, connection: Connection, app: str | None, at: datetime | None, form: str) -> None:
    from reconciler.engine import clock
    from reconciler.model.output import standing_json

    now = clock.system()
    around = surroundings.look(settings, connection)
    found = _standings(connection, app, at or now, now)
    if form == "json":
        printing.as_json_list(standing_json(one) | surroundings.as_json(around) for one in found)
        return
    moment = at or now
    if at is not None:
        printing.echo(f"at {printing.when(at)}{', by the manifests of today' if at != now else ''}")
    told: list[tuple[str, str]] = []
    first = next(found, None)
    if first is None:
        surroundings.echo_nothing_known(around)
    elif moment > now:
        headings: tuple[str, ...] = ("APP", "ENVIRONMENT", "ASKED FOR", "RUNS NOW", "STATE")
        printing.table(headings, (_row_ahead(one) for one in _noting(first, found, told)))
    else:
        headings = ("APP", "ENVIRONMENT", "RUNS", "SINCE", "FOR", "STATE")
        printing.table(headings, (_row(one, moment, over=moment < now) for one in _noting(first, found, told)))
    _details(told)
    surroundings.echo(around, connection, now)


def _standings(connection: Connection, app: str | None, at: datetime, now: datetime) -> Iterator[Standing]:
    from reconciler.store import declared, deployments
    from reconciler.views import undeclared
    from reconciler.views.pictures import pictures
    from reconciler.views.resolving import declared_app, reported_alone
    from reconciler.views.standings import past, standings

    if app is not None and at >= now and reported_alone(connection, app):
        yield from undeclared.standings_of(connection, app, at)
        return
    wanted = declared.known_names(connection) if app is None else [declared_app(connection, app)]
    for picture in pictures(connection, wanted, at):
        if at < now:
            yield from past(picture, deployments.ran_at(connection, [picture.name], at))
        else:
            yield from standings(picture, at)
    if app is None and at >= now:
        yield from undeclared.those_waiting(connection, at)


def _row(one: Standing, now: datetime, *, over: bool) -> list[Cell | str]:
    running = one.deployment
    since = running.finished_at if running else None
    return [
        one.app,
        one.environment,
        _runs(one),
        printing.when(since) if since else "–",
        printing.age(now - since) if since else "–",
        Cell("ran then" if running else "nothing ran", "quiet") if over else state(one),
    ]


def _row_ahead(one: Standing) -> list[Cell | str]:
    """Nobody knows how long something will have run by then: what is asked for is known."""
    from reconciler.model.version import spoken

    wanted = one.desired.traffic if one.desired else None
    return [one.app, one.environment, spoken(wanted) if wanted is not None else "–", _runs(one), state(one)]


def _runs(one: Standing) -> str:
    """What runs, with a question mark where that is in doubt."""
    from reconciler.model.version import spoken

    if one.mixture is not None:
        return spoken(one.mixture.traffic)
    known = spoken(one.deployment.traffic) if one.deployment else "–"
    return known if one.doubt is None else f"{known}?"


def state(one: Standing) -> Cell:
    """How it stands in a few words; the details follow below."""
    from reconciler.model.version import spoken

    ours = [wait for wait in one.waiting if not wait.elsewhere]
    seasons = f" (season {', '.join(one.seasons)})" if one.seasons else ""
    if one.active is not None:
        rollout = one.active.rollout if one.active.status == "started" else None
        how = f"at {rollout.percent} %" if rollout is not None else one.active.status
        said = Cell(f"{spoken(one.active.traffic)} is {how}", one.active.status)
    elif one.refused:
        said = Cell(f"refused: {one.refused[0].rule}", "bad")
    elif ours:
        said = Cell(f"waits for {ours[0].waits_for}", "warning")
    elif one.due is not None:
        said = Cell("left git: to be retired" if one.orphaned else "a release is due", "started")
    elif one.drift is not None:
        said = Cell("drifted", "bad")
    elif one.triggers is not None:
        said = Cell("routes, domains or crons refused", "bad")
    elif one.orphaned:
        said = Cell("orphaned: left git", "warning")
    elif one.desired is None:
        said = Cell("deployed elsewhere", "quiet")
    else:
        said = Cell("in sync", "good") if one.in_sync else Cell("not in sync", "warning")
    doubt = ", unknown what runs" if one.doubt is not None else ""
    paused = ", paused" if one.paused and not any(w.waits_for == "pause" for w in one.waiting) else ""
    elsewhere = f", {spoken(one.elsewhere.traffic)} started elsewhere" if one.elsewhere is not None else ""
    others = [wait for wait in one.waiting if wait.elsewhere]
    if others:
        elsewhere += f", {others[0].what} from elsewhere waits for {others[0].waits_for}"
        said = said if said.says in ("bad", "started") else Cell(said.text, "warning")
    return Cell(f"{said.text}{doubt}{paused}{elsewhere}{seasons}", said.says)


def _noting(first: Standing, others: Iterator[Standing], told: list[tuple[str, str]]) -> Iterator[Standing]:
    """One after the other, so that very many need no memory; what is to be told below the table is gathered."""
    for one in chain((first,), others):
        told += _sentences(one)
        yield one


def _details(told: list[tuple[str, str]]) -> None:
    """Every sentence behind a state: what it waits for until when, what was refused, who paused it."""
    if told:
        printing.echo()
    for line, says in told:
        printing.echo(line, says)


def _sentences(one: Standing) -> Iterator[tuple[str, str]]:
    from reconciler.model.version import spoken

    here = f"{one.app} in {one.environment}"
    if one.doubt is not None:
        yield f"{here}: nobody knows for sure what runs: {one.doubt.reason}; {one.doubt.remedy}", "bad"
    if one.mixture is not None:
        yield f"{here} runs {_runs(one)}, since {one.mixture.reason}; {one.mixture.remedy}", "bad"
    if one.drift is not None:
        yield f"{here} has drifted, seen since {printing.when(one.drift.since)}: {one.drift.detail}", "bad"
        yield f"{here}: {one.drift.remedy}", "quiet"
    if one.triggers is not None:
        again = f" (again at {printing.when(one.triggers.again_at)})" if one.triggers.again_at else ""
        yield f"{here}: the target refuses its routes, domains or crons{again}: {one.triggers.error}", "bad"
        yield f"{here}: {one.triggers.remedy}", "quiet"
    if one.held is not None:
        since = printing.when(one.held.since)
        yield f"{here} differs from git, held by {one.held.by}, since {since}: {one.held.reason}", "bad"
        yield f"{here}: {one.held.remedy}", "quiet"
    if one.elsewhere is not None:
        by = f", as {one.elsewhere.deployed_by} reported" if one.elsewhere.deployed_by else ""
        started = one.elsewhere.started_at or one.elsewhere.created_at
        what = spoken(one.elsewhere.traffic)
        yield f"{here}: {what} started elsewhere, since {printing.when(started)}{by}", "started"
    for wait in one.waiting:
        until = f" until {printing.when(wait.until)}" if wait.until else ""
        yield f"{here} waits for {wait.waits_for}{until}: {wait.detail}", "warning"
    for refusal in one.refused:
        yield f"{here}: refused ({refusal.rule}): {refusal.detail}", "bad"
    if one.paused is not None and not any(wait.waits_for == "pause" for wait in one.waiting):
        until = printing.when(one.paused.until)
        yield f"{here} is paused by {one.paused.by} until {until}: {one.paused.reason}", "warning"
