"""`reconciler restore`: what a backup holds, as the store."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import asking, opened, printing
from reconciler.cli.replacing import (
    Making,
    adopted_json,
    looking,
    making,
    new_lineage,
    numbers,
    pause_option,
    tell_adopted,
)
from reconciler.errors import GitError
from reconciler.schedule import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reconciler.config import Settings
    from reconciler.engine.sights import Adopted, Sight
    from reconciler.model.deployment import Place
    from reconciler.store.backups import Backup
    from reconciler.store.database import Database

_FORGET = ("DROP TABLE backup", "PRAGMA application_id = 0")


@asking.verb
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Set a store that holds something aside, under another name.")
@click.option("--check", is_flag=True, help="Look whether FILE could be restored, and change nothing.")
@pause_option
@asking.output_option()
def command(file: Path, force: bool, check: bool, pause_until: datetime | None, form: str) -> None:
    """Let the store be what FILE holds, which `backup` wrote, on SQLite or on PostgreSQL.

    The whole of FILE is looked at first. No daemon may run meanwhile. Targets are asked what they run: where they were
    given something after the backup was taken, what git took since is noted and that is recorded, so that nothing older
    is put back. What commands of the exec target did is known by the receipts in this data directory alone. Killed at
    any moment, the store is the earlier one or the restored one.
    """
    from reconciler.store.backups import examine

    settings = opened.settings()
    found = examine(file)
    if check:
        _say(file, found, None, None, form)
        return
    with making(settings, force=force, verb="restore") as made:
        adopted, aside = _restore(file, found, made, pause_until)
    _say(file, found, adopted, aside, form)


def _restore(file: Path, found: Backup, made: Making, pause_until: datetime | None) -> tuple[Adopted, str | None]:
    from reconciler.engine import clock
    from reconciler.store.backing import sqlite_store
    from reconciler.store.migrate import migrate

    shutil.copyfile(file, made.file)
    store = sqlite_store(made.file)
    try:
        with store.write() as transaction:
            for statement in _FORGET:
                transaction.connection.exec_driver_sql(statement)
        migrate(store)
        now = clock.system()
        adopted = brought_up(store, made.settings, found, now, pause_until)
    finally:
        store.close()
    return adopted, made.take_place(now)


def brought_up(
    store: Database, settings: Settings, found: Backup, now: datetime, pause_until: datetime | None = None
) -> Adopted:
    """Let a store that is as the backup was know what targets were given since, and say that it was restored."""
    from reconciler.engine.adopting import catch_up, pause
    from reconciler.store import ledger

    with looking(settings) as asked:
        sights = asked(store)
    _take_in(store, settings, sights, now)
    with store.write() as transaction:
        adopted = catch_up(transaction, sights, now)
        if pause_until is not None:
            pause(transaction, adopted, pause_until, now)
        new_lineage(transaction, now)
        body = {"made_at": rfc3339(found.made_at), "facts": found.facts, "head": found.head}
        transaction.note("store.restored", now, body, subject=found.commit)
        transaction.flush()
        ledger.seal(transaction, now)
    return adopted


def _take_in(store: Database, settings: Settings, sights: Mapping[Place, Sight], now: datetime) -> None:
    """Note what git took since, where targets run what only that can explain."""
    from datetime import timedelta

    from reconciler.drafting.scratch import scratch
    from reconciler.engine.adopting import came_later
    from reconciler.engine.following import Following
    from reconciler.engine.looked import Seen

    with store.read() as connection:
        if not came_later(connection, sights):
            return
    try:
        with scratch(settings, printing.note) as branch:
            never = timedelta(days=1)
            follows = Following(store, branch.mirror, root=settings.root, interval=never, allow_rewrites=False, adopt=1)
            try:
                if branch.head is not None:
                    follows.looking.require_path(branch.head)
                    with store.write() as transaction:
                        follows.note(transaction, Seen(head=branch.head, new=True), now)
            finally:
                follows.close()
    except GitError as error:
        printing.note(f"{error.message}. What targets were given after the backup is not known without it.")


def _say(file: Path, found: Backup, adopted: Adopted | None, aside: str | None, form: str) -> None:
    if form == "json":
        facts: dict[str, Any] = {
            "file": str(file),
            "restored": adopted is not None,
            "made_at": rfc3339(found.made_at),
            "source": found.source,
            "schema": found.schema,
            "commit": found.commit,
            "counts": dict(found.counts),
            "facts": found.facts,
            "head": found.head,
            "set_aside": aside,
            "targets": adopted_json(adopted) if adopted is not None else None,
        }
        printing.as_json(facts)
        return
    counts = numbers({name: found.counts.get(name, 0) for name in ("commits", "versions", "deployments")})
    done = "restored" if adopted is not None else "sound, nothing was changed"
    printing.echo(f"{done}: {counts}, {found.facts} facts of {printing.when(found.made_at)}", "good")
    if aside is not None:
        printing.echo(f"the earlier store is set aside: {aside}")
    if adopted is not None:
        tell_adopted(adopted, "given to them after the backup: recorded so, where git knows it")
