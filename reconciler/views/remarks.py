"""What is going on in an environment, in the words of a cell, and who has to do something about it?

A standing has everything; this says what of it somebody should read first. Nothing is decided here, and no moment is
written out: whoever shows a remark knows the reader's clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from reconciler.model.deployment import Deployment
from reconciler.model.output import Standing
from reconciler.model.version import spoken
from reconciler.words import counted

State = Literal["ok", "run", "wait", "bad", "stop"]
Group = Literal["person", "motion", "quiet"]
GROUPS: tuple[Group, ...] = ("person", "motion", "quiet")
_COMMAND = re.compile(r"(?:[:;,] )?(?:or )?`reconciler [^`]*`(?: to [^,;]*)?")
"""Pages have buttons in place of commands."""
Fact = Literal["failed", "held", "waiting", "started", "running"]
"""What the summary counts: failed, refused or broken; held, paused or frozen; waiting; rolling out; as desired."""
FACTS: tuple[Fact, ...] = ("failed", "held", "waiting", "started", "running")


_WAITS: tuple[State, str, Fact] = ("wait", "clock", "waiting")
_SIGNS: dict[str, tuple[State, str, Fact]] = {
    "approval": ("wait", "ask", "waiting"),
    "soak": ("wait", "wait", "waiting"),
    "freeze": ("stop", "frozen", "held"),
    "retry": ("bad", "bad", "failed"),
}
_PEOPLE = {"approval", "manifest"}
"""What nobody but a person ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing that is going on. `word` says it, `text` goes on after it."""

    state: State
    sign: str
    fact: Fact
    word: str
    text: str = ""
    until: datetime | None = None
    """When it ends by itself (UTC)."""
    since: datetime | None = None
    person: bool = False
    """Whether nothing happens until somebody does something."""


def remarks(one: Standing, complaints: Iterable[str] = (), *, told: bool = True) -> list[Remark]:
    """What is going on, what needs a person first. `told`: whether complaints about the manifest are said here."""
    broken = list(_broken(complaints))
    here = broken if told else []
    found = [
        *here,
        *_wrong(one),
        *_stopped(one),
        *_moving(one),
        *_elsewhere(one.elsewhere),
        *_waiting(one, bool(broken)),
    ]
    return sorted(found, key=lambda remark: not remark.person)


def facts_of(found: Iterable[Remark]) -> frozenset[Fact]:
    """As what the summary counts a cell."""
    return frozenset(remark.fact for remark in found) or frozenset({"running"})


def group_of(cells: Iterable[list[Remark]]) -> Group:
    """Where an app stands among the others."""
    all_of_them = [remark for found in cells for remark in found]
    if any(remark.person for remark in all_of_them):
        return "person"
    return "motion" if all_of_them else "quiet"


def _broken(complaints: Iterable[str]) -> Iterator[Remark]:
    first = next(iter(complaints), None)
    if first is not None:
        yield Remark(
            state="bad",
            sign="warn",
            fact="failed",
            word="manifest broken",
            text=f", left as it is: {first}",
            person=True,
        )


def _wrong(one: Standing) -> Iterator[Remark]:
    if one.doubt is not None:
        yield Remark(
            state="bad",
            sign="bad",
            fact="failed",
            word="nobody knows for sure what runs",
            text=f": {one.doubt.reason}",
            since=one.doubt.since,
            person=one.active is None,
        )
    if one.drift is not None:
        yield Remark(
            state="bad",
            sign="warn",
            fact="failed",
            word="drifted",
            text=f": {one.drift.detail}",
            since=one.drift.since,
            person=one.active is None and one.due is None,
        )
    if one.triggers is not None:
        refused = one.triggers
        text = f" by the target {counted(refused.attempts, 'time')}: {refused.error}; they are handed over again"
        word = "routes, domains or crons were refused"
        yield Remark(state="bad", sign="bad", fact="failed", word=word, text=text, until=refused.again_at)
    for refusal in one.refused:
        if refusal.rule == "suspect" and one.held is not None:
            continue  # the hold says it
        text = f": {brief(refusal.detail)}"
        yield Remark(state="bad", sign="stop", fact="failed", word=f"refused ({refusal.rule})", text=text, person=True)


def _stopped(one: Standing) -> Iterator[Remark]:
    if one.held is not None:
        text = f" by {one.held.by}: {one.held.reason}"
        yield Remark(state="stop", sign="held", fact="held", word="held", text=text, since=one.held.since, person=True)
    if one.orphaned and one.due is None:
        yield Remark(state="stop", sign="none", fact="held", word="orphaned", text=": it left git and stays as it is")
    if one.paused is not None:
        text = f" by {one.paused.by}, “{one.paused.reason}”"
        yield Remark(state="stop", sign="paused", fact="held", word="paused", text=text, until=one.paused.until)


def _next_attempt(active: Deployment, what: str) -> Remark:
    """A target that only asks for time has failed in nothing."""
    text, until = f": {active.error or 'no answer'}; it is tried again", active.next_attempt_at
    if active.attempts == 0:
        return Remark(state="wait", sign="wait", fact="waiting", word=f"{what} is put off", text=text, until=until)
    text = f" {counted(active.attempts, 'time')}{text}"
    return Remark(state="bad", sign="bad", fact="failed", word=f"{what} failed", text=text, until=until)


def _moving(one: Standing) -> Iterator[Remark]:
    active = one.active
    if active is not None:
        what = spoken(active.traffic) if active.traffic else "retirement"
        rollout = active.rollout if active.status == "started" else None
        if rollout is not None:
            text = f", {what} at {rollout.percent} % of traffic"
            yield Remark(state="run", sign="run", fact="started", word="rolling out", text=text, until=rollout.until)
        elif active.next_attempt_at is not None:
            yield _next_attempt(active, what)
        elif active.status == "started":
            yield Remark(state="run", sign="run", fact="started", word=f"{what} started", since=active.started_at)
        else:
            yield Remark(state="wait", sign="wait", fact="waiting", word=f"{what} waits for its turn")
    elif one.due is not None:
        word = "to be retired" if one.orphaned else "a release is due"
        yield Remark(state="run", sign="run", fact="started", word=word, text=f": {one.due}")


def _elsewhere(reported: Deployment | None) -> Iterator[Remark]:
    if reported is not None:
        word = f"{reported.traffic[0].version} started elsewhere"
        by = f", as {reported.deployed_by} reported" if reported.deployed_by else ""
        yield Remark(state="run", sign="right", fact="started", word=word, text=by, since=reported.started_at)


def _waiting(one: Standing, broken: bool) -> Iterator[Remark]:
    rolling = one.active is not None and one.active.rollout is not None
    for wait in one.waiting:
        said = (wait.waits_for == "pause" and one.paused) or (wait.waits_for == "rollout" and rolling)
        if said or (wait.waits_for == "manifest" and broken):
            continue
        state, sign, fact = _SIGNS.get(wait.waits_for, _WAITS)
        yield Remark(
            state=state,
            sign=sign,
            fact=fact,
            word=f"waits for {wait.waits_for}",
            text=f": {brief(wait.detail)}",
            until=wait.until,
            person=wait.waits_for in _PEOPLE,
        )


def brief(text: str) -> str:
    """What a wait or a refusal says, without the commands that it names."""
    return _COMMAND.sub("", text)
