"""May a deployment that is made elsewhere start, and what speaks against it?

Something else runs there; a freeze is in force; or it comes too early: the environment before has not taken this
version yet, or not for long enough, or people have not approved it. The very functions are asked that gates and freezes
of our own deployments are asked by. What is recorded is an argument.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from reconciler.desired import Desired, Tracked
from reconciler.freezing import ActiveFreeze
from reconciler.model.deployment import EXTERNAL, Allotment, Cause
from reconciler.model.gates import Gates
from reconciler.model.plan import Waiting, short
from reconciler.model.reporting import Kind
from reconciler.planner import freezes as freezing
from reconciler.planner import gates
from reconciler.planner.freezes import Start
from reconciler.planner.recorded import Approval, EnvironmentRecord, RecordedApp
from reconciler.schedule import rfc3339
from reconciler.words import address, listed

Rule = Literal["busy", "freeze", "order", "soak", "approval"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """A deployment that is under way in the environment."""

    id: str
    number: int
    version: str
    since: datetime
    external: bool
    """Whether it was reported, and is not one of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who wants to start what where, and what is known of it."""

    app: str
    environment: str
    version: str
    kind: Kind
    people: frozenset[str] = frozenset()
    """Whose approval does not count: who deploys, and whose token it is."""
    wanted: Desired | None = None
    """What git says of the place at this moment; None where it does not declare it."""
    runs: Runs | None = None
    completed_before: datetime | None = None
    """When this version completed in the environment that is tracked, for the first time (UTC)."""
    completed_here: bool = False
    """Whether it completed here once: only then it can be gone back to."""
    approvals: tuple[Approval, ...] = ()
    """Of `key_of` this."""

    @property
    def key(self) -> str:
        """What approvals are filed under."""
        return key_of(self.app, self.environment, self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """What speaks against a start, with its numbers."""

    rule: Rule
    detail: str
    next_step: str
    until: datetime | None = None
    """When it speaks against it no more (UTC), where that is known."""
    freezes: tuple[ActiveFreeze, ...] = ()
    roles: tuple[str, ...] = ()
    """Whose approval is missing, where a gate asks for roles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What speaks against it, and what was noted but let pass."""

    objections: tuple[Objection, ...] = ()
    remarks: tuple[str, ...] = ()


def key_of(app: str, environment: str, version: str) -> str:
    """What approvals of a deployment made elsewhere are filed under: another version has another key."""
    said = hashlib.sha256(f"reported\n{version}".encode("utf-8", "surrogatepass")).hexdigest()
    return gates.filed_under(app, environment, said)


def verdict(asked: Asked) -> Verdict:
    """Whether it may start at the moment of `asked.wanted`: what comes first speaks alone, and early is told whole."""
    if asked.runs is not None:
        return Verdict(objections=(_busy(asked, asked.runs),))
    if asked.wanted is None:
        return Verdict()
    goes_back = asked.kind == "rollback" and asked.completed_here
    frozen = _frozen(asked, asked.wanted, goes_back)
    if frozen is not None:
        return Verdict(objections=(frozen,))
    return Verdict() if goes_back else _early(asked, asked.wanted)


def _busy(asked: Asked, runs: Runs) -> Objection:
    whose = "reported" if runs.external else "of the reconciler"
    return Objection(
        rule="busy",
        detail=f"deployment {runs.number} ({runs.id}, {whose}) of {asked.app} runs in {asked.environment} "
        f"since {rfc3339(runs.since)}, with {runs.version}",
        next_step="wait for its end; of one that will never tell its end, report that it was aborted"
        if runs.external
        else f"wait for its end, or stop it: `reconciler abort {runs.id}`",
    )


def _frozen(asked: Asked, wanted: Desired, goes_back: bool) -> Objection | None:
    cause: Cause = "rollback" if goes_back else "promotion" if asked.kind == "promotion" else EXTERNAL
    stoppers = freezing.stoppers(Start(cause=cause, hotfix=asked.kind == "hotfix"), wanted.freezes)
    if not stoppers:
        return None
    last = max(stoppers, key=lambda freeze: freeze.until)
    named = listed(f"{freeze.name} ({freeze.reason})" for freeze in stoppers)
    return Objection(
        rule="freeze",
        detail=f"{asked.environment} is frozen until {rfc3339(last.until)}: {named}",
        next_step=f"start it again after that{_no_way_back(asked)}",
        until=last.until,
        freezes=stoppers,
    )


def _no_way_back(asked: Asked) -> str:
    return f"; {asked.version} never completed here, so it is no rollback" if asked.kind == "rollback" else ""


def _early(asked: Asked, wanted: Desired) -> Verdict:
    declared = wanted.gates or Gates()
    if declared.mode == "off":
        return Verdict()
    found = _order(asked, wanted)
    objections = (found,) if found is not None else _gates(asked, wanted, declared)
    if declared.mode == "report":
        return Verdict(remarks=tuple(f"reported only: {one.detail}" for one in objections))
    return Verdict(objections=objections)


def _order(asked: Asked, wanted: Desired) -> Objection | None:
    before = _before(wanted)
    if before is None or asked.completed_before is not None:
        return None
    return Objection(
        rule="order",
        detail=f"{asked.version} of {asked.app} has not completed in {before}, which {asked.environment} follows",
        next_step=f"deploy it to {before} first, and report that{_no_way_back(asked)}",
    )


def _before(wanted: Desired) -> str | None:
    return wanted.follows.environment if isinstance(wanted.follows, Tracked) else None


def _gates(asked: Asked, wanted: Desired, declared: Gates) -> tuple[Objection, ...]:
    waiting = _waiting(asked, wanted, declared)
    soaks = [_soak(one) for one in waiting if one.waits_for == "soak"]
    missing = [one for one in waiting if one.waits_for == "approval"]
    return (*soaks, *([_approvals(asked, missing)] if missing else []))


def approvals_missing(asked: Asked) -> list[Waiting]:
    """Which approvals it waits for, whatever else speaks against it."""
    if asked.wanted is None or asked.wanted.gates is None or asked.wanted.gates.mode != "enforced":
        return []
    found = _waiting(asked, asked.wanted, asked.wanted.gates)
    return [one for one in found if one.waits_for == "approval"]


def _waiting(asked: Asked, wanted: Desired, declared: Gates) -> tuple[Waiting, ...]:
    """What the gates say that can be asked about something made elsewhere: soak and approvals."""
    skipped = set(declared.hotfix) if asked.kind == "hotfix" else set()
    open_to = replace(
        declared,
        soak=None if "soak" in skipped else declared.soak,
        approvals=None if "approvals" in skipped else declared.approvals,
        checks=(),
        signed=None,
        hotfix=(),
        mode="enforced",
    )
    candidate = gates.Candidate(
        traffic=(Allotment(version=asked.version, number=0, name=asked.version, percent=100.0),),
        key=asked.key,
        ready_at=asked.completed_before or wanted.at,
        source=_before(wanted),
        authors=frozenset(address(person) for person in asked.people),
    )
    record = EnvironmentRecord(
        environment=asked.environment, declared=True, touch=None, approvals={asked.key: asked.approvals}
    )
    nothing = RecordedApp(app=asked.app, content=None, content_touch=None)
    passage = gates.passage(candidate, replace(wanted, gates=open_to, train=None), nothing, record)
    return passage.waiting


def _soak(one: Waiting) -> Objection:
    return Objection(rule="soak", detail=one.detail, next_step="start it again after that", until=one.until)


def _approvals(asked: Asked, missing: Sequence[Waiting]) -> Objection:
    return Objection(
        rule="approval",
        detail="; ".join(one.detail for one in missing),
        next_step=f"`reconciler approve {short(asked.key)}`, or the same id to POST /approvals; then start it again",
        roles=tuple(sorted({one.role for one in missing if one.role})),
    )
