"""How is a pause written into a manifest, or taken out of it, as a commit on a branch?

Declared in git a pause is reviewed like everything else, and holds without a store; one that is typed holds at once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from reconciler.cli import printing
from reconciler.errors import NotSo

if TYPE_CHECKING:
    from reconciler.drafting.committing import How
    from reconciler.drafting.reports import Report
    from reconciler.drafting.writing import Desk, Entry

Edit = Callable[[bytes, "Entry"], bytes]


def only_with_git(how: How, *, git: bool) -> None:
    """Refuse what says how a commit is written where none is."""
    if how.given and not git:
        raise click.UsageError("--push, --branch, --message, --dry-run and the like go with --git.")


def pause(app: str, environment: str | None, reason: str, until: datetime, how: How, now: datetime) -> None:
    """Write the pause of an app, in one environment or in all of them."""
    from reconciler.manifest import editing_choices as choices
    from reconciler.schedule import rfc3339, to_the_second

    ends = until.replace(microsecond=0)
    line = " ".join(reason.split())

    def edit(data: bytes, entry: Entry) -> bytes:
        return choices.pause(data, entry.place, how.actor, line, rfc3339(ends))

    where = f" in {environment}" if environment else ""
    subject = f"Pause {app}{where} until {ends:%Y-%m-%d %H:%M} UTC"
    told = [f"    {line[:300]}", f"Nothing new starts until {to_the_second(ends)}; rollbacks pass."]
    _write(app, environment, edit, subject, told, "pause", how, now)


def resume(app: str, environment: str | None, how: How, now: datetime) -> None:
    """Take the pauses of an app out of its manifest. Raises NotSo where there is none."""
    from reconciler.manifest import editing_choices as choices

    def edit(data: bytes, entry: Entry) -> bytes:
        return choices.resume(data, entry.place)

    where = f" in {environment}" if environment else ""
    _write(app, environment, edit, f"Resume {app}{where}", [], "resume", how, now)


def _write(
    app: str,
    environment: str | None,
    edit: Edit,
    subject: str,
    told: list[str],
    verb: str,
    how: How,
    now: datetime,
) -> None:
    from reconciler.cli import written

    def draft(desk: Desk) -> Report:
        return _report(desk, app, environment, edit, subject, told, verb, how)

    report = written.carry_out(draft, how, "text", now)
    if verb == "pause" and report.put is not None:
        printing.echo("it holds as soon as it is merged; without --git a pause holds at once", "quiet")


def _report(
    desk: Desk,
    app: str,
    environment: str | None,
    edit: Edit,
    subject: str,
    told: list[str],
    verb: str,
    how: How,
) -> Report:
    from reconciler.drafting import committing, reports

    names = [environment] if environment else sorted(desk.picture(app).wanted)
    if not names:
        raise NotSo(f"{app} is in no environment", "add one to its manifest first")
    entries = [desk.entry(app, name) for name in names]
    data = before = entries[0].data
    for entry in entries:
        data = edit(data, entry)
    if data == before:
        done = "paused like this already" if verb == "pause" else "not paused in git"
        raise NotSo(
            f"{app}{f' in {environment}' if environment else ''} is {done}",
            f"without --git `reconciler {verb}` acts on what was typed",
        )
    message = committing.message(how, subject, told)
    draft = desk.draft({entries[0].place.path: data}, message, committing.signature(how.actor, desk.now))
    plan = desk.foresee(draft.commit, app, desk.now)
    return reports.Report(
        app=app,
        environment=None,
        headline=subject,
        effects=reports.effects(plan, app, names),
        draft=draft,
        branch=how.branch or committing.branch_name(desk.settings, verb, app, environment or "everywhere"),
    )
