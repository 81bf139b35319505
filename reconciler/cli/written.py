"""How is a commit shown that was written, or would be: what it does, what stops it, where it lies, what comes next?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.cli import opened, printing

if TYPE_CHECKING:
    from reconciler.cli.committing import How
    from reconciler.cli.workplaces import Put, Workplace
    from reconciler.cli.writing import Desk, Draft
    from reconciler.model.plan import Plan
    from reconciler.views.including import Between

_COMMITS = 20
_LINES = 200
_LONGEST = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What follows in an environment once the commit is on the followed branch: `does` is deploys, lifts (a hold),
    waits or refused."""

    environment: str
    does: str
    by: str
    """The deployment's cause, what is waited for, or the rule that refuses."""
    detail: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A commit and everything that is to be said of it."""

    app: str
    environment: str | None
    headline: str
    facts: dict[str, Any] = field(default_factory=dict)
    """More keys for JSON."""
    included: Between | None = None
    effects: Sequence[Effect] = ()
    warnings: Sequence[str] = ()
    trailers: Sequence[str] = ()
    """Keys of the trailers that it works by."""
    draft: Draft
    branch: str
    put: Put | None = None
    """Where it was put; None: nothing was written."""


def effects(plan: Plan, app: str, environments: Sequence[str]) -> tuple[Effect, ...]:
    """What a plan does with an app in these environments."""
    from reconciler.model.plan import Deploy, Lift
    from reconciler.planner.causes import spoken

    found: list[Effect] = []
    for action in plan.actions:
        if action.app != app or action.environment not in environments:
            continue
        if isinstance(action, Deploy):
            said = f"{spoken(action.subject.traffic)}: {action.reason}"
            found.append(Effect(environment=action.environment, does="deploys", by=action.cause, detail=said))
        elif isinstance(action, Lift):
            found.append(Effect(environment=action.environment, does="lifts", by="hold", detail=action.reason))
    waits = [one for one in plan.waiting if one.app == app and one.environment in environments]
    found += [
        Effect(environment=one.environment, does="waits", by=one.waits_for, detail=one.detail, until=one.until)
        for one in waits
    ]
    stops = [one for one in plan.refused if one.app == app and one.environment in environments]
    found += [Effect(environment=one.environment, does="refused", by=one.rule, detail=one.detail) for one in stops]
    return tuple(found)


def show(report: Report, place: Workplace, how: How, form: str) -> None:
    """Print it, as text or as JSON."""
    if form == "json":
        printing.as_json(_json(report, place, how))
        return
    printing.heading(report.headline)
    for line, says in (*_commits(report), *_effects(report, place)):
        printing.echo(line, says)
    for warning in report.warnings:
        printing.echo(f"warning: {warning}", "warning")
    _diff(report)
    printing.echo(_lies(report, place), "good" if report.put else "quiet")
    for step in _next(report, place, how):
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


def _next(report: Report, place: Workplace, how: How) -> Iterator[str]:
    yield from _steps(report, place, how)
    if report.trailers and report.put is not None and report.put.branch != place.followed:
        names = " and ".join(report.trailers)
        yield f"the trailer {names} counts when the commit is merged as it is: repeat it where a squash loses messages"


def _steps(report: Report, place: Workplace, how: How) -> Iterator[str]:
    put = report.put
    if put is None:
        if how.dry_run:
            yield "the same without --dry-run writes it"
    elif put.branch == place.followed:
        yield f"`reconciler status {report.app}` shows what comes of it"
    elif put.pushed:
        yield f"open a pull request of {put.branch} into {place.followed}"
    elif place.clone is not None:
        yield f"git push {put.remote.name} {put.branch}"
        yield f"open a pull request of it into {place.followed}"
    else:
        yield f"open a pull request of {put.branch} into {place.followed}, or merge it in a clone and push"


def _json(report: Report, place: Workplace, how: How) -> dict[str, Any]:
    from reconciler.schedule import rfc3339

    put, included = report.put, report.included
    return {
        "app": report.app,
        "environment": report.environment,
        **report.facts,
        "dry_run": put is None,
        "branch": put.branch if put else report.branch,
        "commit": report.draft.commit if put else None,
        "base": place.head,
        "followed": place.followed,
        "repository": put.where if put else place.where,
        "pushed": bool(put and put.pushed),
        "message": report.draft.message,
        "diff": report.draft.diff[:_LONGEST],
        "commits": [
            {
                "id": row.id,
                "subject": row.subject,
                "author": {"name": row.author_name, "email": row.author_email},
                "committed_at": rfc3339(row.committed_at),
            }
            for row in (included.commits if included else ())
        ],
        "left_out": bool(included and included.backwards),
        "then": [
            {
                "environment": one.environment,
                "does": one.does,
                "by": one.by,
                "until": rfc3339(one.until) if one.until else None,
                "detail": one.detail,
            }
            for one in report.effects
        ],
        "warnings": list(report.warnings),
        "next": list(_next(report, place, how)),
    }


def carry_out(draft: Callable[[Desk], Report], how: How, form: str, now: datetime) -> Report:
    """Draft a commit, look at what it would do, put it where `how` says, and tell."""
    from reconciler.cli import committing, writing
    from reconciler.cli.workplaces import workplace

    settings = opened.settings()
    with opened.store(settings):
        pass  # without one nothing is fetched
    with workplace(settings) as place:
        if not how.dry_run and not how.onto_followed:
            place.require_reachable(push=how.push)
        with writing.desk(settings, place, now) as desk:
            report = draft(desk)
        report = replace(report, put=committing.put(settings, place, report.draft.commit, report.branch, how))
        show(report, place, how, form)
    return report
