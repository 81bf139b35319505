"""How does each app stand in each environment, and what does it wait for?"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from reconciler.desired import Desired
from reconciler.model.deployment import Allotment, Deployment, Subject
from reconciler.model.environment import Environment
from reconciler.model.output import (
    Doubt,
    DriftShown,
    Hold,
    PauseShown,
    Refusal,
    Standing,
    TriggersRefused,
    Wait,
    Wanted,
)
from reconciler.model.plan import Deploy, short
from reconciler.model.rollout import Mixture
from reconciler.model.version import spoken
from reconciler.planner import rollbacks
from reconciler.planner.aim import aim
from reconciler.planner.answer import Answer
from reconciler.planner.causes import RECONCILER
from reconciler.planner.promotions import Found, find
from reconciler.planner.recorded import EnvironmentRecord, RecordedApp
from reconciler.planner.rollouts import left_behind, place
from reconciler.views.pictures import Picture, pictures


def standings(picture: Picture, now: datetime) -> Iterator[Standing]:
    """How an app stands at `now` (UTC) in each environment, along the chain."""
    for name in picture.environments:
        environment, wanted = picture.scene.environments.get(name), picture.wanted.get(name)
        if wanted is None or environment is None:
            yield _orphan(picture, name)
        else:
            yield _standing(picture, wanted, environment, now)
    for name in sorted({*picture.elsewhere, *picture.starts} - set(picture.environments)):
        yield not_ours(picture.name, name, None, picture.elsewhere.get(name), picture.starts.get(name, ()))


def standing_in(connection: Connection, app: str, environment: str, now: datetime) -> Standing | None:
    """How an app stands at `now` (UTC) in one environment; None where it is not in it."""
    found = (one for picture in pictures(connection, [app], now) for one in standings(picture, now))
    return next((one for one in found if one.environment == environment), None)


def not_ours(
    app: str, environment: str, completed: Deployment | None, started: Deployment | None, waits: Sequence[Wait]
) -> Standing:
    """How an app stands in a place for which git asks nothing of it: as was reported."""
    return Standing(
        app=app,
        environment=environment,
        deployment=completed,
        desired=None,
        in_sync=True,
        waiting=tuple(waits),
        elsewhere=started,
    )


def _orphan(picture: Picture, environment: str) -> Standing:
    record = picture.record(environment)
    due = _due(picture, environment)
    return Standing(
        app=picture.name,
        environment=environment,
        deployment=record.running,
        desired=None,
        in_sync=record.active is None and due is None and record.drift is None,
        waiting=_waiting(picture, environment),
        refused=_refused(picture, environment),
        active=record.active,
        orphaned=True,
        due=due,
        doubt=_doubt(record),
        mixture=_mixture(record),
        drift=_drift(record, None),
        elsewhere=picture.elsewhere.get(environment),
    )


def _drift(record: EnvironmentRecord, environment: Environment | None) -> DriftShown | None:
    """What was seen to run in place of what completed last."""
    seen = record.drift
    if seen is None:
        return None
    remedy = "whatever is deployed there next puts it right; `drift: {repair: true}` in its Environment does so at once"
    if environment is not None and environment.spec.drift.repair:
        remedy = "it is deployed once more as soon as nothing holds that back"
    return DriftShown(since=seen.since, detail=seen.detail, remedy=remedy)


def _triggers(record: EnvironmentRecord) -> TriggersRefused | None:
    """Why the target does not have what git says of routes, domains and crons."""
    handed = record.triggers
    if handed is None or handed.error is None:
        return None
    remedy = "mend what the target says, or change `spec.triggers`: they are handed over again by themselves"
    error = " ".join(handed.error.split())[:500]
    return TriggersRefused(error=error, attempts=handed.attempts, again_at=handed.retry_at, remedy=remedy)


def _doubt(record: EnvironmentRecord) -> Doubt | None:
    """The newest deployment that reached the target did not complete, so nobody knows for sure what is there."""
    last, running = record.settled, record.running
    if last is None or last.status == "completed" or left_behind(last) is not None:
        return None
    known = (
        f"{spoken(running.traffic)} completed last (deployment {running.number})" if running else "nothing completed"
    )
    wish = spoken(last.traffic) if last.traffic else "retiring it"
    ended = "failed" if last.status == "failed" else "was stopped half-way"
    return Doubt(
        since=last.finished_at or last.created_at,
        deployment=last.id,
        reason=f"{known}, then deployment {last.number} ({last.cause}: {wish}) {ended}{_why(last)}",
        remedy=f"look at what runs there; `reconciler deployments show {last.id}` tells more, "
        f"`reconciler retry {last.id}` or a push makes it certain again",
    )


def _mixture(record: EnvironmentRecord) -> Mixture | None:
    """What a rollout that failed left, where that is known."""
    last = record.settled
    left = left_behind(last) if last is not None else None
    if last is None or last.rollout is None or left is None:
        return None
    return Mixture(
        since=last.finished_at or last.created_at,
        deployment=last.id,
        traffic=left,
        reason=f"deployment {last.number} ({spoken(last.traffic)}) failed at {place(last.rollout)}{_why(last)}",
        remedy=f"`reconciler deployments show {last.id}` tells more; a fix, a revert or "
        f"`reconciler retry {last.id}` ends it",
    )


def _why(last: Deployment) -> str:
    return f": {' '.join(last.error.split())[:200]}" if last.error else ""


def _standing(picture: Picture, wanted: Desired, environment: Environment, now: datetime) -> Standing:
    recorded, record = picture.recorded, picture.record(wanted.environment)
    answer = aim(wanted, recorded, record, environment.spec)
    held = _held(wanted, recorded, record)
    traffic = _traffic(wanted, recorded, record, answer, held)
    return Standing(
        app=picture.name,
        environment=wanted.environment,
        deployment=record.running,
        desired=Wanted(traffic=traffic, config=dict(wanted.config)),
        in_sync=not recorded.complaints and _in_sync(traffic, wanted, record),
        waiting=_waiting(picture, wanted.environment),
        refused=_refused(picture, wanted.environment),
        held=held,
        paused=_paused(wanted, recorded, now),
        seasons=tuple(season.name for season in wanted.seasons),
        active=record.active,
        due=_due(picture, wanted.environment),
        doubt=_doubt(record),
        mixture=_mixture(record),
        drift=_drift(record, environment),
        triggers=_triggers(record),
        elsewhere=picture.elsewhere.get(wanted.environment),
    )


def _traffic(
    wanted: Desired, recorded: RecordedApp, record: EnvironmentRecord, answer: Answer, held: Hold | None
) -> tuple[Allotment, ...] | None:
    """What git asks for: where it is held, that is not what the planner aims at for the time being."""
    if answer.aim is not None and held is None:
        return answer.aim.subject.traffic
    found = find(wanted.choice, wanted, recorded, record)
    return found.traffic if isinstance(found, Found) else None


def _in_sync(traffic: tuple[Allotment, ...] | None, wanted: Desired, record: EnvironmentRecord) -> bool:
    settled = record.settled
    if traffic is None or record.active is not None or settled is None or settled.status != "completed":
        return False
    if record.drift is not None or (record.triggers is not None and record.triggers.refused):
        return False
    return settled.subject.fingerprint == wanted.subject(traffic).fingerprint


def _held(wanted: Desired, recorded: RecordedApp, record: EnvironmentRecord) -> Hold | None:
    """Something went back here, or what git asks for went wrong: something else stays until a person says otherwise."""
    hold = record.hold
    if hold is not None:
        return Hold(
            since=hold.since,
            by=hold.by,
            reason=hold.reason,
            deployment=hold.deployment,
            branch=hold.branch,
            remedy=_ends(wanted, hold.branch, hold.trouble),
        )
    found = find(wanted.choice, wanted, recorded, record)
    if not isinstance(found, Found):
        return None
    subject = wanted.subject(found.traffic)
    bad = rollbacks.suspicion(subject, wanted, recorded, record)
    if bad is None or _active_for(subject, record):
        return None
    reason = f"{spoken(found.traffic)} {bad.why} here (deployment {bad.number})"
    return Hold(
        since=bad.at,
        by=RECONCILER,
        reason=reason,
        deployment=bad.deployment,
        remedy=_ends(wanted, None, None),
    )


def _ends(wanted: Desired, branch: str | None, trouble: str | None) -> str:
    """How a person ends a hold."""
    first = f"merge the branch {branch}, which takes it back in git too" if branch else "revert it in git too"
    why = f" (the reconciler has not written that commit: {trouble})" if trouble else ""
    again = f"`reconciler release {wanted.app} {wanted.environment}` carries out what git says"
    return f"{first}{why}; or commit a fix; or {again}"


def _active_for(subject: Subject, record: EnvironmentRecord) -> bool:
    return record.active is not None and record.active.subject.fingerprint == subject.fingerprint


def _paused(wanted: Desired, recorded: RecordedApp, now: datetime) -> PauseShown | None:
    last = recorded.pause(wanted.environment, now, wanted.pause)
    return PauseShown(by=last.by, reason=last.reason, until=last.until) if last else None


def _waiting(picture: Picture, environment: str) -> tuple[Wait, ...]:
    approvals = picture.record(environment).approvals
    ours = (
        Wait(
            waits_for=one.waits_for,
            until=one.until,
            detail=one.detail,
            id=short(one.key) if one.key else None,
            what=one.what,
            authors=tuple(sorted(one.authors)),
            approved_by=tuple(given.actor for given in approvals.get(one.key or "", ())) if one.what else (),
        )
        for one in picture.plan.waiting
        if one.environment == environment
    )
    return (*ours, *picture.starts.get(environment, ()))


def _refused(picture: Picture, environment: str) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(rule=one.rule, detail=one.detail, id=short(one.key) if one.key else None)
        for one in picture.plan.refused
        if one.environment == environment
    )


def _due(picture: Picture, environment: str) -> str | None:
    for action in picture.plan.actions:
        if isinstance(action, Deploy) and action.environment == environment:
            return action.reason
    return None


def past(picture: Picture, ran: Mapping[tuple[str, str], Deployment]) -> Iterator[Standing]:
    """How things stood at an earlier moment: `ran` is what ran then; the layers come from the manifests of today."""
    here = {environment: found for (app, environment), found in ran.items() if app == picture.name}
    names = sorted({*picture.wanted, *here}, key=lambda name: (picture.scene.depth(name), name))
    for name in names:
        wanted, found = picture.wanted.get(name), here.get(name)
        yield Standing(
            app=picture.name,
            environment=name,
            deployment=found,
            desired=Wanted(traffic=None, config=dict(wanted.config)) if wanted else None,
            in_sync=found is not None,
            seasons=tuple(season.name for season in wanted.seasons) if wanted else (),
            orphaned=wanted is None,
        )
