"""What does the commit say that takes back in git what a hold took back where it runs?

Git's own form first, which everybody who reads histories understands; then who went back where and why, and what
merging it does. What others said (errors, reasons) stands indented: no line of it is a trailer or a claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from reconciler.git.shapes import Commit
from reconciler.git.taking_back import revert_message
from reconciler.model.version import spoken
from reconciler.planner.causes import RECONCILER
from reconciler.schedule import to_the_second
from reconciler.store import deployments, holds
from reconciler.store.rows import deployment_of
from reconciler.words import plain

_LINE = 300
_APPS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What went back where, by whom and why; and the commits that asked for it, newest first."""

    app: str
    environment: str
    by: str
    since: datetime
    reason: str
    commits: tuple[str, ...]
    left: str
    """The deployment that was left, in words."""
    error: str
    others: tuple[str, ...]
    """Apps that the same commits changed."""


def case_of(connection: Connection, row: Row[Any], commits: Sequence[str]) -> Case:
    """What there is to say about a hold, for reverting these commits."""
    found = deployments.by_ids(connection, [row.deployment or ""]).get(row.deployment)
    left = deployment_of(found) if found is not None else None
    return Case(
        app=row.app,
        environment=row.environment,
        by=row.by,
        since=row.since,
        reason=row.reason,
        commits=tuple(commits),
        left=f"{spoken(left.traffic)} (deployment {left.number}, {left.id})" if left else "what ran there",
        error=(left.error or "") if left else "",
        others=tuple(holds.also_touched(connection, commits, row.app)),
    )


def message(case: Case, undone: Sequence[Commit]) -> str:
    """The whole message."""
    return "\n\n".join([revert_message(undone), *_paragraphs(case)])


def _paragraphs(case: Case) -> list[str]:
    who = "The reconciler" if case.by == RECONCILER else plain(case.by)[:_LINE]
    told = [f"{who} left {case.left} of {case.app} in {case.environment} at {to_the_second(case.since)}:"]
    told.append(_indented(case.reason))
    if case.error:
        told += ["What it said last:", _indented(case.error)]
    if case.others:
        more = f" and {len(case.others) - _APPS} more" if len(case.others) > _APPS else ""
        named = ", ".join(case.others[:_APPS])
        told.append(f"The same changed {named}{more} as well; see that they can do without it.")
    told.append(
        f"Until the branch that is followed says the same, {case.environment} differs from git. Merging this ends\n"
        "that, and nothing is released a second time. To keep the change, commit a fix and delete this branch, or\n"
        f"let git's word hold again with `reconciler release {case.app} {case.environment}`."
    )
    return told


def _indented(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()][:3]
    return "\n".join(f"    {plain(line)[:_LINE]}" for line in lines) or "    no word why"
