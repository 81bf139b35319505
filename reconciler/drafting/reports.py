"""What is to be said of a commit that was written, or would be: what it does, what stops it, and what comes next?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconciler.drafting.committing import How
    from reconciler.drafting.workplaces import Put, Workplace
    from reconciler.drafting.writing import Draft
    from reconciler.model.plan import Plan
    from reconciler.model.report import Then, Told
    from reconciler.views.including import Between

_LONGEST = 200_000
"""Letters of a difference that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A commit and everything that is to be said of it."""

    app: str
    environment: str | None
    headline: str
    facts: dict[str, Any] = field(default_factory=dict)
    """More keys for JSON."""
    included: Between | None = None
    effects: Sequence[Then] = ()
    warnings: Sequence[str] = ()
    trailers: Sequence[str] = ()
    """Keys of the trailers that it works by."""
    draft: Draft
    branch: str
    put: Put | None = None
    """Where it was put; None: nothing was written."""


def effects(plan: Plan, app: str, environments: Sequence[str]) -> tuple[Then, ...]:
    """What a plan does with an app in these environments."""
    from reconciler.model.plan import Deploy, Lift
    from reconciler.model.report import Then
    from reconciler.model.version import spoken

    found: list[Then] = []
    for action in plan.actions:
        if action.app != app or action.environment not in environments:
            continue
        if isinstance(action, Deploy):
            said = f"{spoken(action.subject.traffic)}: {action.reason}"
            found.append(Then(environment=action.environment, does="deploys", by=action.cause, detail=said))
        elif isinstance(action, Lift):
            found.append(Then(environment=action.environment, does="lifts", by="hold", detail=action.reason))
    waits = [one for one in plan.waiting if one.app == app and one.environment in environments]
    found += [
        Then(environment=one.environment, does="waits", by=one.waits_for, detail=one.detail, until=one.until)
        for one in waits
    ]
    stops = [one for one in plan.refused if one.app == app and one.environment in environments]
    found += [Then(environment=one.environment, does="refused", by=one.rule, detail=one.detail) for one in stops]
    return tuple(found)


def next_steps(report: Report, place: Workplace, how: How) -> Iterator[str]:
    """What a person does next, a line each."""
    yield from _steps(report, place, how)
    if report.trailers and report.put is not None and report.put.branch != place.followed:
        names = " and ".join(report.trailers)
        yield f"the trailer {names} counts when the commit is merged as it is: repeat it where a squash loses messages"


def _steps(report: Report, place: Workplace, how: How) -> Iterator[str]:
    put = report.put
    if put is None:
        if how.dry_run:
            yield "the same without --dry-run, over HTTP without `dry_run`, writes it"
    elif put.branch == place.followed:
        yield f"`reconciler status {report.app}` shows what comes of it"
    elif put.pushed:
        yield f"open a pull request of {put.branch} into {place.followed}"
    elif place.clone is not None:
        yield f"git push {put.remote.name} {put.branch}"
        yield f"open a pull request of it into {place.followed}"
    else:
        yield f"open a pull request of {put.branch} into {place.followed}, or merge it in a clone and push"


def report_json(report: Report, place: Workplace, how: How) -> dict[str, Any]:
    """What was drafted, as JSON."""
    from reconciler.model.report import told_json

    told = told_json(_told(report, place, how))
    return {"app": told.pop("app"), "environment": told.pop("environment"), **report.facts, **told}


def _told(report: Report, place: Workplace, how: How) -> Told:
    from reconciler.model.report import CommitShown, Told
    from reconciler.model.version import Author

    put, included = report.put, report.included
    return Told(
        app=report.app,
        environment=report.environment,
        dry_run=put is None,
        branch=put.branch if put else report.branch,
        commit=report.draft.commit if put else None,
        base=place.head,
        followed=place.followed,
        repository=put.where if put else place.where,
        pushed=bool(put and put.pushed),
        message=report.draft.message,
        diff=report.draft.diff[:_LONGEST],
        commits=tuple(
            CommitShown(
                id=row.id,
                subject=row.subject,
                author=Author(name=row.author_name, email=row.author_email),
                committed_at=row.committed_at,
            )
            for row in (included.commits if included else ())
        ),
        left_out=bool(included and included.backwards),
        then=tuple(report.effects),
        warnings=tuple(report.warnings),
        next=tuple(next_steps(report, place, how)),
    )
