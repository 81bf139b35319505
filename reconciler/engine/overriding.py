"""What does a commit say about rules that are not to count this once?

Trailers of the commit itself, and of those that a merge brings in: a pull request is merged as it was reviewed. What
each of them allows is `planner.noting`'s question; the ledger remembers who said it.
"""

from collections.abc import Iterator
from typing import Any

from reconciler.engine.commit import Arrival
from reconciler.git.shapes import Commit
from reconciler.git.trailers import trailers
from reconciler.planner.noting import allowed_changes, allowed_rollbacks, freeze_override, lifted_suspicions
from reconciler.store import commits, overrides, suspicions
from reconciler.store.database import Transaction
from reconciler.words import address

REASON_KEPT = 500

Said = tuple[tuple[str, str], ...]


def acknowledged(arrival: Arrival) -> int:
    """How many changes at once the commit acknowledges."""
    return max((allowed_changes(said) for _, said in _said(arrival)), default=0)


def note_overrides(transaction: Transaction, arrival: Arrival, *, weighed: bool) -> set[str]:
    """Write down what the commit overrides; names of the apps that this frees.

    `weighed` is whether it changes too much at once itself: then what it acknowledges is that, and nothing of others.
    """
    if arrival.adopting:
        return set()
    freed: set[str] = set()
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for commit, said in _said(arrival):
        freed |= _lift(transaction, arrival, commit, said)
        for row in _rows(arrival, commit, said):
            rows.setdefault((row["kind"], row["app"], row["environment"]), row)
    overrides.note(transaction, list(rows.values()))
    freed |= {row["app"] for row in rows.values() if row["app"]}
    if not weighed and (count := acknowledged(arrival)):
        freed |= set(commits.acknowledge(transaction, arrival.commit.id, count))
    return freed


def _said(arrival: Arrival) -> Iterator[tuple[Commit, Said]]:
    for commit in (arrival.commit, *arrival.merged):
        if said := trailers(commit.message):
            yield commit, said


def _author(commit: Commit) -> str:
    return commit.author_email or commit.author_name


def _rows(arrival: Arrival, commit: Commit, said: Said) -> Iterator[dict[str, Any]]:
    common = {
        "position": arrival.position,
        "commit": arrival.commit.id,
        "author": _author(commit),
        "at": arrival.now,
    }
    for app, environment in allowed_rollbacks(said):
        yield {**common, "kind": "rollback", "app": app, "environment": environment, "reason": ""}
    if reason := freeze_override(said):
        yield {**common, "kind": "freeze", "app": "", "environment": "", "reason": reason[:REASON_KEPT]}


def _lift(transaction: Transaction, arrival: Arrival, commit: Commit, said: Said) -> set[str]:
    for app, environment in lifted_suspicions(said):
        suspicions.clear(transaction, app, environment)
        body = {"commit": commit.id}
        transaction.note("suspicion.lifted", arrival.now, body, app=app, environment=environment, actor=_author(commit))
    return {app for app, _ in lifted_suspicions(said)}


def writers_of(arrival: Arrival) -> list[str]:
    """Addresses of all who wrote what a commit brings in: authors of what it merges, and whom they name beside them."""
    people = [_author(commit) for commit in (arrival.commit, *arrival.merged)]
    people += [value for _, said in _said(arrival) for key, value in said if key.lower() == "co-authored-by"]
    return sorted({address(person) for person in people if person})
