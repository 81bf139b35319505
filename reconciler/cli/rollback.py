"""`reconciler rollback`: an environment goes back now and is held there, and a commit on a branch says so in git."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli import asking, committing, endings, opened, printing
from reconciler.cli.committing import How
from reconciler.errors import NotSo, ReconcilerError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from reconciler.config import Settings
    from reconciler.drafting.workplaces import Put, Workplace
    from reconciler.store.database import Database
    from reconciler.wishes.going_back import Back

T = TypeVar("T")
PATIENCE = 10.0
"""Seconds that a daemon gets to act on the wish, and again to write the branch."""
_PAUSE = 0.05


@asking.verb
@click.argument("app", type=asking.APP)
@click.option(
    "--environment", type=asking.ENVIRONMENT, required=True, metavar="ENV", help="The environment that goes back."
)
@click.option("--to", metavar="REF", help="The version to go back to; by default what ran well before.")
@asking.reason_option()
@click.option("--branch-only", is_flag=True, help="Only write the commit: it goes back when that is merged.")
@committing.options
@asking.output_option()
def command(app: str, environment: str, to: str | None, reason: str, branch_only: bool, how: How, form: str) -> int:
    """Let APP go back now in ENV, hold it there, and write the commit onto a branch that makes git say the same.

    The commit reverts what published the version that is left, where that gives what is gone back to; else it pins
    the environment. Merging it ends the hold. A daemon that runs writes the branch by itself.
    """
    from reconciler.engine import clock
    from reconciler.wishes.going_back import way

    settings, now = opened.settings(), clock.system()
    only = branch_only or how.onto_followed
    with opened.store(settings) as store:
        with store.read() as connection:
            back = way(connection, app, environment, to, now, reason=reason)
        recorded = None if only or how.dry_run else _record(store, settings, back, how, now)
        row = _held_by_daemon(store, settings, back, how) if recorded else None
        if recorded and row is not None:
            _show(back, recorded, row, settings, form)
            return endings.DONE
        return _write(store, settings, back, how, form, now, recorded, only=only)


# The wish


def _record(store: Database, settings: Settings, back: Back, how: How, now: datetime) -> str:
    """Record the wish, and wait for a daemon that runs here; what it answered, '' for nothing yet. Raises NotSo."""
    from reconciler.engine.living import somebody_runs
    from reconciler.store import interventions
    from reconciler.wishes.going_back import ask

    with store.write() as transaction:
        number = ask(transaction, back, how.actor, now).number
        anybody = somebody_runs(settings.place, transaction.connection)
    settings.nudge()
    if not anybody:
        return ""
    outcome = _awaited(store, lambda connection: interventions.outcome(connection, number)) or ""
    if outcome.startswith("refused: "):
        raise NotSo(outcome.removeprefix("refused: "), "`reconciler status` shows how it stands now")
    return outcome


def _awaited(store: Database, look: Callable[[Connection], T | None]) -> T | None:
    """What is looked for, as soon as it is there; None where it does not come."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with store.read() as connection:
            found = look(connection)
        if found is not None or time.monotonic() > deadline:
            return found
        time.sleep(_PAUSE)


def _held_by_daemon(store: Database, settings: Settings, back: Back, how: How) -> Row[Any] | None:
    """The hold whose branch the daemon writes into the desired repository; None where we are to write it.

    Where git does not answer, `branch` of the hold is None still: the daemon goes on to try.
    """
    from reconciler.store import holds

    own = how.branch is not None or how.message is not None or how.freeze_override is not None
    if own or not (settings.write.branches and settings.write.push):
        return None

    def look(connection: Connection) -> Row[Any] | None:
        row = holds.find(connection, back.app, back.environment)
        return row if row is not None and (row.branch is not None or row.trouble) else None

    row = _awaited(store, look)
    if row is None:
        with store.read() as connection:
            row = holds.find(connection, back.app, back.environment)
    if row is None or (row.trouble and row.branch is None and row.again_at is None):
        return None  # it cannot be written as things are: what follows may pin instead
    return row


def _show(back: Back, outcome: str, row: Row[Any], settings: Settings, form: str) -> None:
    if form == "json":
        from reconciler.drafting.taking_back import facts
        from reconciler.git.addresses import address

        where = {"branch": row.branch, "commit": row.branch_commit, "followed": settings.repository.branch}
        pushed = row.branch is not None
        where |= {"repository": address(settings.repository.url).url, "pushed": pushed, "dry_run": False}
        printing.as_json({**facts(back, outcome), **where})
        return
    printing.heading(back.words)
    printing.echo(_held(back, settings.repository.branch), "good")
    if row.branch is None:
        printing.echo("the branch for git is not written yet: the daemon goes on to try", "started")
        if row.trouble:
            printing.echo(f"  {row.trouble}", "started")
        return
    printing.echo(f"branch {row.branch} of the desired repository is at {row.branch_commit[:10]}", "good")
    printing.echo(f"  → open a pull request of {row.branch} into {settings.repository.branch}", "started")


def _held(back: Back, followed: str) -> str:
    return f"{back.environment} is held there until {followed} says the same"


# The commit


def _write(
    store: Database,
    settings: Settings,
    back: Back,
    how: How,
    form: str,
    now: datetime,
    recorded: str | None,
    *,
    only: bool,
) -> int:
    """Write the commit ourselves. What was asked for before goes on where that fails."""
    from reconciler.cli import written
    from reconciler.drafting import committing as commits
    from reconciler.drafting import taking_back
    from reconciler.drafting.workplaces import workplace

    try:
        with workplace(settings, printing.note) as place:
            if not how.dry_run and not how.onto_followed:
                place.require_reachable(push=how.push)
            report = taking_back.report(settings, store, place, back, how, now, only=only)
            report = replace(
                report,
                facts=taking_back.facts(back, recorded),
                put=commits.put(settings, place, report.draft.commit, report.branch, how),
            )
            if recorded is not None and report.put is not None:
                _tell_hold(store, place, back, report.put, report.draft.commit, now)
            written.show(report, place, how, form)
            if recorded is not None and form == "text":
                said = _held(back, place.followed)
                printing.echo(said if recorded else f"{said}, as soon as a daemon runs", "good")
    except ReconcilerError as error:
        if recorded is None:
            raise
        printing.note(f"{back.words}. {_not_written(settings)}; `--branch-only` tries that again")
        endings.say(error.message, error.next_step)
        return endings.NOT_SO
    return endings.DONE


def _not_written(settings: Settings) -> str:
    write = settings.write
    said = "The commit for git is not written"
    return f"{said} yet: a daemon that runs writes it when git answers" if write.branches and write.push else said


def _tell_hold(store: Database, place: Workplace, back: Back, put: Put, commit: str, now: datetime) -> None:
    """The hold knows where the commit lies, if that is in the followed repository: then nobody writes another."""
    from reconciler.store import holds

    there = put.remote.shown if put.pushed else place.where
    if there != place.scratch.mirror.url:
        return
    with store.write() as transaction:
        row = holds.find(transaction.connection, back.app, back.environment)
        if row is not None and not row.branch:
            holds.wrote_branch(transaction, row, put.branch, commit, now)
