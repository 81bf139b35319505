"""`reconciler plan`: what would happen, now or later, or what a branch would change. Nothing is changed."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import asking, opened, printing
from reconciler.errors import NotSo

if TYPE_CHECKING:
    from reconciler.cli.rehearsing import Rehearsal
    from reconciler.cli.scratch import Scratch
    from reconciler.model.output import PlanShown
    from reconciler.model.plan import Action, Plan


@asking.verb
@click.option("--base", metavar="REF", help="Taken as released everywhere: only what --head changes is shown.")
@click.option("--head", metavar="REF", help="In place of the followed branch; with --base, by default HEAD.")
@click.option("--at", type=asking.MOMENT, help=f"As it would be at another moment: {asking.MOMENTS}.")
@click.option("--until", type=asking.MOMENT, help="Everything up to a moment, if every deployment goes well.")
@asking.output_option("markdown")
def command(base: str | None, head: str | None, at: datetime | None, until: datetime | None, form: str) -> None:
    """Show what would happen, without doing it.

    Commits that the daemon has not seen yet are taken in. With --head, what merging that branch, tag or commit would
    bring; with --base as well, only the difference to that. HEAD is what the followed repository has checked out.
    """
    from reconciler.cli.rehearsing import in_memory, rehearsal
    from reconciler.cli.scratch import scratch
    from reconciler.engine import clock

    settings, now = opened.settings(), clock.system()
    if until is not None and until < (at or now):
        starts = f"--at, {printing.when(at)}" if at else "now"
        raise click.BadParameter(f"{printing.when(until)} is earlier than {starts}.", param_hint="--until")
    with ExitStack() as stack:
        store = opened.existing_store(settings) or in_memory()
        stack.callback(store.close)
        branch = stack.enter_context(scratch(settings))
        played = stack.enter_context(
            rehearsal(
                store,
                branch.mirror,
                root=settings.root,
                adopt=settings.repository.history,
                allow_rewrites=settings.repository.allow_rewrites or head is not None or base is not None,
            )
        )
        _take_in(played, branch, base, head, now)
        shown, complaints = _planned(played, at or now, until), _complaints(played)
    _print(shown, complaints, form)


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
    played.following.require_path(target)
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


def _planned(played: Rehearsal, at: datetime, until: datetime | None) -> PlanShown:
    from reconciler.model.output import shown_plan
    from reconciler.model.plan import together
    from reconciler.store import declared

    played.look_at_all_that_matters(at)
    done: list[tuple[datetime, Action]] = []
    last: dict[str, Plan] = {}
    for moment, plans in played.unfold(at, until) if until else [(at, played.plan(at))]:
        done += [(moment, action) for action in together(plans.values()).actions]
        last |= plans
    whole = replace(
        # What an app's last plan holds back is what is still held back at the end.
        together(last.values()),
        actions=tuple(action for _, action in done),
        # Apps that nothing was due of are not planned; the store knows when they will be.
        wake_at=declared.next_due(played.transaction.connection),
    )
    return shown_plan(whole, played.noted, at, [moment for moment, _ in done] if until else ())


def _complaints(played: Rehearsal) -> list[dict[str, Any]]:
    from reconciler.store import declared

    return declared.complaints(played.transaction.connection)


def _print(shown: PlanShown, complaints: list[dict[str, Any]], form: str) -> None:
    from reconciler.cli import planned
    from reconciler.model.output import plan_json

    if form == "json":
        printing.as_json(plan_json(shown))
    elif form == "markdown":
        click.echo(planned.markdown(shown, complaints), nl=False)
    else:
        planned.show(shown, complaints)
