"""How is a pause written into a manifest, or taken out of it, as a commit on a branch?

Declared in git a pause is reviewed like everything else, and holds without a store; one that is recorded holds at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.errors import NotSo

if TYPE_CHECKING:
    from reconciler.drafting.committing import How
    from reconciler.drafting.reports import Report
    from reconciler.drafting.writing import Desk, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A pause of an app, in one environment or (None) in all of them."""

    app: str
    environment: str | None
    until: datetime | None
    """UTC; None: it goes on."""
    reason: str = ""

    @property
    def verb(self) -> str:
        """What it is called."""
        return "pause" if self.until is not None else "resume"

    @property
    def place(self) -> str:
        """Where it is."""
        return f"{self.app} in {self.environment}" if self.environment else self.app


def report(desk: Desk, asked: Asked, how: How) -> Report:
    """The commit for that, and what it would do. Raises NotSo where nothing would change, ManifestError."""
    from reconciler.drafting import committing, reports

    names = [asked.environment] if asked.environment else sorted(desk.picture(asked.app).wanted)
    if not names:
        raise NotSo(f"{asked.app} is in no environment", "add one to its manifest first")
    entries = [desk.entry(asked.app, name) for name in names]
    edit, subject, told = _change(asked, how)
    data = before = entries[0].data
    for entry in entries:
        data = edit(data, entry)
    if data == before:
        done = "paused like this already" if asked.until is not None else "not paused in git"
        raise NotSo(
            f"{asked.place} is {done}",
            f"without --git, or over HTTP without `git`, `reconciler {asked.verb}` acts on what was asked for",
        )
    message = committing.message(how, subject, told)
    draft = desk.draft({entries[0].place.path: data}, message, committing.signature(how.actor, desk.now))
    plan = desk.foresee(draft.commit, asked.app, desk.now)
    return reports.Report(
        app=asked.app,
        environment=None,
        headline=subject,
        effects=reports.effects(plan, asked.app, names),
        draft=draft,
        branch=how.branch
        or committing.branch_name(desk.settings, asked.verb, asked.app, asked.environment or "everywhere"),
    )


def _change(asked: Asked, how: How) -> tuple[Callable[[bytes, Entry], bytes], str, list[str]]:
    """How the file is edited, and the words for it."""
    from reconciler.manifest import editing_choices as choices
    from reconciler.schedule import rfc3339, to_the_second

    line = " ".join(asked.reason.split())
    why = [f"    {line[:300]}"] if line else []
    if asked.until is None:
        return lambda data, entry: choices.resume(data, entry.place), f"Resume {asked.place}", why
    ends = asked.until.replace(microsecond=0)
    return (
        lambda data, entry: choices.pause(data, entry.place, how.actor, line, rfc3339(ends)),
        f"Pause {asked.place} until {ends:%Y-%m-%d %H:%M} UTC",
        [*why, f"Nothing new starts until {to_the_second(ends)}; rollbacks pass."],
    )
