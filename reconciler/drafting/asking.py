"""How does somebody who has no command line get a commit: which would it be, and is it written onto a branch?

The branch goes into the desired repository itself, never into a clone that this process happens to stand in. It is
drafted on a copy of the store where that is a file, so that the daemon waits for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from reconciler import schedule
from reconciler.config import Settings
from reconciler.drafting import committing, pausing, promoting, taking_back
from reconciler.drafting.committing import How
from reconciler.drafting.reports import Report, report_json
from reconciler.drafting.workplaces import Workplace, workplace
from reconciler.drafting.writing import desk
from reconciler.engine.foreseeing import copied
from reconciler.errors import NotSo, WrongUse
from reconciler.model.report import (
    PROMOTION,
    RETURN,
    TOLD,
    CommitAsked,
    PauseAsked,
    Promotion,
    PromotionAsked,
    Return,
    RollbackAsked,
    Told,
)
from reconciler.store.database import Database
from reconciler.views import resolving
from reconciler.wishes import expecting, going_back, saying
from reconciler.wishes.pausing import require_to_come

Draft = Callable[[Database, Workplace, How], Report]


def promote(settings: Settings, store: Database, wanted: PromotionAsked, now: datetime, *, dry_run: bool) -> Promotion:
    """Write the commit onto a branch of the desired repository, ready for a pull request; or tell what it would be.

    It is pushed where the settings let branches be pushed, and what was written is in the ledger. Raises WrongUse,
    UnknownReference, NotSo, ManifestError, GitError, StoreError.
    """
    asked = _asked(wanted, now)
    _require_placed(store, wanted)

    def draft(copy: Database, place: Workplace, how: How) -> Report:
        with desk(settings, copy, place, now) as drafted:
            return promoting.report(drafted, asked, how)

    shown = PROMOTION.validate_python(_written(settings, store, wanted, draft, dry_run=dry_run))
    if not dry_run:
        kind = "branch.promotion" if wanted.verb == "promote" else "branch.pin"
        _note(store, wanted, kind, shown, now, at=shown.at)
    return shown


def roll_back(settings: Settings, store: Database, wanted: RollbackAsked, now: datetime, *, dry_run: bool) -> Return:
    """The commit that makes git say what an environment goes back to, as `promote` writes one; nothing goes back by it.

    Raises as `promote` does.
    """
    with store.read() as connection:
        back = going_back.way(
            connection,
            wanted.app,
            wanted.environment,
            wanted.to,
            now,
            reason=wanted.reason,
            expected=wanted.expected,
        )

    def draft(copy: Database, place: Workplace, how: How) -> Report:
        report = taking_back.report(settings, copy, place, back, how, now, only=wanted.branch_only)
        return replace(report, facts=taking_back.facts(back, None))

    shown = RETURN.validate_python(_written(settings, store, wanted, draft, dry_run=dry_run))
    if not dry_run:
        _note(store, wanted, "branch.rollback", shown, now)
    return shown


def pause(settings: Settings, store: Database, wanted: PauseAsked, now: datetime, *, dry_run: bool) -> Told:
    """The commit that writes a pause into the manifest or takes it out, as `promote` writes one. Raises as it does."""
    if wanted.until is not None:
        require_to_come(wanted.until, now)
    asked = pausing.Asked(
        app=wanted.app,
        environment=wanted.environment,
        until=wanted.until,
        reason=saying.reason(wanted.reason, required=wanted.until is not None),
    )
    _require_placed(store, wanted)

    def draft(copy: Database, place: Workplace, how: How) -> Report:
        with desk(settings, copy, place, now) as drafted:
            return pausing.report(drafted, asked, how)

    shown = TOLD.validate_python(_written(settings, store, wanted, draft, dry_run=dry_run))
    if not dry_run:
        _note(store, wanted, f"branch.{asked.verb}", shown, now)
    return shown


def _asked(wanted: PromotionAsked, now: datetime) -> promoting.Asked:
    said = [one for one in ("version", "traffic", "track", "at", "timezone") if getattr(wanted, one) is not None]
    if wrong := promoting.at_odds(said, lambda name: f"`{name}`"):
        raise WrongUse(wrong, "correct the request; /docs describes it")
    at, wall = _moment(wanted)
    if at is not None and at <= now:
        raise WrongUse(f"{schedule.rfc3339(at)} is over", "name a moment to come, or leave it out")
    return promoting.Asked(
        app=wanted.app,
        environment=wanted.environment,
        version=wanted.version,
        traffic=wanted.traffic,
        track=wanted.track,
        at=at,
        wall=wall,
        allow_suspect=wanted.allow_suspect,
        allow_rollback=wanted.allow_rollback,
        reason=saying.reason(wanted.reason),
        verb=wanted.verb,
    )


def _moment(wanted: PromotionAsked) -> tuple[datetime | None, tuple[str, str | None] | None]:
    """The instant, and how it is written."""
    at = wanted.at
    if at is None:
        return None, None
    if isinstance(at, datetime):
        whole = at.replace(microsecond=0)
        return whole, (schedule.rfc3339(whole), None)
    if wanted.timezone is None:
        raise WrongUse(f"{at} does not say where the clock hangs", f"{schedule.WITH_OFFSET}; or add `timezone`")
    return schedule.kept(at, wanted.timezone)


def _require_placed(store: Database, wanted: CommitAsked) -> None:
    """Raise UnknownReference where nobody knows it, NotSo where something else stands there than was looked at."""
    with store.read() as connection:
        resolving.placed(connection, wanted.app, wanted.environment)
        expecting.require(connection, wanted.app, wanted.environment, wanted.expected)


def _written(
    settings: Settings, store: Database, wanted: CommitAsked, draft: Draft, *, dry_run: bool
) -> dict[str, Any]:
    """Draft a commit, look at what it would do, and put it onto a branch; as JSON."""
    if not dry_run and not settings.write.branches:
        raise NotSo(
            "no branches are written here: write.branches is off",
            "write the commit by hand, or with the command line in a clone of the desired repository",
        )
    how = How(
        actor=saying.name(wanted.actor),
        message=committing.own_words(wanted.message, "message"),
        branch=None,
        push=settings.write.push,
        onto_followed=False,
        dry_run=dry_run,
        freeze_override=committing.own_words(wanted.freeze_override, "freeze_override", one_line=True),
    )
    told: list[str] = []
    with workplace(settings, told.append, in_clone=False) as place:
        if not dry_run:
            place.require_reachable(push=how.push)
        with copied(store) as copy:
            report = draft(copy, place, how)
        put = committing.put(settings, place, report.draft.commit, report.branch, how)
        return report_json(replace(report, put=put, warnings=[*told, *report.warnings]), place, how)


def _note(store: Database, wanted: CommitAsked, kind: str, shown: Told, now: datetime, **more: Any) -> None:
    """Whoever asks is in the ledger, as with every other wish."""
    body = {"branch": shown.branch, "repository": shown.repository, "reason": wanted.reason.strip(), **more}
    here = {"app": wanted.app, "environment": wanted.environment, "subject": shown.commit}
    with store.write() as transaction:
        transaction.note(kind, now, body, **here, actor=wanted.actor.strip())
