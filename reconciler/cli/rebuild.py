"""`reconciler rebuild`: a store that was lost, made anew from git's history and what targets run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import asking, endings, opened, printing
from reconciler.cli.replacing import adopted_json, looking, making, new_lineage, numbers, pause_option, tell_adopted
from reconciler.errors import GitMissing

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.config import Settings
    from reconciler.engine.comparing import Compared, Difference
    from reconciler.engine.rebuilding import Rebuilt
    from reconciler.engine.sights import Adopted
    from reconciler.store.database import Database

MOST_TOLD = 20


@asking.verb
@click.option("--force", is_flag=True, help="Set a store that holds something aside, under another name.")
@click.option("--check", is_flag=True, help="Rebuild beside the store and say what differs; change nothing.")
@pause_option
@asking.output_option()
def command(force: bool, check: bool, pause_until: datetime | None, form: str) -> int:
    """Make a store that was lost anew from git's history: the same versions, numbers and causes.

    All of the history is lived through once more, with the clock at each commit's time. What people decided and what
    failed is in no commit: no gate that asks people is passed, checks are taken to have passed, and what targets really
    run is recorded beside. Nothing is released by this; the next `reconciler run` goes on from there. No daemon may run
    meanwhile.

    With --check the exit status is 1 when a version or its number is not what git's history says.
    """
    settings = opened.settings()
    return _check(settings, form) if check else _rebuild(settings, form, pause_until, force=force)


def _rebuild(settings: Settings, form: str, pause_until: datetime | None, *, force: bool) -> int:
    from reconciler.engine import clock
    from reconciler.store.backing import sqlite_store

    now = clock.system()
    with making(settings, force=force, verb="rebuild") as made:
        store = sqlite_store(made.file)
        try:
            found, adopted = rebuild_into(store, settings, now, pause_until)
        finally:
            store.close()
        aside = made.take_place(now)
    if form == "json":
        printing.as_json({**found.body(), "set_aside": aside, "targets": adopted_json(adopted)})
    else:
        _tell(found, aside)
        tell_adopted(adopted, "which is recorded so: the next run does about it what git says")
    return endings.DONE


def rebuild_into(
    store: Database, settings: Settings, now: datetime, pause_until: datetime | None = None
) -> tuple[Rebuilt, Adopted]:
    """Fill an empty store with what git's history comes to by `now` (UTC), and with what targets run."""
    from reconciler.engine.adopting import adopt, pause
    from reconciler.engine.rebuilding import finish

    found = _replayed(settings, store, now)
    with looking(settings) as asked:
        sights = asked(store)
    with store.write() as transaction:
        adopted = adopt(transaction, sights, now)
        new_lineage(transaction, now)
        if pause_until is not None:
            pause(transaction, adopted, pause_until, now)
        finish(transaction, found, now)
    return found, adopted


def _tell(found: Rebuilt, aside: str | None) -> None:
    counts = numbers({"commits": found.commits, "versions": found.versions, "deployments": found.deployments})
    printing.echo(f"rebuilt up to {found.head[:10]}: {counts}", "good")
    if aside is not None:
        printing.echo(f"the earlier store is set aside: {aside}")


def _replayed(settings: Settings, store: Database, now: datetime) -> Rebuilt:
    """Git's history, lived through once more into an empty store."""
    from datetime import timedelta

    from reconciler.drafting.scratch import scratch
    from reconciler.engine.following import Following
    from reconciler.engine.rebuilding import replay
    from reconciler.engine.rehearsing import Rehearsal
    from reconciler.store.migrate import migrate

    migrate(store)
    with scratch(settings, printing.note) as branch, _progress() as tell:
        if branch.head is None:
            said = f"{branch.mirror.url} has no branch {branch.mirror.branch}"
            raise GitMissing(said, "push to it, or set repository.branch", "branch")
        never = timedelta(days=1)
        follows = Following(store, branch.mirror, root=settings.root, interval=never, allow_rewrites=False, adopt=1)
        try:
            follows.looking.require_path(branch.head)
            return replay(store, follows, Rehearsal, branch.head, now, tell)
        finally:
            follows.close()


@contextmanager
def _progress() -> Iterator[Any]:
    """Says how far it has come, on standard error."""
    told = 0

    def tell(done: int, of: int) -> None:
        nonlocal told
        part = 10 * done // max(of, 1)
        if part > told and of > 1000:
            told = part
            printing.note(f"{done} of {of} commits")

    yield tell


def _check(settings: Settings, form: str) -> int:
    from reconciler.engine import clock
    from reconciler.engine.comparing import compare
    from reconciler.store import repository
    from reconciler.store.backing import sqlite_store

    now = clock.system()
    with opened.store(settings) as recorded, tempfile.TemporaryDirectory(prefix="reconciler-") as directory:
        rebuilt = sqlite_store(Path(directory) / "rebuilt.db")
        try:
            found = _replayed(settings, rebuilt, now)
            with recorded.read() as theirs, rebuilt.read() as ours:
                compared = compare(theirs, ours, now)
                place = repository.followed(theirs)
        finally:
            rebuilt.close()
    if place is not None and place.head != found.head:
        printing.note(
            f"the store is at {str(place.head)[:10]}, the branch at {found.head[:10]}: what came since differs"
        )
    if form == "json":
        printing.as_json(_compared_json(found, compared))
    else:
        _tell_compared(compared)
    return endings.NOT_SO if compared.version_differences else endings.DONE


def _compared_json(found: Rebuilt, compared: Compared) -> dict[str, Any]:
    return {
        **found.body(),
        "same": {"versions": compared.versions, "current": compared.current},
        "differences": {
            "versions": [_plain(one) for one in compared.version_differences],
            "current": [_plain(one) for one in compared.current_differences],
        },
    }


def _plain(one: Difference) -> dict[str, str]:
    return {"what": one.what, "recorded": one.recorded, "rebuilt": one.rebuilt, "why": one.why}


def _tell_compared(compared: Compared) -> None:
    for count, of, differences in (
        (compared.versions, "versions with their numbers, names and commits", compared.version_differences),
        (compared.current, "current deployments with their causes", compared.current_differences),
    ):
        printing.echo(f"{count} {of} are the same, {len(differences)} differ", "bad" if differences else "good")
        for one in differences[:MOST_TOLD]:
            printing.echo(f"  {one.what}: {one.recorded} is recorded, git alone comes to {one.rebuilt} ({one.why})")
        if len(differences) > MOST_TOLD:
            printing.echo(f"  and {len(differences) - MOST_TOLD} more")
