"""Does a commit change so much at once that this waits for an acknowledgement, and what need not wait any more?"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.engine.commit import Arrival
from reconciler.engine.overriding import acknowledged
from reconciler.engine.touching import Touching
from reconciler.model.deployment import Place
from reconciler.planner.noting import MASS_LEAST, weighs_too_much
from reconciler.store import commits, declared
from reconciler.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Weight:
    """How much a commit changes or removes of what is recorded, where that is too much to go unsaid."""

    commit: str
    changed: int
    recorded: int
    acknowledged: bool
    """Whether it says so itself; else what it changes waits."""
    tried: bool = False
    """Whether its message seems to say so, and does not: too small a number, none, or not among its trailers."""


def weigh(transaction: Transaction, arrival: Arrival, changed: Collection[Place], left: int) -> Weight | None:
    """What a commit weighs, where that is too much; `left` of what it changes has left git before."""
    count = len(changed)
    if arrival.adopting or count < MASS_LEAST:
        return None
    recorded = declared.placed(transaction.connection) + left
    if not weighs_too_much(count, recorded):
        return None
    said = acknowledged(arrival) >= count
    if not said:
        commits.brake(transaction, arrival.position, arrival.commit.id, count, recorded)
        body = {"changed": count, "recorded": recorded}
        transaction.note("commit.braked", arrival.now, body, subject=arrival.commit.id)
    messages = (arrival.commit.message, *(one.message for one in arrival.merged))
    tried = not said and any("allow-mass-change" in message.lower() for message in messages)
    return Weight(arrival.commit.id, count, recorded, said, tried)


def let_go(
    transaction: Transaction,
    touches: Iterable[dict[str, Any]],
    put_back: Iterable[tuple[str, str, tuple[str, ...]]],
    touching: Touching,
    weight: Weight | None,
) -> None:
    """What an earlier commit changed too much of waits no longer where this one puts it back as it was before, takes
    that commit back, or is acknowledged itself for what it makes of it."""
    if not commits.any_braked(transaction.connection):
        return
    said = weight is not None and weight.acknowledged
    for row in touches:
        if said:
            commits.release_brakes(transaction, row["app"], row["environment"])
        else:
            commits.release_brake(transaction, row["app"], row["environment"], row["after"])
    for app, environment, reverts in put_back:
        commits.release_brakes(transaction, app, environment, reverts)
    for place in touching.beneath:
        if said and place in touching.changed:
            commits.release_brakes(transaction, *place)
        else:
            commits.release_brake(transaction, *place, touching.marks(place)[1])
