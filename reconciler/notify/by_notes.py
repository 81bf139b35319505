"""What is written beside commits: which of them was released where, when, and by whom?

One line a deployment that completed, in `refs/notes/deployments` of the desired repository, which
`git log --notes=deployments` shows once it is fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from reconciler.errors import GitError, NotSo, WrongUse
from reconciler.git import notes
from reconciler.git.signatures import Person
from reconciler.model.deployment import Deployment
from reconciler.model.version import spoken
from reconciler.notify.addresses import NotDelivered
from reconciler.notify.clocks import Clock
from reconciler.notify.facts import stable_id
from reconciler.schedule import rfc3339
from reconciler.store import deployments, messages
from reconciler.store.database import Transaction
from reconciler.store.declared import chunks
from reconciler.store.rows import deployment_of
from reconciler.words import counted, plain

REFERENCE = "refs/notes/deployments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where notes are written."""

    url: str
    base: Path
    """Where a relative address begins."""
    repository: Path
    """A repository of our own, for notes alone."""
    mirror: Path
    author: Person


def to_note(transaction: Transaction, rows: Sequence[Row[Any]], now: datetime) -> None:
    """Make the message that writes notes of these facts."""
    facts = [row for row in rows if row.kind == "deployment.completed" and row.subject]
    lines: dict[str, list[str]] = {}
    for part in chunks(row.subject for row in facts):
        found = deployments.by_ids(transaction.connection, part)
        for identifier in part:
            if identifier in found and found[identifier].commit:
                deployment = deployment_of(found[identifier])
                lines.setdefault(deployment.commit or "", []).append(line(deployment))
    if not lines:
        return
    count = sum(len(several) for several in lines.values())
    made = stable_id("notes", *(f"ledger:{row.sequence}" for row in facts))
    content = {"title": f"notes of {counted(count, 'deployment')}", "lines": lines}
    messages.add(transaction, [messages.to_send(made, "notes", content, now, stream="notes", notices=count)])


def line(deployment: Deployment) -> str:
    """What a note says of a deployment: what, where, when, who, why."""
    at = rfc3339(deployment.finished_at or deployment.created_at)
    by = deployment.deployed_by or "reconciler"
    what = f"{deployment.app} {spoken(deployment.traffic)}"
    return plain(f"{at} {deployment.environment}: {what}, {deployment.cause} by {by} (deployment {deployment.id})")


def noting(where: Where, clock: Clock) -> Callable[[Any], str]:
    """What writes notes."""

    def carry(row: Any) -> str:
        try:
            count = notes.append(
                where.repository,
                where.url,
                REFERENCE,
                row.content["lines"],
                where.author,
                clock(),
                borrowed=where.mirror,
                base=where.base,
            )
        except WrongUse as error:
            raise NotDelivered(error.message, for_good=True) from None
        except (GitError, NotSo) as error:
            raise NotDelivered(error.message) from None
        return counted(count, "line")

    return carry
