"""May this enter the environment now, and if not, what does it wait for?

One function a gate. A gate answers with the moment from which it is passed, so that a release train can ask whether
everything was ready when it left. Gates are about versions that enter: settings, seasons' ends and ways back do not
come here. Which candidate is asked about is `promotions`' question.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler import schedule
from reconciler.desired import Departures, Desired, earliest
from reconciler.model.deployment import Allotment
from reconciler.model.gates import Gates
from reconciler.model.plan import Refused, RunChecks, Waiting, WaitsFor, short
from reconciler.model.traffic import largest, versions_in
from reconciler.model.version import label
from reconciler.planner.recorded import Approval, EnvironmentRecord, RecordedApp
from reconciler.words import address


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What may enter an environment."""

    traffic: tuple[Allotment, ...]
    key: str
    """What approvals and checks are filed under: a digest of the versions, their shares and the environment's own
    settings. Another plan has another key."""
    ready_at: datetime
    """When it completed in the environment before, or was committed (UTC)."""
    source: str | None
    """The environment that it is promoted from."""
    authors: frozenset[str] = frozenset()
    """Who wrote it, and so cannot approve it; in lower case."""

    @property
    def said(self) -> str:
        """The candidate in words."""
        return ", ".join(label(part.number, part.name) for part in self.traffic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Whether a candidate may enter: the moment from which all gates are passed, or what it waits for."""

    passed_at: datetime | None
    due_at: datetime | None = None
    """The departure of the train that takes it."""
    waiting: tuple[Waiting, ...] = ()
    refused: tuple[Refused, ...] = ()
    checks: RunChecks | None = None
    remarks: tuple[str, ...] = ()
    wake_at: datetime | None = None


@dataclass(slots=True)
class _Answers:
    """What the gates have said so far."""

    passed: list[datetime]
    waiting: list[Waiting] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    checks: RunChecks | None = None
    remarks: list[str] = field(default_factory=list)


def key_of(traffic: tuple[Allotment, ...], wanted: Desired) -> str:
    """What approvals and outcomes of checks for entering with these versions are filed under."""
    subject = wanted.base_subject(traffic)
    return filed_under(wanted.app, wanted.environment, subject.fingerprint)


def filed_under(app: str, environment: str, base: str) -> str:
    """The key of entering with the base subject of this fingerprint (`Grounds.base` of a deployment)."""
    return hashlib.sha256(f"{app}/{environment}/{base}".encode()).hexdigest()


def passage(candidate: Candidate, wanted: Desired, app: RecordedApp, record: EnvironmentRecord) -> Passage:
    """Whether `candidate` may enter at the moment of `wanted`."""
    gates = wanted.gates
    skipped, remarks = _hotfix(candidate, gates, app)
    answers = _Answers([candidate.ready_at])
    if gates is not None and gates.mode != "off":
        _ask(answers, candidate, wanted, gates, app, record, skipped)
    if gates is not None and gates.mode == "report":
        remarks += tuple(f"reported only: {said}" for said in _details(answers))
        answers = _Answers([candidate.ready_at], checks=answers.checks, remarks=answers.remarks)
    remarks += tuple(answers.remarks)
    passed_at = None if answers.waiting or answers.refused else max(answers.passed)
    due_at = None
    if wanted.train is not None and passed_at is not None and "when" not in skipped:
        due_at = _departure(wanted.train, record)
        if due_at is None or passed_at > due_at:
            answers.waiting.append(_for_train(candidate, wanted, wanted.train))
            passed_at, due_at = None, None
    return Passage(
        passed_at=passed_at,
        due_at=due_at,
        waiting=tuple(answers.waiting),
        refused=tuple(answers.refused),
        checks=answers.checks,
        remarks=remarks,
        wake_at=earliest([one.until for one in answers.waiting]),
    )


def _details(answers: _Answers) -> list[str]:
    return [*(one.detail for one in answers.waiting), *(one.detail for one in answers.refused)]


def _hotfix(candidate: Candidate, gates: Gates | None, app: RecordedApp) -> tuple[frozenset[str], tuple[str, ...]]:
    """The gates that a `[HOTFIX]` commit may skip here."""
    if gates is None or not gates.hotfix or not is_hotfix(candidate.traffic, app):
        return frozenset(), ()
    return frozenset(gates.hotfix), (f"[HOTFIX] skipped {', '.join(gates.hotfix)}",)


def is_hotfix(traffic: tuple[Allotment, ...], app: RecordedApp) -> bool:
    """Whether any of these versions was committed as a hot-fix."""
    return any("HOTFIX" in app.versions[part.version].tags for part in traffic if part.version in app.versions)


def _ask(
    answers: _Answers,
    candidate: Candidate,
    wanted: Desired,
    gates: Gates,
    app: RecordedApp,
    record: EnvironmentRecord,
    skipped: frozenset[str],
) -> None:
    if gates.soak and candidate.source and "soak" not in skipped:
        _soak(answers, candidate, wanted, gates)
    if gates.signed and "signed" not in skipped:
        _signed(answers, candidate, wanted, app)
    if gates.approvals and "approvals" not in skipped:
        _approvals(answers, candidate, wanted, gates, record, _doubts(candidate, wanted, app))
    if gates.checks and "checks" not in skipped:
        soaking = any(one.waits_for in ("soak", "signature") for one in answers.waiting)
        _checks(answers, candidate, wanted, gates, record, begin=not soaking, app=app)


def _wait(
    candidate: Candidate, wanted: Desired, waits_for: WaitsFor, detail: str, until: datetime | None = None
) -> Waiting:
    return Waiting(
        app=wanted.app,
        environment=wanted.environment,
        waits_for=waits_for,
        until=until,
        detail=detail,
        key=candidate.key,
    )


def _soak(answers: _Answers, candidate: Candidate, wanted: Desired, gates: Gates) -> None:
    assert gates.soak is not None
    over = candidate.ready_at + gates.soak
    answers.passed.append(over)
    if over > wanted.at:
        detail = f"{candidate.said} soaks in {candidate.source} for {schedule.spell(gates.soak)}"
        answers.waiting.append(_wait(candidate, wanted, "soak", detail, over))


def _signed(answers: _Answers, candidate: Candidate, wanted: Desired, app: RecordedApp) -> None:
    for part in candidate.traffic:
        version = app.versions.get(part.version)
        commit = version.commit if version else ""
        found = app.signatures.get(commit)
        if found is None or not found.good:
            why = found.detail if found else "its signature has not been looked at yet"
            detail = f"{candidate.said} needs a verified signature of {commit[:10]}: {why}"
            answers.waiting.append(_wait(candidate, wanted, "signature", detail))


def _doubts(candidate: Candidate, wanted: Desired, app: RecordedApp) -> tuple[str, ...]:
    """What whoever approves should know: where any of these versions went wrong, or was taken back."""
    said: list[str] = []
    for name, other in app.environments.items():
        if name == wanted.environment:
            continue
        ran = {one.id: versions_in(one.traffic) for one in other.recent}
        for part in candidate.traffic:
            found = other.suspicions.values()
            bad = [one for one in found if part.version in {one.what, *ran.get(one.deployment, ())}]
            last = max(bad, key=lambda one: one.number, default=None)
            version = label(part.number, part.name)
            if last is not None:
                said.append(f"{version} {last.why} in {name} (deployment {last.number})")
            elif other.hold is not None and other.hold.version == part.version:
                said.append(f"{version} is held back in {name} by {other.hold.by}")
    return tuple(said)


def _approvals(
    answers: _Answers,
    candidate: Candidate,
    wanted: Desired,
    gates: Gates,
    record: EnvironmentRecord,
    doubts: tuple[str, ...],
) -> None:
    needed, minding = gates.approvals, "".join(f"; mind that {one}" for one in doubts)
    given = _counted(record.approvals.get(candidate.key, ()), candidate.authors)
    roles = needed.items() if isinstance(needed, dict) else [(None, needed or 0)]
    for role, count in roles:
        fitting = [one for one in given if role is None or one.role == role]
        if len(fitting) >= count:
            answers.passed += [one.at for one in fitting[count - 1 : count]]
            named = ", ".join(one.actor for one in fitting)
            answers.remarks.append(f"approved by {named}" if role is None else f"approved by {named} ({role})")
            continue
        by = f" by {', '.join(one.actor for one in fitting)}" if fitting else ""
        of = f"approvals of {role}" if role else "approvals" if count > 1 else "approval"
        writers = f", by someone other than {', '.join(sorted(candidate.authors))}" if candidate.authors else ""
        flag = f" --role {role}" if role else ""
        detail = f"{candidate.said} has {len(fitting)} of {count} {of}{by}: `reconciler approve {short(candidate.key)}"
        waiting = _wait(candidate, wanted, "approval", f"{detail}{flag}`{writers}{minding}")
        more = replace(waiting, what=candidate.said, role=role, authors=candidate.authors, doubts=doubts)
        answers.waiting.append(more)


def _counted(approvals: Iterable[Approval], authors: frozenset[str]) -> list[Approval]:
    """The approvals that count: one a person, none of an author."""
    seen = set(authors)
    counted = []
    for approval in approvals:
        if address(approval.actor) not in seen:
            seen.add(address(approval.actor))
            counted.append(approval)
    return counted


def _checks(
    answers: _Answers,
    candidate: Candidate,
    wanted: Desired,
    gates: Gates,
    record: EnvironmentRecord,
    *,
    begin: bool,
    app: RecordedApp,
) -> None:
    missing = []
    for check in gates.checks:
        if check.mode == "off":
            continue
        found = record.checked.get((candidate.key, check.name))
        if found is None:
            missing.append(check)
        if check.mode == "report":
            if found is not None and found.verdict == "failed":
                answers.remarks.append(failed_but_reported(check.name, candidate.said, found.detail))
            continue
        if found is not None and found.again_at is not None:
            again = f"`reconciler retry {short(candidate.key)}` asks at once"
            detail = f"{check.name} cannot tell yet about {candidate.said} (it ended with 75); {again}"
            answers.waiting.append(_wait(candidate, wanted, "checks", detail, found.again_at))
        elif found is None or found.verdict == "running":
            under_way = "is being run" if found else "is still to run"
            answers.waiting.append(_wait(candidate, wanted, "checks", f"{check.name} {under_way} on {candidate.said}"))
        elif found.verdict == "passed":
            answers.passed.append(found.at)
        else:
            answers.refused.append(_failed(candidate, wanted, check.name, found.detail))
    if missing and begin:
        leading = largest(candidate.traffic)
        version = app.versions.get(leading.version) if leading else None
        answers.checks = RunChecks(
            app=wanted.app,
            environment=wanted.environment,
            key=candidate.key,
            traffic=candidate.traffic,
            commit=version.commit if version else None,
            checks=tuple(missing),
            config=dict(wanted.base_config),
        )


def failed_but_reported(name: str, said: str, detail: str) -> str:
    """The remark on a deployment whose check failed and held nothing back; `said` are its versions in words."""
    return f"reported only: {_failure(name, said, detail)}"


def _failure(name: str, said: str, detail: str) -> str:
    return f"the check {name} failed for {said}: {detail or 'no word why'}"


def _failed(candidate: Candidate, wanted: Desired, name: str, detail: str) -> Refused:
    words = _failure(name, candidate.said, detail)
    way_out = f"commit a fix, or `reconciler retry {short(candidate.key)}` runs it again"
    return Refused(
        app=wanted.app,
        environment=wanted.environment,
        rule="check",
        detail=f"{words}; {way_out}",
        key=candidate.key,
    )


def _departure(train: Departures, record: EnvironmentRecord) -> datetime | None:
    """The last departure that counts: a train that left before its timetable was written took nothing."""
    written = record.touch.at if record.touch else None
    return train.last if train.last is not None and (written is None or train.last >= written) else None


def _for_train(candidate: Candidate, wanted: Desired, train: Departures) -> Waiting:
    if train.next is not None:
        return _wait(candidate, wanted, "train", f"{candidate.said} waits for the next train", train.next)
    return _wait(candidate, wanted, "train", f"{candidate.said} came after the last train: write a new `when`")
