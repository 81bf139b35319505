"""Which commit makes git say what an environment goes back to: a revert, or a pin?

A revert where the rehearsal shows that it gives the very versions that are gone back to, since it takes the change back
for good and everywhere; else a pin in the environment's own entry.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.drafting import choosing, committing, reports
from reconciler.errors import NotSo

if TYPE_CHECKING:
    from sqlalchemy import Row

    from reconciler.config import Settings
    from reconciler.drafting.committing import How
    from reconciler.drafting.reports import Report
    from reconciler.drafting.workplaces import Workplace
    from reconciler.drafting.writing import Desk
    from reconciler.store.database import Database
    from reconciler.wishes.going_back import Back


def report(
    settings: Settings, store: Database, place: Workplace, back: Back, how: How, now: datetime, *, only: bool
) -> Report:
    """The commit for that, and what it would do: a revert, where it gives what is gone back to; else a pin.

    With `only` it goes back when that is merged, and not before. Raises NotSo, ManifestError.
    """
    from reconciler.drafting.writing import desk

    with desk(settings, store, place, now) as drafted:
        found = reverting(drafted, back, how)
    if isinstance(found, str):
        with desk(settings, store, place, now) as drafted:
            found = pinning(drafted, back, how, found)
    if not only:
        return found
    with desk(settings, store, place, now) as drafted:
        environments = list(drafted.picture(back.app).environments)
        plan = drafted.foresee(found.draft.commit, back.app, now)
        return replace(found, effects=reports.effects(plan, back.app, environments))


def facts(back: Back, outcome: str | None) -> dict[str, Any]:
    """What is told besides the commit. `outcome` is what became of the wish: '' for nothing yet, None for none."""
    from reconciler.model.wish import way_json

    return {**way_json(back.shown), "asked": outcome is not None, "outcome": outcome or None}


def reverting(desk: Desk, back: Back, how: How) -> Report | str:
    """A commit that reverts what asked for what is left; or why there is none that does it."""
    from reconciler.engine.branch_words import case_of, message
    from reconciler.git.taking_back import Conflicts, revert_commit, with_trailers
    from reconciler.git.trailers import trailers

    row = _gone_back(desk, back, how)
    commits = _commits(desk, row)
    if not commits:
        return "no commit asked for what is left there"
    case = case_of(desk.connection, row, commits)
    undone = list(desk.played.following.objects.commits(commits))
    words = message(case, undone)
    if how.message:
        _, _, rest = words.partition("\n\n")
        words = f"{how.message}\n\n{rest}"
    words = with_trailers(words, [*trailers(how.message or ""), *committing.overrides(how)])
    try:
        made = revert_commit(
            desk.place.room, desk.place.head, commits, committing.signature(how.actor, desk.now), message=words
        )
    except NotSo as error:
        return error.message
    if isinstance(made, Conflicts):
        return str(made)
    plan = desk.foresee(made, back.app, desk.now)
    effects = reports.effects(plan, back.app, list(desk.picture(back.app).environments))
    if not _says_the_same(desk, back):
        return f"taking {commits[0][:10]} back gives other content than {_words(back)}"
    warnings = [f"the same commits changed {', '.join(case.others[:5])} as well"] if case.others else []
    return reports.Report(
        app=back.app,
        environment=back.environment,
        headline=back.words,
        effects=effects,
        warnings=warnings,
        draft=desk.drafted(made, words),
        # The daemon looks for this very name, and writes no second one.
        branch=how.branch or f"{desk.settings.write.prefix}revert-{back.app}-{back.environment}-{commits[0][:8]}",
    )


def pinning(desk: Desk, back: Back, how: How, instead_of: str) -> Report:
    """A commit that pins the environment to what is gone back to. Raises NotSo where nothing would change."""
    from reconciler.store import versions

    entry = desk.entry(back.app, back.environment)
    _gone_back(desk, back, how)
    known = versions.by_id(desk.connection, [part.version for part in back.way.traffic])
    chosen = choosing.Chosen(
        traffic=back.way.traffic,
        written=tuple(
            (choosing.reference(desk.connection, known[part.version]), part.percent) for part in back.way.traffic
        ),
        origin="ran well before",
    )
    follow = f"`reconciler promote {back.app} --to {back.environment} --track`"
    paragraphs = [
        f"{back.words}.",
        *([f"    {back.reason[:300]}"] if back.reason.isprintable() and back.reason else []),
        "It is a pin and no revert:",
        f"    {instead_of}",
        f"It stays there until {follow} lets it follow again.",
    ]
    message = committing.message(how, f"Roll {back.app} back to {_words(back)} in {back.environment}", paragraphs)
    files = {entry.place.path: choosing.pinned(entry, chosen, desk.now)}
    draft = desk.draft(files, message, committing.signature(how.actor, desk.now))
    plan = desk.foresee(draft.commit, back.app, desk.now)
    return reports.Report(
        app=back.app,
        environment=back.environment,
        headline=back.words,
        effects=reports.effects(plan, back.app, [back.environment]),
        warnings=[f"the commit pins {back.environment}, since {instead_of}"],
        draft=draft,
        branch=how.branch
        or committing.branch_name(desk.settings, "rollback", back.app, back.environment, _words(back)),
    )


def _commits(desk: Desk, row: Row[Any]) -> list[str]:
    """The commits that are to be reverted for a hold, as the daemon knows them."""
    from reconciler.store import holds

    return holds.taken_back(desk.connection, holds.left(row))


def _words(back: Back) -> str:
    from reconciler.model.version import spoken

    return spoken(back.way.traffic)


def _gone_back(desk: Desk, back: Back, how: How) -> Row[Any]:
    """The hold; where the daemon has not acted on the wish yet, or none was recorded, it is played here."""
    from reconciler.engine.going_back import answer_wishes
    from reconciler.store import holds, interventions
    from reconciler.views.scene import scene_of

    connection, transaction = desk.connection, desk.played.transaction
    row = holds.find(connection, back.app, back.environment)
    if row is None or _shares(row.traffic) != _shares(back.way.traffic):
        interventions.record(transaction, back.wish(how.actor), desk.now)
        answer_wishes(transaction, scene_of(connection), desk.now)
        row = holds.find(connection, back.app, back.environment)
    if row is None:
        raise NotSo(
            f"{back.app} does not go back in {back.environment} any more",
            f"`reconciler why {back.app} {back.environment}` tells how it stands now",
        )
    for _ in desk.played.settle(desk.now):
        continue
    return row


def _says_the_same(desk: Desk, back: Back) -> bool:
    """Whether git asks for the very same once all that the commit brings is done."""
    from reconciler.store import holds

    for _ in desk.played.settle(desk.now):
        continue
    running = desk.picture(back.app).record(back.environment).running
    held = holds.find(desk.connection, back.app, back.environment)
    return held is None and running is not None and _shares(running.traffic) == _shares(back.way.traffic)


def _shares(traffic: Any) -> set[tuple[str, float]]:
    parts = [
        (one["version"], one["percent"]) if isinstance(one, dict) else (one.version, one.percent) for one in traffic
    ]
    return set(parts)
