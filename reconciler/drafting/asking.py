"""How does somebody who has no command line promote: which commit would it be, and is it written onto a branch?

The branch goes into the desired repository itself, never into a clone that this process happens to stand in. It is
drafted on a copy of the store where that is a file, so that the daemon waits for nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from reconciler.config import Settings
from reconciler.drafting import committing, promoting
from reconciler.drafting.committing import How
from reconciler.drafting.reports import report_json
from reconciler.drafting.workplaces import workplace
from reconciler.drafting.writing import desk
from reconciler.engine.foreseeing import copied
from reconciler.errors import NotSo, WrongUse
from reconciler.model.report import PROMOTION, Promotion, PromotionAsked
from reconciler.schedule import rfc3339
from reconciler.store.database import Database
from reconciler.views import resolving
from reconciler.wishes import expecting, saying


def promote(settings: Settings, store: Database, wanted: PromotionAsked, now: datetime, *, dry_run: bool) -> Promotion:
    """Write the commit onto a branch of the desired repository, ready for a pull request; or tell what it would be.

    It is pushed where the settings let branches be pushed, and what was written is in the ledger. Raises WrongUse,
    UnknownReference, NotSo, ManifestError, GitError, StoreError.
    """
    asked = _asked(settings, wanted, now, dry_run=dry_run)
    with store.read() as connection:
        resolving.placed(connection, wanted.app, wanted.environment)
        expecting.require(connection, wanted.app, wanted.environment, wanted.expected)
    how = How(
        actor=saying.name(wanted.actor),
        message=None,
        branch=None,
        push=settings.write.push,
        onto_followed=False,
        dry_run=dry_run,
        freeze_override=None,
    )
    told: list[str] = []
    with workplace(settings, told.append, in_clone=False) as place:
        if not dry_run:
            place.require_reachable(push=how.push)
        with copied(store) as copy, desk(settings, copy, place, now) as drafted:
            report = promoting.report(drafted, asked, how)
        put = committing.put(settings, place, report.draft.commit, report.branch, how)
        report = replace(report, put=put, warnings=[*told, *report.warnings])
        shown: Promotion = PROMOTION.validate_python(report_json(report, place, how))
    if put is not None:
        _note(store, wanted, shown, now)
    return shown


def _asked(settings: Settings, wanted: PromotionAsked, now: datetime, *, dry_run: bool) -> promoting.Asked:
    if not dry_run and not settings.write.branches:
        raise NotSo(
            "no branches are written here: write.branches is off",
            "write the commit by hand, or with `reconciler promote` in a clone of the desired repository",
        )
    at = wanted.at.replace(microsecond=0) if wanted.at is not None else None
    if at is not None and at <= now:
        raise WrongUse(f"{rfc3339(at)} is over", "name a moment to come, or leave it out")
    return promoting.Asked(
        app=wanted.app,
        environment=wanted.environment,
        version=wanted.version,
        at=at,
        wall=(rfc3339(at), None) if at is not None else None,
        allow_suspect=wanted.allow_suspect,
        allow_rollback=wanted.allow_rollback,
        reason=saying.reason(wanted.reason),
    )


def _note(store: Database, wanted: PromotionAsked, shown: Promotion, now: datetime) -> None:
    """Whoever asks is in the ledger, as with every other wish."""
    body = {"branch": shown.branch, "repository": shown.repository, "reason": wanted.reason.strip(), "at": shown.at}
    here = {"app": wanted.app, "environment": wanted.environment, "subject": shown.commit}
    with store.write() as transaction:
        transaction.note("branch.promotion", now, body, **here, actor=wanted.actor.strip())
