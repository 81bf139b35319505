"""May a branch that somebody rewrote be followed to where it is now?"""

from __future__ import annotations

import re
from datetime import datetime

from reconciler.errors import WrongUse
from reconciler.model.wish import Recorded
from reconciler.store import repository
from reconciler.store.database import Transaction
from reconciler.store.interventions import Wish
from reconciler.wishes import saying
from reconciler.wishes.recording import record, refuse_unless

_SHA = re.compile(r"[0-9a-f]{7,64}")


def accept(transaction: Transaction, sha: str, *, actor: str, now: datetime, reason: str = "") -> Recorded:
    """The rewritten branch is accepted at the commit `sha` (seven digits or more); now (UTC).

    The commit is itself what the person was looking at. Raises WrongUse; NotSo where none, or another, is held.
    """
    actor, reason = saying.name(actor), saying.reason(reason)
    if not _SHA.fullmatch(sha.lower()):
        raise WrongUse(f"{sha[:100]} is no commit id", "give 7 to 64 of its digits of 0-9 and a-f")
    place = repository.followed(transaction.connection)
    held = place.held_head if place else None
    refuse_unless(held, "no rewritten branch is held", "`reconciler doctor` shows what the branch is at")
    refuse_unless(
        held and held.startswith(sha.lower()),
        f"the branch is held at {held}, not at {sha}",
        "look at that commit, then accept it by its own id",
    )
    wish = Wish(kind="accept", subject=held, actor=actor, reason=reason)
    return record(transaction, wish, f"the branch is accepted at {held}", now)
