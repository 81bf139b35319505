"""`reconciler plan`: what would happen, now or later, or what a branch would change. Nothing is changed."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import asking, endings, opened, printing
from reconciler.errors import NotSo

if TYPE_CHECKING:
    from reconciler.config import Settings
    from reconciler.drafting.scratch import Scratch
    from reconciler.engine.rehearsing import Rehearsal
    from reconciler.model.shown import PlanShown
    from reconciler.store.database import Database


@asking.verb
@click.option("--base", metavar="REF", help="Taken as released everywhere: only what --head changes is shown.")
@click.option("--head", metavar="REF", help="In place of the followed branch; with --base, by default HEAD.")
@click.option("--at", type=asking.MOMENT, help=f"As it would be at another moment: {asking.MOMENTS}.")
@click.option("--until", type=asking.MOMENT, help="Everything up to a moment, if every deployment goes well.")
@asking.output_option("markdown")
def command(base: str | None, head: str | None, at: datetime | None, until: datetime | None, form: str) -> int:
    """Show what would happen, without doing it.

    Commits that the daemon has not seen yet are taken in. With --head, what merging that branch, tag or commit would
    bring; with --base as well, only the difference to that. HEAD is what the followed repository has checked out.
    --at shows what there would be to do at that moment if nothing were done until then; --until goes there step by
    step. With --base or --head the exit status is 1 where the branch has a mistake in a manifest. With -o markdown as
    well, what a reviewer of a pull request should know; the exit status is then also 1 where it asks for what a rule
    stops.
    """
    from reconciler.drafting.scratch import scratch
    from reconciler.engine import clock
    from reconciler.engine.foreseeing import planned
    from reconciler.engine.rehearsing import in_memory

    settings, now = opened.settings(), clock.system()
    if until is not None and until < (at or now):
        starts = f"--at, {printing.when(at)}" if at else "now"
        raise click.BadParameter(f"{printing.when(until)} is earlier than {starts}.", param_hint="--until")
    with ExitStack() as stack:
        store = opened.existing_store(settings) or in_memory()
        stack.callback(store.close)
        branch = stack.enter_context(scratch(settings, printing.note))
        if form == "markdown" and (base is not None or head is not None):
            return _review(settings, store, branch, base, head, at or now, until)
        rewrites = settings.repository.allow_rewrites or head is not None or base is not None
        played = stack.enter_context(_rehearsal(settings, store, branch, rewrites))
        _take_in(played, branch, base, head, now)
        # Looked for before the plan goes ahead in time: mistakes are those of the commit as it is taken in.
        mistakes = _mistakes(played, branch, settings.root, now) if base is not None or head is not None else []
        shown, complaints = planned(played, at or now, until), _complaints(played)
        if played.cut_at is not None:
            printing.note(f"so much happens until then that this ends at {printing.when(played.cut_at)}")
    _print(shown, complaints + [one for one in mistakes if one not in complaints], form)
    return endings.NOT_SO if mistakes else endings.DONE


def _rehearsal(
    settings: Settings, store: Database, branch: Scratch, rewrites: bool
) -> AbstractContextManager[Rehearsal]:
    from reconciler.engine.rehearsing import rehearsal

    adopt = settings.repository.history
    return rehearsal(store, branch.mirror, root=settings.root, adopt=adopt, allow_rewrites=rewrites)


def _review(
    settings: Settings,
    store: Database,
    branch: Scratch,
    base: str | None,
    head: str | None,
    at: datetime,
    until: datetime | None,
) -> int:
    """What merging a branch does, for its pull request."""
    from reconciler.cli import reviewed, reviewing

    known = branch.resolve(base) if base is not None else None
    target = branch.resolve(head) if head is not None else branch.checked_out()
    if target is None:
        raise NotSo(f"{branch.mirror.url} has no branch {branch.mirror.branch}", "push to it, or set repository.branch")
    found = reviewing.review(
        lambda: _rehearsal(settings, store, branch, True), branch, settings.root, (known, target), at, until
    )
    click.echo(reviewed.markdown(found), nl=False)
    return endings.NOT_SO if found.fails else endings.DONE


def _take_in(played: Rehearsal, branch: Scratch, base: str | None, head: str | None, now: datetime) -> None:
    """Let the rehearsal be at the commit that is asked about."""
    target = branch.resolve(head) if head is not None else branch.head
    if base is not None:
        known = branch.resolve(base)
        target = target if head is not None else branch.checked_out()
        if known == target:
            printing.note(f"--base {base} and {head or 'HEAD'} are one commit, {known[:10]}: nothing lies between them")
        _released(played, branch, known, now)
    if target is None:
        raise NotSo(f"{branch.mirror.url} has no branch {branch.mirror.branch}", "push to it, or set repository.branch")
    noted = played.noted
    if noted is not None and (base is not None or head is not None):
        target = branch.merged(noted, target)
    played.following.looking.require_path(target)
    played.note(target, now)
    if played.noted != target:
        printing.note(f"the branch was rewritten and is held: this is about {played.noted}, not {target}")


def _released(played: Rehearsal, branch: Scratch, base: str, now: datetime) -> None:
    """Take a commit, or what has been noted already if that is newer, as released everywhere."""
    noted = played.noted
    if noted is None or branch.descends(base, noted):
        played.note(base, now)
    for _plan in played.settle(now):
        continue


def _complaints(played: Rehearsal) -> list[dict[str, Any]]:
    from reconciler.store import complaining

    return complaining.complaints(played.transaction.connection)


def _mistakes(played: Rehearsal, branch: Scratch, root: str, now: datetime) -> list[dict[str, Any]]:
    """Every mistake in the manifests of the commit that is asked about, also those that only the whole shows."""
    from reconciler.cli import reviewing

    found = reviewing.complaints(played, branch, root, str(played.noted), now)
    return [asdict(one) for one in found if one.severity == "error"]


def _print(shown: PlanShown, complaints: list[dict[str, Any]], form: str) -> None:
    from reconciler.cli import planned
    from reconciler.model.shown import plan_json

    if form == "json":
        printing.as_json(plan_json(shown))
        for line in planned.complained(complaints):
            printing.note(line)
    elif form == "markdown":
        click.echo(planned.markdown(shown, complaints), nl=False)
    else:
        planned.show(shown, complaints)
