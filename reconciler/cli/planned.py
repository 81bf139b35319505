"""How does a plan look: as a table for a person, as Markdown for a pull request?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from reconciler.cli import printing
from reconciler.cli.printing import Cell
from reconciler.words import plain

if TYPE_CHECKING:
    from reconciler.model.shown import PlannedAction, PlanShown

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~<>])")
_UNLINKED = {"://": "&#58;//", "www.": "www&#46;"}
_LINK = re.compile("://|www\\.", re.IGNORECASE)
"""What GitHub makes a link of by itself."""
_MENTION = re.compile(r"(?<!\w)@(?=\w)")


def show(plan: PlanShown, complaints: list[dict[str, Any]]) -> None:
    """A plan in text."""
    printing.heading(f"at {(plan.commit or 'no commit')[:10]}, {printing.when(plan.at)}")
    if plan.actions:
        dated = any(action.at for action in plan.actions)
        headings = ["ACTION", "APP", "ENVIRONMENT", "CAUSE", "VERSIONS", "REASON"]
        rows = [_row(action) for action in plan.actions]
        if dated:
            headings = ["WHEN", *headings]
            rows = [[_when(action), *row] for action, row in zip(plan.actions, rows, strict=True)]
        printing.table(headings, rows)
        _tell_more(plan)
    else:
        printing.echo("nothing to do")
    for wait in plan.waiting:
        until = f" until {printing.when(wait.until)}" if wait.until else ""
        printing.echo(f"{wait.app} in {wait.environment} waits for {wait.waits_for}{until}: {wait.detail}", "warning")
    for refusal in plan.refused:
        printing.echo(f"{refusal.app} in {refusal.environment}: refused ({refusal.rule}): {refusal.detail}", "bad")
    for line in complained(complaints):
        printing.echo(line, "error")
    if plan.wake_at:
        printing.echo(f"the next change without a new commit can come at {printing.when(plan.wake_at)}", "quiet")


def _tell_more(plan: PlanShown) -> None:
    """What exactly changes at each moment to come, what it waits for until then, and how it is called off."""
    for action in plan.actions:
        said = [*(f"after {text}" for text in action.after)]
        if action.changes is not None and action.changes.versions_before:
            from reconciler.views.differences import spelled

            said += spelled(action.changes.config)
        said += [action.cancel] if action.cancel else []
        if said and action.at is not None:
            printing.echo(f"{_when(action)}, {action.app} in {action.environment}: {'; '.join(said)}")


def _row(action: PlannedAction) -> list[Cell | str]:
    # With the first action: most often there is none, and this knows what a version is.
    from reconciler.model.version import spoken

    says = "failed" if action.action in ("abort", "retire") or "rollback" in (action.cause or "") else "started"
    return [
        Cell(action.action, says),
        action.app,
        action.environment,
        action.cause or "",
        spoken(action.traffic) if action.traffic else "",
        action.reason,
    ]


def _when(action: PlannedAction) -> str:
    return printing.when(action.at) if action.at else ""


def complained(complaints: list[dict[str, Any]]) -> list[str]:
    """Complaints about manifests, a line each."""
    return [_complaint(one) for one in complaints]


def _complaint(one: dict[str, Any]) -> str:
    remedy = f" ({one['remedy']})" if one["remedy"] else ""
    return f"{one['path']}:{one['line']}:{one['column']}: {one['message']}{remedy}"


def markdown(plan: PlanShown, complaints: list[dict[str, Any]]) -> str:
    """A plan for a pull request: what would be done, what waits, what is refused, which files are broken."""
    return "\n".join(_markdown(plan, complaints)) + "\n"


def _markdown(plan: PlanShown, complaints: list[dict[str, Any]]) -> Iterator[str]:
    yield f"### What happens with `{(plan.commit or 'no commit')[:10]}`"
    yield ""
    if not plan.actions:
        yield "Nothing is deployed."
    else:
        dated = any(action.at for action in plan.actions)
        when = "| When " if dated else ""
        yield f"{when}| Action | App | Environment | Cause | Versions | Why |"
        yield f"{'|---' if dated else ''}|---|---|---|---|---|---|"
        for action in plan.actions:
            first = f"| {escaped(_when(action))} " if dated else ""
            cells = [cell.text if isinstance(cell, Cell) else cell for cell in _row(action)]
            yield first + "".join(f"| {escaped(cell)} " for cell in cells) + "|"
    yield from _listed("Waiting", [f"{w.app} in {w.environment} for {w.waits_for}: {w.detail}" for w in plan.waiting])
    yield from _listed("Refused", [f"{r.app} in {r.environment} ({r.rule}): {r.detail}" for r in plan.refused])
    yield from _listed("Broken files: what they define stays as it is", [_complaint(one) for one in complaints])
    if plan.wake_at:
        yield ""
        yield f"The next change without a new commit can come at {printing.when(plan.wake_at)}."


def _listed(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield f"**{title}**"
        yield ""
        for line in lines:
            yield f"- {escaped(line)}"


def escaped(text: str) -> str:
    """Text that is only text in Markdown: no markup, no table cell, no link, nobody mentioned."""
    written = _MARKDOWN.sub(r"\\\1", plain(text).replace("&", "&amp;")).replace("\\<", "&lt;")
    return _MENTION.sub("@\u200b", _LINK.sub(lambda found: _UNLINKED[found[0].lower()], written))
