"""How is a commit shown that was written, or would be? What is to be said of it is in `drafting/reports`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.cli import opened, printing

if TYPE_CHECKING:
    from reconciler.drafting.committing import How
    from reconciler.drafting.reports import Report
    from reconciler.drafting.workplaces import Workplace
    from reconciler.drafting.writing import Desk

_COMMITS = 20
_LINES = 200


def show(report: Report, place: Workplace, how: How, form: str) -> None:
    """Print it, as text or as JSON."""
    from reconciler.drafting.reports import next_steps, report_json

    if form == "json":
        printing.as_json(report_json(report, place, how))
        return
    printing.heading(report.headline)
    for line, says in (*_commits(report), *_effects(report, place)):
        printing.echo(line, says)
    for warning in report.warnings:
        printing.echo(f"warning: {warning}", "warning")
    _diff(report)
    printing.echo(_lies(report, place), "good" if report.put else "quiet")
    for step in next_steps(report, place, how):
        printing.echo(f"  → {step}", "started")


def _commits(report: Report) -> Iterator[tuple[str, str]]:
    if report.included is None or not report.included.commits:
        return
    several = report.included.commits
    does = "leaves out" if report.included.backwards else "includes"
    yield f"it {does} {printing.counted(len(several), 'commit')}:", ""
    for row in several[:_COMMITS]:
        yield f"  {row.id[:10]}  {row.subject}  ({row.author_email or row.author_name})", ""
    if len(several) > _COMMITS:
        yield f"  and {len(several) - _COMMITS} more", "quiet"


def _effects(report: Report, place: Workplace) -> Iterator[tuple[str, str]]:
    once = f"once it is on {place.followed}"
    for one in report.effects:
        until = f" until {printing.when(one.until)}" if one.until else ""
        if one.does == "deploys":
            yield f"{once}: {report.app} in {one.environment} is deployed ({one.by}): {one.detail}", "good"
        elif one.does == "lifts":
            yield f"{once}: the hold of {report.app} in {one.environment} ends: {one.detail}", "good"
        elif one.does == "waits":
            yield f"{once}: {report.app} in {one.environment} waits for {one.by}{until}: {one.detail}", "warning"
        else:
            yield f"{once}: {report.app} in {one.environment} is refused ({one.by}): {one.detail}", "bad"
    if not report.effects and report.environment:
        yield f"{once}: nothing is deployed at that moment", "quiet"


def _diff(report: Report) -> None:
    lines = printing.lines(report.draft.diff)
    for line in lines[:_LINES]:
        says = {"+": "good", "-": "bad", "@": "started"}.get(line[:1], "")
        printing.echo(line, says)
    if len(lines) > _LINES:
        printing.echo(f"… and {len(lines) - _LINES} more lines", "quiet")


def _lies(report: Report, place: Workplace) -> str:
    base = f"on top of {place.followed} at {place.head[:10]} of {place.scratch.mirror.url}"
    if report.put is None:
        return f"nothing was written: the branch would be {report.branch}, {base}"
    if report.put.branch == place.followed:
        return f"{place.followed} of {report.put.where} is at {report.draft.commit[:10]} now, {base}"
    return f"branch {report.put.branch} of {report.put.where} is at {report.draft.commit[:10]}, {base}"


def carry_out(draft: Callable[[Desk], Report], how: How, form: str, now: datetime) -> Report:
    """Draft a commit, look at what it would do, put it where `how` says, and tell."""
    from reconciler.drafting import committing, writing
    from reconciler.drafting.workplaces import workplace

    settings = opened.settings()
    # The store first: without one nothing is fetched.
    with opened.store(settings) as store, workplace(settings, printing.note) as place:
        if not how.dry_run and not how.onto_followed:
            place.require_reachable(push=how.push)
        with writing.desk(settings, store, place, now) as desk:
            report = draft(desk)
        report = replace(report, put=committing.put(settings, place, report.draft.commit, report.branch, how))
        show(report, place, how, form)
    return report
