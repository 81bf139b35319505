"""What does a rehearsal say will happen, at a moment or step by step until another one, as it is shown?

Shared by whoever has a rehearsal. `foresee` begins one on what is recorded, and on a copy of it where the store is a
file: nothing that waits for the answer holds the daemon up.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.engine.rehearsing import Rehearsal, rehearsal
from reconciler.model.shown import PlanShown
from reconciler.store.database import Database

if TYPE_CHECKING:
    from reconciler.git.mirror import Mirror


def planned(played: Rehearsal, at: datetime, until: datetime | None) -> PlanShown:
    """What there is to do at a moment (UTC), or everything from then until another one if every deployment goes well.

    Where so much happens that the walk ends earlier, `played.cut_at` tells when.
    """
    played.look_at_all_that_matters(at)
    if until is None:
        return _at(played, at)
    # Imported by who asks about the future: it brings along what carries out.
    from reconciler.engine.unfolding import future, spoken_waits
    from reconciler.model.showing import Foretold, shown_plan

    found = future(played, at, until, objects=played.following.objects)
    happenings = found.happenings
    # What an app's last plan holds back is what is still held back at the end.
    whole = replace(found.left, actions=tuple(one.action for one in happenings), wake_at=played.next_moment())
    told = [Foretold(one.at, one.effect, spoken_waits(one), one.cancel) for one in happenings]
    return shown_plan(whole, played.noted, at, told)


def _at(played: Rehearsal, at: datetime) -> PlanShown:
    plans = played.plan(at)
    # Apps that nothing was due of are not planned; the store knows when they will be.
    wakes = [plan.wake_at for plan in plans.values()] + [played.next_moment()]
    wake_at = min((moment for moment in wakes if moment is not None and moment > at), default=None)
    if not plans:
        return PlanShown(commit=played.noted, at=at, actions=(), waiting=(), refused=(), wake_at=wake_at)
    from reconciler.model.plan import together
    from reconciler.model.showing import shown_plan

    several = together(plans[name] for name in sorted(plans))
    return shown_plan(replace(several, wake_at=wake_at), played.noted, at)


def foresee(
    store: Database,
    mirror: Mirror,
    root: str,
    at: datetime,
    until: datetime | None,
    meanwhile: Callable[[], None] | None = None,
) -> tuple[PlanShown, datetime | None]:
    """What would happen by what is recorded at this moment; the branch is not looked at. `mirror` tells lines, if it is
    there.

    With it when the walk was ended, where that is earlier than `until`. `meanwhile` is called again and again; what it
    raises ends it. Raises StoreError.
    """
    with (
        copied(store) as copy,
        rehearsal(copy, mirror, root=root, adopt=0, allow_rewrites=False, meanwhile=meanwhile) as played,
    ):
        return planned(played, at, until), played.cut_at


@contextmanager
def copied(store: Database) -> Iterator[Database]:
    """A copy to rehearse on, since a rehearsal in a file keeps every writer waiting; a shared store as it is."""
    if store.is_shared:
        yield store
        return
    from reconciler.store.backing import aside

    with tempfile.TemporaryDirectory(prefix="reconciler-") as directory:
        copy = aside(store, Path(directory) / "copy.db")
        try:
            yield copy
        finally:
            copy.close()
