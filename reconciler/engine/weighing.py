"""Does a commit change so much at once that this waits for an acknowledgement, and what need not wait any more?"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.engine.commit import Arrival
from reconciler.engine.overriding import acknowledged
from reconciler.engine.seasonal import Touching
from reconciler.engine.sights import Place
from reconciler.planner.noting import MASS_LEAST, Revert, weighs_too_much
from reconciler.store import commits, declared
from reconciler.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Braked:
    """A commit that changes or removes so much of what is recorded that this waits for an acknowledgement."""

    commit: str
    changed: int
    recorded: int


def weigh(
    transaction: Transaction, arrival: Arrival, revert: Revert | None, changed: Collection[Place], left: int
) -> Braked | None:
    """How much a commit changes at once, where that is so much that it waits; `left` of it has left git before."""
    if arrival.adopting or (revert is not None and revert.direction == "back"):
        return None
    count = len(changed)
    recorded = declared.placed(transaction.connection) + left if count >= MASS_LEAST else 0
    if not weighs_too_much(count, recorded) or acknowledged(arrival) >= count:
        return None
    commits.brake(transaction, arrival.position, arrival.commit.id, count, recorded)
    body = {"changed": count, "recorded": recorded}
    transaction.note("commit.braked", arrival.now, body, subject=arrival.commit.id)
    return Braked(arrival.commit.id, count, recorded)


def let_go(transaction: Transaction, touches: Iterable[dict[str, Any]], touching: Touching) -> None:
    """What an earlier commit changed too much of, and this one puts back as it was before, waits no longer."""
    if not commits.any_braked(transaction.connection):
        return
    for row in touches:
        commits.release_brake(transaction, row["app"], row["environment"], row["after"])
    for place in touching.beneath:
        commits.release_brake(transaction, *place, touching.marks(place)[1])
